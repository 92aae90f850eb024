"""What is sent to the workers of a cluster: an annotator, and the file of its model where asked."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from fasttext_lite.annotator import Annotator
from fasttext_lite.errors import MissingFileError
from fasttext_lite.formats.disk import in_archive
from fasttext_lite.loading import SAMPLE

if TYPE_CHECKING:
    from typing import Any

    from fasttext_lite.arguments import PathType

__all__ = ["at", "file_of", "tried"]


def tried(path: PathType, column: str, ship: bool, options: dict[str, Any]) -> Annotator:
    """Return an annotator, which is tried if this machine has the file.

    Raises
    ------
    MissingFileError
        It has not, and the file is to be sent from here.
    """
    annotator = Annotator(path, column, **options)
    try:
        annotator.columns([])
    except MissingFileError:
        if ship:
            raise
    return annotator


def file_of(annotator: Annotator) -> tuple[str, str]:
    """Return the file of a model, and what follows its path for a member of an archive."""
    file, member = in_archive(SAMPLE if annotator.path == "sample" else annotator.path)
    return file, f"!/{member}" if member else ""


def at(annotator: Annotator, path: str, sha256: str | None = None) -> Annotator:
    """Return an annotator for a copy of the same file, which has to have the same fingerprint.

    Parameters
    ----------
    annotator : Annotator
    path : str
        Where the copy is.
    sha256 : str, optional
        The SHA-256 that the copy has to have as well.
    """
    restore, (kind, text) = annotator.__reduce__()
    changed = {"path": path} if sha256 is None else {"path": path, "sha256": sha256}
    return restore(kind, json.dumps({**json.loads(text), **changed}))
