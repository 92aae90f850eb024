"""Compatibility layers: names, arguments and results of other libraries, on our models."""
