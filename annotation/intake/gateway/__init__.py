"""A DICOM node beside the PACS: receives images, de-identifies each before it touches the disk, and sends series that
have settled. No Django, no database: `python -m annotation.intake.gateway`. See docs/deidentification.md."""
