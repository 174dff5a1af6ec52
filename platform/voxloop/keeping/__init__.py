"""Integrity of stored data: recorded damage, scrubbing, repair, and garbage collection."""
