"""What an output folder remembers: the settings of all its files, and which files are finished."""

from __future__ import annotations

import json
import posixpath
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from fasttext_lite.annotation.places import RECORDS
from fasttext_lite.errors import FileError, InputValueError

if TYPE_CHECKING:
    from fasttext_lite.annotation.places import Folder, Source

__all__ = ["Records"]

_SETTINGS = posixpath.join(RECORDS, "settings.json")


class Records:
    """The records of an output folder.

    One file holds the settings of all outputs. Each output has a marker, which is written before
    the work on it begins, and again when the output stands under its name. A finished marker holds
    the identity of the input, the size of the output and a digest of the settings, and all of them
    must agree before the output counts as finished.

    Parameters
    ----------
    folder : Folder
    settings : dict
        What the outputs depend on besides their inputs.
    overwrite : bool
        Replace files of other settings and of other programs.

    Raises
    ------
    InputValueError
        The folder holds files of other settings.
    """

    def __init__(self, folder: Folder, settings: dict[str, Any], *, overwrite: bool) -> None:
        self._folder = folder
        self._overwrite = overwrite
        text = json.dumps(settings, indent=1, sort_keys=True).encode()
        self._digest = sha256(text).hexdigest()
        self._text = text
        settings = json.loads(text)
        earlier = self._read(_SETTINGS)
        self._is_new = earlier != settings
        if earlier is not None and self._is_new and not overwrite:
            changes = [
                f"{name} is {json.dumps(settings.get(name))} and was "
                f"{json.dumps(earlier.get(name))}"
                for name in sorted({*settings, *earlier})
                if settings.get(name) != earlier.get(name)
            ]
            raise InputValueError(
                f"{folder.name} holds files of other settings ({'; '.join(changes)}): name another "
                "folder, or replace them (overwrite)"
            )

    def finished(self, source: Source) -> dict[str, int] | None:
        """Return the counts of rows of a finished output; None if it is to be written.

        Raises
        ------
        FileError
            The output exists, and was not made from this input.
        """
        target = self._folder.path(source.relative)
        size = self._folder.size(source.relative)
        marker = self._read(self._marker(source))
        if size is None:
            return None
        if marker is None:
            if self._overwrite:
                return None
            raise FileError(
                "this file was not made by annotate: name another folder, or replace it "
                "(overwrite)",
                target,
            )
        same_input = marker["identity"] == source.identity()
        if not same_input and marker["input"] != source.name and not self._overwrite:
            raise FileError(
                f"this file was made from another input, {marker['input']}: name another folder, "
                "or replace it (overwrite)",
                target,
            )
        if same_input and marker["settings"] == self._digest and marker["size"] == size:
            counts: dict[str, int] = marker["counts"]
            return counts
        return None

    def begin(self, source: Source) -> dict[str, object]:
        """Record that the output of an input is being written; return the identity of the input."""
        identity = source.identity()
        self._mark(source, identity, None, None)
        return identity

    def finish(self, source: Source, identity: dict[str, object], counts: dict[str, int]) -> None:
        """Record that the output of an input stands under its name.

        Parameters
        ----------
        source : Source
        identity : dict
            That of the input before it was read.
        counts : dict of str to int
            Counts of rows.

        Raises
        ------
        FileError
            The input has changed since.
        """
        if source.identity() != identity:
            raise FileError("this file changed while it was read: run annotate again", source.name)
        if self._is_new:
            self._write(_SETTINGS, self._text)
            self._is_new = False
        self._mark(source, identity, self._folder.size(source.relative), counts)

    def _mark(
        self,
        source: Source,
        identity: dict[str, object],
        size: int | None,
        counts: dict[str, int] | None,
    ) -> None:
        marker = {
            "input": source.name,
            "identity": identity,
            "settings": self._digest,
            "size": size,
            "counts": counts,
        }
        self._write(self._marker(source), json.dumps(marker, indent=1).encode())

    def _marker(self, source: Source) -> str:
        return posixpath.join(RECORDS, "files", f"{source.relative}.json")

    def _read(self, relative: str) -> dict[str, Any] | None:
        text = self._folder.read(relative)
        if text is None:
            return None
        try:
            found: dict[str, Any] = json.loads(text)
        except ValueError:
            raise FileError(
                "this record of annotate is damaged: remove it", self._folder.path(relative)
            ) from None
        return found

    def _write(self, relative: str, text: bytes) -> None:
        with self._folder.writing(relative) as file:
            file.write(text)
