"""One machine with nothing but Python: environment, PostgreSQL and processes. Standard library only."""
