"""Opening a model from a path or file object."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from fasttext_lite.arguments import absolute_path, flag, is_path, whole
from fasttext_lite.formats import open_parts
from fasttext_lite.model import Model
from fasttext_lite.parts import Selection

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import BinaryIO

    from fasttext_lite.arguments import PathType

__all__ = ["SAMPLE", "load", "model_path", "select_rows"]

# Path of the model in this package. `load` and `convert` also accept it as "sample"; `open_parts`
# does not. Joined by os.path, since pathlib costs import time.
SAMPLE = os.path.join(os.path.dirname(__file__), "data", "sample.bin")  # noqa: PTH118, PTH120


def model_path(path: PathType) -> str:
    """Return the absolute path of a model file; ``"sample"`` means the sample model."""
    return SAMPLE if path == "sample" else absolute_path(path)


def select_rows(
    max_words: int | None,
    words: PathType | Iterable[str | bytes] | None,
    *,
    strict: bool,
    required: bool = True,
) -> Selection:
    """Check the options that select rows of a file of word vectors; see `load`."""
    if max_words is not None:
        max_words = whole("max_words", max_words, least=1)
    chosen = None
    if words is not None:
        from fasttext_lite.lines import read_words

        chosen = tuple(read_words(words))
    return Selection(max_words, chosen, flag("strict", strict), required)


def load(
    path: PathType | BinaryIO,
    mmap: bool = True,
    *,
    progress: bool = False,
    max_words: int | None = None,
    words: PathType | Iterable[str | bytes] | None = None,
    strict: bool = True,
) -> Model:
    """Open a fastText model.

    Only the head of the file is read and checked. The matrices are mapped, and the vocabulary is
    indexed on the first look-up.

    Parameters
    ----------
    path : str, bytes, os.PathLike or file object
        A ``.bin``, ``.ftz`` or compact file, also of floret and sent2vec. Or a file that is read
        into memory: word vectors without subwords (``.vec``, word2vec text or word2vec binary,
        optionally compressed with gzip, bzip2 or xz; ``.magnitude``), or a table of floret. The
        str ``"sample"`` means the small English model of this package, `SAMPLE` (pass
        ``"./sample"`` for a file of this name). A binary file object is read from its position to
        its end: it is mapped if it is a file on disk at its beginning, and read into memory
        otherwise. It stays open, and the caller may close it.
    mmap : bool
        Map the file: it opens at once, whatever its size, and all processes that map it share
        one copy. False reads it into memory, which protects from changes to the file.
    progress : bool
        Show a progress bar on stderr if reading takes over a second and stderr is a terminal.
    max_words : int, optional
        Read only the first `max_words` rows of a file of word vectors without subwords. Files of
        other kinds are mapped, not read: `fasttext_lite.convert` writes a smaller one.
    words : path or iterable of str or bytes, optional
        Keep only the rows of these words, which saves memory, and stop reading when all are found.
        A file has one word per line. Words that are not in the file are left out. As `max_words`,
        this is for word vectors without subwords.
    strict : bool
        Raise if the head of a file of word vectors says another number of rows than there are.
        False reads the rows that are there and warns; ``info.head_word_count`` is the number in
        the head. A row that ends in its middle is an error in any case.

    Returns
    -------
    Model

    Warns
    -----
    FormatWarning
        With ``strict=False``: the head says another number of rows than there are.

    Raises
    ------
    MissingFileError
        The file does not exist.
    FileError
        The path is a folder, or the file cannot be read.
    FormatError
        The file is not a fastText model, is truncated, or contradicts itself.
    InputTypeError
        `path` is neither a path nor a binary file object, or an option has the wrong type.
    InputValueError
        `max_words` is not positive; or `max_words` or `words` are given for another kind of file.

    Examples
    --------
    >>> model = load("sample")
    >>> len(model) > 1000
    True
    """
    mmap, progress = flag("mmap", mmap), flag("progress", progress)
    source = model_path(path) if is_path(path) else path
    selection = select_rows(max_words, words, strict=strict)
    return Model(open_parts(source, map_file=mmap, progress=progress, selection=selection))
