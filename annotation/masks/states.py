"""Mask revisions have kinds, not states: they never change."""

EMPTY = "empty"  # the ETag of an assignment's layer that has no revision yet
