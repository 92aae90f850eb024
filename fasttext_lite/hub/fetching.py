"""Downloads of whole files: resumed where they were cut, checked, and complete or not there.

A file grows beside its target as ``NAME.incomplete``, with a note of what the server said of it. It
replaces the target when its size and its SHA-256 are right. A server cannot fill the disk: no more
is written than it has announced, and this much has to be free at the beginning.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from fasttext_lite.errors import FileError, FormatError
from fasttext_lite.hub import transport
from fasttext_lite.hub.transport import Identity, check_status, request, without_secrets
from fasttext_lite.progress import progress_bar

if TYPE_CHECKING:
    from collections.abc import Callable
    from hashlib import _Hash
    from pathlib import Path
    from typing import BinaryIO

    from fasttext_lite.hub.transport import Reply

__all__ = ["Fetched", "Wanted", "fetch"]

_BLOCK = 1 << 20


@dataclass(frozen=True)
class Wanted:
    """A file to download.

    Attributes
    ----------
    url : str
    token : str or None
    name : str
        For messages and the bar.
    size : int or None
        Its size in bytes, if it is known.
    sha256 : str or None
        Its SHA-256 in hexadecimal digits, if it is known.
    """

    url: str
    name: str
    token: str | None = None
    size: int | None = None
    sha256: str | None = None


@dataclass(frozen=True)
class Fetched:
    """What was downloaded: size in bytes, SHA-256, and the ETag or date that the server gave."""

    size: int
    sha256: str
    tag: str | None


class _Partial:
    """The bytes of a file so far, and what the server said of it."""

    def __init__(self, target: Path, wanted: Wanted) -> None:
        self.path = target.with_name(f"{target.name}.incomplete")
        self._note = target.with_name(f"{target.name}.incomplete.json")
        # Not the address itself, whose query may hold a key.
        self._key = hashlib.sha256(wanted.url.encode()).hexdigest()
        self.identity = Identity(None, None)
        self.size = 0
        self.digest: _Hash = hashlib.sha256()

    def resume(self) -> None:
        """Take up what an earlier download has left, if it was of the same address."""
        with suppress(OSError, ValueError, TypeError, KeyError):
            note = json.loads(self._note.read_text(encoding="utf-8"))
            if note["key"] == self._key and note["tag"]:
                self.identity = Identity(note["size"], note["tag"])
                with self.path.open("rb") as file:
                    while block := file.read(_BLOCK):
                        self.digest.update(block)
                        self.size += len(block)
                return
        self.identity = Identity(None, None)

    def begin(self, identity: Identity) -> None:
        """Begin with an empty file."""
        self.identity, self.size, self.digest = identity, 0, hashlib.sha256()
        note = {"key": self._key, **asdict(identity)}
        self._note.write_text(json.dumps(note), encoding="utf-8")
        self.path.write_bytes(b"")

    def append(self, file: BinaryIO, block: bytes) -> None:
        file.write(block)
        self.digest.update(block)
        self.size += len(block)

    def remove(self) -> None:
        for path in (self.path, self._note):
            path.unlink(missing_ok=True)

    def finish(self, target: Path) -> None:
        with self.path.open("rb+") as file:
            os.fsync(file.fileno())
        self.path.replace(target)
        self._note.unlink(missing_ok=True)


def fetch(wanted: Wanted, target: Path, *, progress: bool = True) -> Fetched:
    """Download a file, and replace `target` when it is complete and right.

    The caller holds a lock of the target.

    Raises
    ------
    MissingFileError
        The server has no such file.
    FileError
        The server cannot be reached, refuses, or breaks off again and again; or the disk is full.
        What was downloaded is kept, and the next call continues.
    FormatError
        The file has another SHA-256 or size than it should. Nothing is kept.
    """
    partial = _Partial(target, wanted)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        partial.resume()
        with progress_bar(wanted.name, wanted.size, "B", show=progress) as advance:
            advance(partial.size)
            _complete(wanted, partial, advance)
        found = Fetched(partial.size, partial.digest.hexdigest(), partial.identity.tag)
        _check(wanted, found, partial)
        partial.finish(target)
    except OSError as error:
        if isinstance(error, FileError):
            raise
        raise FileError.from_os(error, error.filename or str(target)) from None
    return found


def _complete(wanted: Wanted, partial: _Partial, advance: Callable[[int], object]) -> None:
    """Ask for what is missing, until nothing is, or nothing more comes."""
    failures, furthest = 0, partial.size
    while True:
        problem = _attempt(wanted, partial, advance)
        if problem is None:
            return
        # A server that begins again and again makes no progress.
        failures = 0 if partial.size > furthest else failures + 1
        furthest = max(furthest, partial.size)
        if failures > len(transport.PAUSES):
            raise FileError(
                f"the download breaks off at byte {partial.size} ({problem}); what came is kept, "
                "so try again later",
                without_secrets(wanted.url),
                errno.ECONNRESET,
            )
        time.sleep(transport.PAUSES[min(failures, len(transport.PAUSES) - 1)])


def _attempt(wanted: Wanted, partial: _Partial, advance: Callable[[int], object]) -> str | None:
    """Make one request and write what comes; return why something is missing, or None."""
    size, tag = partial.identity.size, partial.identity.tag
    if size is not None and partial.size == size > 0:
        return None
    headers = {"If-Range": tag} if partial.size and tag else {}
    with request(wanted.url, begin=partial.size, headers=headers, token=wanted.token) as reply:
        if reply.status == 416 and partial.size:
            partial.begin(Identity(None, None))
            return "the server has no such part"
        check_status(reply, wanted.name)
        if reply.begin != partial.size or reply.status == 200 or not partial.size:
            if reply.begin:
                raise _broken(reply, f"it sent bytes from {reply.begin}, not {partial.size}")
            _announced(wanted, partial, reply)
        elif tag is None or reply.identity != partial.identity:
            partial.begin(Identity(None, None))
            return "the file has changed meanwhile, or the server does not tell"
        return _take(partial, reply, advance)


def _announced(wanted: Wanted, partial: _Partial, reply: Reply) -> None:
    """Check what the server says of the file before the first byte is written."""
    size = reply.identity.size
    if size is None:
        raise _broken(reply, "it does not say how long the file is")
    if wanted.size is not None and size != wanted.size:
        raise FormatError(
            "size", 0, f"the server has {size} bytes, not {wanted.size}", without_secrets(reply.url)
        )
    free = shutil.disk_usage(partial.path.parent).free
    if size > free:
        raise FileError(
            f"{wanted.name} has {size} bytes, but only {free} are free there",
            str(partial.path.parent),
            errno.ENOSPC,
        )
    partial.begin(reply.identity)


def _take(partial: _Partial, reply: Reply, advance: Callable[[int], object]) -> str | None:
    assert partial.identity.size is not None  # noqa: S101
    with partial.path.open("ab") as file:
        while True:
            left = partial.identity.size - partial.size
            try:
                # One byte more shows whether the server sends more than it announced.
                block = reply.read(min(_BLOCK, left + 1))
            except ConnectionError as error:
                return str(error)
            if len(block) > left:
                partial.remove()
                raise _broken(
                    reply, f"it sends more than the {partial.identity.size} bytes that it announced"
                )
            if not block:
                return f"{left} bytes are missing" if left else None
            partial.append(file, block)
            advance(len(block))


def _broken(reply: Reply, reason: str) -> FileError:
    return FileError(
        f"the server does not send the file as it should: {reason}",
        without_secrets(reply.url),
        errno.EIO,
    )


def _check(wanted: Wanted, found: Fetched, partial: _Partial) -> None:
    if wanted.sha256 and found.sha256 != wanted.sha256:
        partial.remove()
        raise FormatError(
            "sha256",
            0,
            f"the file has the SHA-256 {found.sha256}, not {wanted.sha256}: it is another file, or "
            "was changed on its way; nothing was kept",
            without_secrets(wanted.url),
        )
