"""The views, by what they are about. Each is wrapped by the door (`annotation.pages.door`)."""
