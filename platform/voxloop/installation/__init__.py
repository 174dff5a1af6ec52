"""What this installation knows of itself: whose database it is, the prints of its keys, its back-ups."""
