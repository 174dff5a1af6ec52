"""Send scans from a hospital: find the series, de-identify them here, upload them. No Django, no database:
`python -m annotation.intake.sending` runs from the installed package alone. See docs/deidentification.md."""
