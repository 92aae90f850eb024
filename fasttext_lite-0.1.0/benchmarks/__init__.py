"""Measurements of fasttext_lite beside the packages that open the same files.

Run with ``python -m benchmarks`` from the root of the repository.
"""
