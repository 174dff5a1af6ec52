"""Back-up, restore, and whether an installation is whole."""
