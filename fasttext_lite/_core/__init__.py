"""The compiled core: all loops over bytes, rows and words.

It has one folder per stage of the work::

    kernels   sums, products and scans of rows, and the choice of kernels for this CPU
    text      the words and texts of a call, as pointers to UTF-8
    lookup    words to rows and vectors: vocabulary, subwords, matrices
    labels    lines of text to labels and to sentence vectors
    search    the nearest words
    files     numbers and rows in files

``tests/unit/test_package.py`` defines the order in which the modules may import one another.
"""
