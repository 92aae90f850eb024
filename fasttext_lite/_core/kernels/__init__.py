"""Sums, products and scans of rows, for each kind of CPU."""
