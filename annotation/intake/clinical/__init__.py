"""Sheets with clinical records, read without Django: at the site, in a child process, and before they are stored."""
