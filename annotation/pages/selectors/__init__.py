"""Data of the pages, limited to what the person may see."""
