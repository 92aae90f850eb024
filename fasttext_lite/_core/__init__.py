"""The compiled core: every loop over bytes, rows and words.

It has a folder for each stage of the work::

    kernels   which kernels this CPU runs; sums, products and scans of rows
    text      the words and texts of a call, as pointers to UTF-8
    lookup    words to rows and vectors: vocabulary, subwords, matrices
    labels    lines of text to labels, and to vectors of sentences
    search    the nearest words
    files     numbers and rows as files hold them

``tests/unit/test_package.py`` has the order in which the modules may import one another.
"""
