"""The path of a model in a pipeline, and what is saved of it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from fasttext_lite.arguments import path_name, whole
from fasttext_lite.errors import (
    FormatError,
    MissingFileError,
)
from fasttext_lite.model_path import ModelPath

if TYPE_CHECKING:
    from fasttext_lite.model import Model

__all__ = ["FILE", "SavedModel"]

FILE = "fasttext_lite.json"


class SavedModel:
    """The path of a model in a configuration, and what is saved of it beside that.

    A path that the configuration names is the place of the file. If the configuration is the saved
    one and its path is relative, the file is where it was when the pipeline was saved.

    Parameters
    ----------
    path : str
    option : str
        What names another path when the pipeline is loaded, for the message of an error.
    """

    def __init__(self, path: str, option: str) -> None:
        self.path = path_name(path)
        self._option = option
        self._source = ModelPath(self.path)

    @property
    def model(self) -> Model:
        """The model, which this process opens once for all that share it."""
        return self._source.shared

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SavedModel) and self.dumps() == other.dumps()

    __hash__ = None  # type: ignore[assignment]

    def dumps(self) -> bytes:
        """Return the path and the fingerprint of the file as JSON."""
        state = {
            "path": self.path,
            "absolute": self._source.path,
            "fingerprint": self._source.fingerprint(),
        }
        return json.dumps(state).encode()

    def loads(self, data: bytes, place: str) -> None:
        """Expect the file that was saved.

        Raises
        ------
        FormatError
            This is not what `dumps` returned.
        """
        try:
            state = json.loads(data)
            path, absolute, fingerprint = (
                state[name] for name in ("path", "absolute", "fingerprint")
            )
            if fingerprint is not None:
                size, checksum = fingerprint
                fingerprint = whole("size", size), whole("checksum", checksum)
            if not isinstance(path, str) or not isinstance(absolute, str):
                raise TypeError
        except (ValueError, KeyError, TypeError):
            raise FormatError(
                FILE, 0, "this is not what the vectors or the component were saved as: save the "
                "pipeline again", place,
            ) from None  # fmt: skip
        here = absolute if path == self.path else self._source.path
        self._source = ModelPath.restored(here, None, fingerprint)

    def check(self) -> None:
        """Raise if the file is missing, with what to do about it."""
        try:
            _ = self.model
        except MissingFileError:
            raise MissingFileError(
                "there is no such file: put the model there, or name its place when the pipeline "
                f"is loaded, by spacy.load(…, config={{{self._option!r}: …}})",
                self._source.path,
            ) from None
