"""The nearest words."""
