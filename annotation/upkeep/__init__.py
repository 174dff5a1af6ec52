"""Back-up, restore, and checks of an installation."""
