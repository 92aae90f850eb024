"""Numbers and rows in files."""
