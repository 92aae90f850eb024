"""The path of a model, which is sent to other processes, where the model is opened when needed."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from fasttext_lite.arguments import absolute_path
from fasttext_lite.errors import FileError, InputTypeError, MissingFileError
from fasttext_lite.formats import reopen
from fasttext_lite.formats.file import ModelFile
from fasttext_lite.loading import is_name, load, model_source
from fasttext_lite.once import once

if TYPE_CHECKING:
    from typing import Any

    from fasttext_lite.arguments import PathType
    from fasttext_lite.model import Model

__all__ = ["ModelPath"]


class ModelPath:
    """A model that pickles as its path, without being opened.

    The pickle also holds the fingerprint of the file, if there is one where it is made, so that
    another process that finds another file says so. A model pickles likewise, but it has to be
    opened first, and it is opened as soon as it is unpickled.

    Parameters
    ----------
    path : str, bytes or os.PathLike
        As for `fasttext_lite.load`. A relative path is that of this process.
    sha256 : str, optional
        Each process checks the file when it opens it.

    Raises
    ------
    InputTypeError, FileError
        `path` is not a path, or `sha256` is not str.
    """

    def __init__(self, path: PathType, sha256: str | None = None) -> None:
        if sha256 is not None and not isinstance(sha256, str):
            raise InputTypeError(f"sha256 must be str, not {type(sha256).__name__}")
        self.path = str(path) if is_name(path) else absolute_path(path)
        self.sha256 = sha256
        self._fingerprint: tuple[int, int] | None = None
        self._was_sent = False

    @once
    def model(self) -> Model:
        """The model, which is opened when this is first used.

        Raises
        ------
        MissingFileError, FileError, FormatError
            As for `fasttext_lite.load`; or this is another file than where the pickle was made.
        """
        if self._was_sent and self._fingerprint is not None:
            return _current(self.path, self.sha256, self._fingerprint)
        try:
            model = _open(self.path, self.sha256, self._fingerprint)
        except MissingFileError as error:
            raise _not_here(error) if self._was_sent else error from None
        self._fingerprint = _fingerprint_of(model)
        return model

    @once
    def shared(self) -> Model:
        """The model, which this process opens once for all objects that share it.

        Raises
        ------
        MissingFileError, FileError, FormatError
            As for `model`.
        """
        fingerprint = None if self._was_sent else self.fingerprint()
        if fingerprint is None:
            return self.model
        return _current(self.path, self.sha256, fingerprint)

    def fingerprint(self) -> tuple[int, int] | None:
        """Return the size of the file and a checksum; None if it is not on this machine.

        Raises
        ------
        FileError
            The file cannot be read.
        """
        if self._fingerprint is None:
            try:
                with ModelFile(model_source(self.path), reopen) as file:
                    self._fingerprint = file.fingerprint()
            except MissingFileError:
                return None
        return self._fingerprint

    def __reduce__(self) -> tuple[Any, ...]:
        return ModelPath.restored, (self.path, self.sha256, self.fingerprint())

    @staticmethod
    def restored(path: str, sha256: str | None, fingerprint: tuple[int, int] | None) -> ModelPath:
        """Return the object of a pickle."""
        found = ModelPath(path, sha256)
        found._fingerprint, found._was_sent = fingerprint, True
        return found


# Engines unpickle anew for each task, and a process has many tasks.
@lru_cache(maxsize=2)
def _shared_model(path: str, sha256: str | None, fingerprint: tuple[int, int]) -> Model:
    """Open a model once in this process, for all that was sent to it."""
    try:
        return _open(path, sha256, fingerprint)
    except MissingFileError as error:
        raise _not_here(error) from None


def _current(path: str, sha256: str | None, fingerprint: tuple[int, int]) -> Model:
    """Return a shared model; open it again if the file was replaced or deleted since."""
    model = _shared_model(path, sha256, fingerprint)
    if not model.verify():
        _shared_model.cache_clear()
        model = _shared_model(path, sha256, fingerprint)
    return model


def _open(path: str, sha256: str | None, fingerprint: tuple[int, int] | None) -> Model:
    model = load(path, sha256=sha256)
    found = _fingerprint_of(model)
    if fingerprint is not None and found != fingerprint:
        size = "none" if found is None else f"{found[0]:,}"
        raise FileError(
            f"this is another file{_on_machine()} than where the work was sent from: that one had "
            f"{fingerprint[0]:,} bytes, this one has {size}, or their content differs; put the "
            "same file at this path on all machines, or send the work again",
            model.info.path,
        )
    return model


def _fingerprint_of(model: Model) -> tuple[int, int] | None:
    file = model._parts.file
    return None if file is None else file.fingerprint()


def _not_here(error: MissingFileError) -> MissingFileError:
    return MissingFileError(
        f"{error.strerror}{_on_machine()}: what is sent to another process holds the path of a "
        "model, which is opened there; put the file at this path on all machines or on a shared "
        "disk, or send it along where the engine can (ship=True)",
        error.filename,
    )


def _on_machine() -> str:
    import platform  # costs import time that only an error needs

    return f" on {platform.node()}"
