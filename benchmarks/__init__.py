"""Benchmarks of fasttext_lite and of other packages that open the same files.

Run with ``python -m benchmarks`` from the root of the repository.
"""
