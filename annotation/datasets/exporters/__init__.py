"""Writers of a release. They know arrays, geometry and the frozen manifest; nothing of the database or of HTTP."""
