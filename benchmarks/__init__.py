"""Figures, run by `manage.py bench NAME`. Each module has a `run()` that yields rows."""
