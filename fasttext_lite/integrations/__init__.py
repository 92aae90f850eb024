"""Thin adapters to other libraries, each of which is an extra of its own."""
