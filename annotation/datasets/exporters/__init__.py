"""Writers of release files from arrays, geometry and the frozen manifest; independent of database and HTTP."""
