"""Sums, products and scans of rows, for several instruction sets."""
