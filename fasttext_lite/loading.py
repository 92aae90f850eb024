"""Opening a model from a path or file object."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from fasttext_lite.arguments import flag
from fasttext_lite.formats import open_parts
from fasttext_lite.model import Model

if TYPE_CHECKING:
    from typing import BinaryIO

    from fasttext_lite.arguments import PathType

__all__ = ["SAMPLE", "load", "model_source"]

# Path of the model in this package. `load` and `convert` also accept it as "sample"; `open_parts`
# does not. Joined by os.path, since pathlib costs import time.
SAMPLE = os.path.join(os.path.dirname(__file__), "data", "sample.bin")  # noqa: PTH118, PTH120


def model_source(source: PathType | BinaryIO) -> PathType | BinaryIO:
    """Return a path or file object; the str ``"sample"`` means the path of the sample model."""
    return SAMPLE if isinstance(source, str) and source == "sample" else source


def load(
    path: PathType | BinaryIO,
    mmap: bool = True,
    *,
    progress: bool = False,
    sha256: str | None = None,
) -> Model:
    """Open a fastText model.

    Only the head of the file is read and checked. The matrices are mapped, and the vocabulary is
    indexed on the first look-up.

    Parameters
    ----------
    path : str, bytes, os.PathLike or file object
        A ``.bin``, ``.ftz`` or compact file; or word vectors without subwords: ``.vec``, word2vec
        text or word2vec binary, which are read into memory. Each may be compressed with gzip,
        bzip2, xz or zstd (before Python 3.14 with the extra ``zstd``), or be in a zip or tar
        archive; it is then read into memory. In an archive with several models
        ``"archive.zip!/member"`` names one. ``~`` and ``file://`` addresses are understood. The str
        ``"sample"`` means the small English model of this package, `SAMPLE` (pass ``"./sample"``
        for a file of this name). A file object needs no method but ``read(n)``, and is read from
        its position to its end: it is mapped if it is a file on disk at its beginning, and read
        into memory otherwise. It stays open, and the caller may close it.
    mmap : bool
        Map the file: it opens at once, whatever its size, and all processes that map it share
        one copy. False reads it into memory, which protects from changes to the file.
    progress : bool
        Show a progress bar on stderr if reading takes over a second and stderr is a terminal.
    sha256 : str, optional
        The SHA-256 of the file in hexadecimal digits, of an archive or compressed file as it is
        stored. It is checked before the content is used, for which the file is read once.

    Returns
    -------
    Model

    Raises
    ------
    MissingFileError
        The file does not exist.
    FileError
        The path is a folder, the file cannot be read, or there is not enough memory.
    FormatError
        The file is not a fastText model, is truncated, contradicts itself, or has another SHA-256.
    MissingExtraError
        The file is compressed with zstd, and ``fasttext-lite[zstd]`` is not installed.
    InputTypeError
        `path` is neither a path nor a binary file object.

    Examples
    --------
    >>> model = load("sample")
    >>> len(model) > 1000
    True
    """
    mmap, progress = flag("mmap", mmap), flag("progress", progress)
    parts = open_parts(model_source(path), map_file=mmap, progress=progress, sha256=sha256)
    return Model(parts)
