"""DICOM without Django: find files, read them as untrusted input, group them into series, build volumes."""
