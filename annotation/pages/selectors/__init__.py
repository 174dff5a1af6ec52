"""What a page shows, read from what the person may see."""
