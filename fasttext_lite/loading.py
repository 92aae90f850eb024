"""Opening a model from a path or file object."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from fasttext_lite.arguments import flag, whole
from fasttext_lite.formats import open_parts
from fasttext_lite.model import Model
from fasttext_lite.parts import Selection

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import BinaryIO

    from fasttext_lite.arguments import PathType

__all__ = ["SAMPLE", "is_name", "load", "model_source", "select_rows"]

# Path of the model in this package. `load` and `convert` also accept it as "sample"; `open_parts`
# does not. Joined by os.path, since pathlib costs import time.
SAMPLE = os.path.join(os.path.dirname(__file__), "data", "sample.bin")  # noqa: PTH118, PTH120

# Addresses, and the names of models on the official site.
_REMOTE = re.compile(r"hf://|https?://|(cc\.[A-Za-z_-]+\.300|wiki\.[A-Za-z_-]+|lid\.176)\Z")


def is_name(path: object) -> bool:
    """Return whether a path is ``"sample"`` or an address, which do not depend on a directory."""
    return isinstance(path, str) and (path == "sample" or bool(_REMOTE.match(path)))


def model_source(source: PathType | BinaryIO) -> PathType | BinaryIO:
    """Return a path or file object; ``"sample"`` and addresses mean the paths of their files."""
    if not isinstance(source, str):
        return source
    if source == "sample":
        return SAMPLE
    if _REMOTE.match(source):
        from fasttext_lite.hub import resolve  # costs import time that few need

        return resolve(source)
    return source


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
    sha256: str | None = None,
) -> Model:
    """Open a fastText model.

    Only the head of the file is read and checked. The matrices are mapped, and the vocabulary is
    indexed on the first look-up.

    Parameters
    ----------
    path : str, bytes, os.PathLike or file object
        A ``.bin``, ``.ftz`` or compact file, also of floret and sent2vec. Or a file that is read
        into memory: word vectors without subwords (``.vec``, word2vec text or word2vec binary,
        ``.magnitude``), or a table of floret; or a folder of model2vec or sentence-transformers.
        Each file may be compressed with gzip, bzip2, xz or zstd (before Python 3.14 with the extra
        ``zstd``), or be in a zip or tar archive; it is then read into memory. In an archive with
        several models ``"archive.zip!/member"`` names one. ``~`` and ``file://`` addresses are
        understood. The str ``"sample"`` means the small English model of this package, `SAMPLE`
        (pass ``"./sample"`` for a file of this name). An address (``hf://…``, ``https://…``) or a
        name of the official site (``cc.de.300``, ``wiki.fr``, ``lid.176``) is downloaded first, as
        by `fasttext_lite.download`. A file object needs no method but ``read(n)``, and is read from
        its position to its end: it is mapped if it is a file on disk at its beginning, and read
        into memory otherwise. It stays open, and the caller may close it.
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
    sha256 : str, optional
        The SHA-256 of the file in hexadecimal digits, of an archive or compressed file as it is
        stored. It is checked before the content is used, for which the file is read once.

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
        The path is another folder, the file cannot be read, or there is not enough memory.
    FormatError
        The file is not a fastText model, is truncated, contradicts itself, or has another SHA-256.
    MissingExtraError
        The file is compressed with zstd, and ``fasttext-lite[zstd]`` is not installed.
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
    parts = open_parts(
        model_source(path),
        map_file=mmap,
        progress=progress,
        selection=select_rows(max_words, words, strict=strict),
        sha256=sha256,
    )
    return Model(parts)
