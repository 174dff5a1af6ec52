"""The views by subject. Each is wrapped by `annotation.pages.guard`."""
