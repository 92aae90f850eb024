"""The words and texts of a call, as pointers to UTF-8."""
