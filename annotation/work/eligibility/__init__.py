"""Eligibility as data: a campaign's criteria, what they say of each scan, and what a person decided."""
