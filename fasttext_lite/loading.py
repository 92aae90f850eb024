"""From a path to a model."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from fasttext_lite.arguments import is_path, path_name
from fasttext_lite.errors import FileError
from fasttext_lite.formats import open_parts
from fasttext_lite.model import Model

if TYPE_CHECKING:
    from typing import BinaryIO

    from fasttext_lite.arguments import PathType
    from fasttext_lite.backing import Fingerprint
    from fasttext_lite.model import Recipe

__all__ = ["load", "model_path"]

SAMPLE = "sample"
# By os.path, since pathlib costs import time.
_SAMPLE_FILE = os.path.join(os.path.dirname(__file__), "data", "sample.bin")  # noqa: PTH118, PTH120


def model_path(path: PathType) -> str:
    """Return the absolute path of a model file; that of the built-in one for ``"sample"``."""
    if path == SAMPLE:
        return _SAMPLE_FILE
    return os.path.join(os.getcwd(), path_name(path))  # noqa: PTH109, PTH118


def load(path: PathType | BinaryIO, mmap: bool = True, *, progress: bool = False) -> Model:
    """Open a fastText model.

    Only the head of the file is read and checked; its matrices are mapped, and the vocabulary is
    indexed at the first look-up.

    Parameters
    ----------
    path : str, bytes, os.PathLike or file object
        A ``.bin``, ``.ftz`` or compact file; or word vectors without subwords, ``.vec`` or word2vec
        text or binary, also compressed with gzip, bzip2 or xz: these are read into memory.
        ``"sample"`` names a small English model that comes with this package (a file of that name
        is ``"./sample"``). Of a file object, opened to read bytes, what stands from its position to
        its end is the model: a file on disk that stands at its beginning is mapped, anything else
        is read into memory. It stays open, and may be closed.
    mmap : bool
        Map the file: it opens at once, whatever its size, and all processes that map it share
        one copy. With False it is read into memory, which protects from changes to the file.
    progress : bool
        Show a bar on stderr for what is read, if that is a terminal.

    Returns
    -------
    Model

    Raises
    ------
    MissingFileError
        There is no such file.
    FileError
        The path is a folder, or the file cannot be read.
    FormatError
        The file is no fastText model, is cut, or contradicts itself.
    InputTypeError
        `path` is no path, and no file object that gives bytes.

    Examples
    --------
    >>> model = load("sample")
    >>> len(model) > 1000
    True
    """
    source = model_path(path) if is_path(path) else path
    parts = open_parts(source, map_file=mmap, progress=progress)

    def recipe() -> Recipe:
        backing = parts.backing
        if backing is None or backing.path is None:
            raise FileError(
                "this model was read from a file object without a path, where another process "
                "cannot find it: write it to a file and load that",
                parts.info.path,
            )
        return load_again, (backing.path, mmap, backing.fingerprint())

    return Model(parts, recipe)


def load_again(path: str, mmap: bool, expected: Fingerprint) -> Model:
    """Open the model that was pickled elsewhere."""
    model = load(path, mmap)
    backing = model._parts.backing
    if backing is None or backing.fingerprint() != expected:
        raise FileError(
            "this is another file than the one that the model was loaded from, which had "
            f"{expected.size} bytes (this one has {model.info.file_size}) or other ones: load it "
            "again in the process that hands the model on, too",
            path,
        )
    return model
