"""DICOM without Django: find files, read them with distrust, sort them into series, and make volumes of them."""
