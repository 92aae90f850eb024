"""Opening a model from a path or file object."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from fasttext_lite.arguments import absolute_path, flag, is_path
from fasttext_lite.formats import open_parts
from fasttext_lite.model import Model

if TYPE_CHECKING:
    from typing import BinaryIO

    from fasttext_lite.arguments import PathType

__all__ = ["SAMPLE", "load", "model_path"]

# Path of the model in this package. `load` and `convert` also accept it as "sample"; `open_parts`
# does not. Joined by os.path, since pathlib costs import time.
SAMPLE = os.path.join(os.path.dirname(__file__), "data", "sample.bin")  # noqa: PTH118, PTH120


def model_path(path: PathType) -> str:
    """Return the absolute path of a model file; ``"sample"`` means the sample model."""
    return SAMPLE if path == "sample" else absolute_path(path)


def load(path: PathType | BinaryIO, mmap: bool = True, *, progress: bool = False) -> Model:
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

    Returns
    -------
    Model

    Raises
    ------
    MissingFileError
        The file does not exist.
    FileError
        The path is a folder, or the file cannot be read.
    FormatError
        The file is not a fastText model, is truncated, or contradicts itself.
    InputTypeError
        `path` is neither a path nor a binary file object.

    Examples
    --------
    >>> model = load("sample")
    >>> len(model) > 1000
    True
    """
    mmap, progress = flag("mmap", mmap), flag("progress", progress)
    source = model_path(path) if is_path(path) else path
    return Model(open_parts(source, map_file=mmap, progress=progress))
