"""The compiled core: every loop over bytes, rows and words.

The modules import one another downwards only, in this order::

    cpu           which kernels run, of those in the C files
    subwords      the n-gram walk, its hash, and the rows that n-grams have
    utf8          code points to UTF-8
    arrow         strings in the memory of other libraries
    batch         the words of one call, as pointers
    entries       words and labels, in the bytes of the file
    vocabulary    a hash index over them
    ngrams        the distinct n-grams of many words
    rows          row matrices: dense and product-quantised
    arrays        fresh arrays through the C API of NumPy
    embed         words to vectors
    lookup        the single call
    decimals      decimal numbers to the nearest float32
    textrows      rows of word vectors from a stream
    hashed        the rows of all n-grams of a word at once, and of word n-grams
    tokens        the tokens of a line
    line          a line of text to the sum of its rows
    sentences     texts to vectors, without labels
    losses        the output layer
    huffman       the output layer of hierarchical softmax
    predict       lines to labels
    own           from vectors back to the own rows of words
    formatting    vectors as lines of text
    codes         directions as rows of small numbers, with bounds on their errors
    nearest       the best of scores that come in any order
    queries       the queries of a search, as the kernels take them
    scan          the nearest words
"""
