"""Pages and the viewer in a real Chromium."""
