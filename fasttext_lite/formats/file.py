"""The file of a model: opens it, maps or reads it, and detects later changes."""

from __future__ import annotations

import errno
import io
import mmap
import os
import re
from typing import TYPE_CHECKING

import numpy as np

from fasttext_lite.arguments import absolute_path, is_path
from fasttext_lite.errors import FileError, FormatError, InputTypeError, InputValueError
from fasttext_lite.formats.disk import in_archive, in_folder, no_memory, open_regular, reporting
from fasttext_lite.progress import progress_bar

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType
    from typing import Any, BinaryIO

    from typing_extensions import Self

    from fasttext_lite.arguments import PathType
    from fasttext_lite.formats.stream import Readable, StreamBuffer

__all__ = ["ModelFile"]

# Bytes per read; signals are handled between two reads.
_BLOCK = 1 << 24
# Bytes at the beginning, in the middle and at the end of a file that its fingerprint covers.
_SAMPLE = 1 << 12
# Content may be larger than the file by the largest ratio of deflate and, for small files, by this.
_MOST_RATIO = 1032
_MOST_CONTENT = 1 << 25


class ModelFile:
    """The file that a model is read from.

    It is open in its ``with`` block: `begin`, `map_or_read` and `buffer` are valid only there.
    Afterwards the object reports whether the file has changed, and how another process can open it.

    The content is the file itself until `use_stream` or `use_data` replaces it: by what is
    compressed in it, or by a member of an archive.

    Parameters
    ----------
    source : str, bytes, os.PathLike or file object
        A path, also ``archive!/member``. A file object must be binary; the model begins at its
        position and ends at its end. It needs no method but ``read``.
    reopen : callable
        ``reopen(path, map_file, fingerprint)`` returns the parts of the model; see `recipe`.

    Attributes
    ----------
    name : str
        The absolute path, or the type of a file object without a path, as in ``<BytesIO>``.
    path : str or None
        The absolute path of the file, or of the archive that holds it, if known.
    member : str
        Name of the member of an archive that was asked for; empty for none.
    packing : str
        How the content is packed in the file, such as ``"gzip"`` or ``"gzip in zip"``; empty if it
        is not.
    data : memoryview or None
        All bytes of the content, read-only, after `map_or_read`.
    map : mmap or None
        The map behind `data`.

    Raises
    ------
    InputTypeError
        `source` is neither a path nor a binary file object.
    MissingFileError, FileError
        The path does not lead to a regular file that can be read, or reading fails.
    """

    def __init__(self, source: PathType | BinaryIO, reopen: Callable[..., Any]) -> None:
        self._reopen = reopen
        self._owned = is_path(source)
        self._disk: BinaryIO | None = None
        # The file, if it is not on a disk, and the content, if that is read in order.
        self._outer: StreamBuffer | None = None
        self._stream: StreamBuffer | None = None
        self.path: str | None = None
        self.member = self.packing = ""
        self.data: memoryview | None = None
        self.map: mmap.mmap | None = None
        self._fingerprint: tuple[int, int] | None = None
        self._status: os.stat_result | None = None
        if is_path(source):
            self.name = in_folder(absolute_path(source))
            self.path, self.member = in_archive(self.name)
            self._disk = open_regular(self.path, source)
        else:
            self.name = f"<{type(source).__name__}>"
            self._use_object(source)
        if self._disk is not None:
            with reporting(self.name):
                self._measure(self._disk)

    def _use_object(self, source: BinaryIO) -> None:
        if getattr(source, "closed", False) is True:
            raise FileError("this file object is closed", self.name)
        if isinstance(source, io.TextIOBase):
            raise InputTypeError(
                f"{self.name} returns text, not bytes: open the file with mode 'rb'"
            )
        with reporting(self.name):
            # `fileno` would not do: a decompressing stream has that of the compressed file.
            raw = getattr(source, "raw", source)
            if isinstance(raw, io.FileIO) and raw.seekable() and raw.readable():
                self._disk = source
                return
        from fasttext_lite.formats.stream import StreamBuffer

        self._outer = self._stream = StreamBuffer(source, self.name)

    def _measure(self, disk: BinaryIO) -> None:
        """Determine the size of a file on disk and, if it is used as a whole, its path."""
        raw = getattr(disk, "raw", disk)
        self._start = disk.tell()
        status = os.fstat(raw.fileno())
        self._size = max(status.st_size - self._start, 0)
        if self._start == 0:
            self._status = status
            if self.path is None and not isinstance(raw.name, int):
                self.path = self.name = absolute_path(raw.name)

    @property
    def size(self) -> int:
        """Number of bytes of the file, from the position of a file object on.

        Of a file object that is not on a disk: of those that were read.
        """
        return self._size if self._outer is None else self._outer.total

    @property
    def content_size(self) -> int | None:
        """Number of bytes of the content; None if that is known only at its end."""
        if self.data is not None:
            return len(self.data)
        return None if self._stream is not None else self.size

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # Other files have their bytes at hand later.
        at_hand = self.data is not None and not self.packing
        if kind is None and self._status is not None and not at_hand:
            self._fingerprint = self._fingerprint or self._sample(self._read)
        if self._owned and self._disk is not None:
            self._disk.close()
        self._disk = self._stream = None

    def begin(self, size: int) -> bytes:
        """Return the first `size` bytes of the content, or all bytes of a shorter one."""
        if self.data is not None:
            return bytes(self.data[:size])
        if self._stream is not None:
            self._stream.fill(size)
            return self._stream.peek(size)
        return self._read(0, min(size, self.size))

    def _read(self, start: int, stop: int) -> bytes:
        """Read a range of bytes of a file on disk, and seek back to the beginning."""
        assert self._disk is not None  # noqa: S101
        block = b""
        with reporting(self.name):
            self._disk.seek(self._start + start)
            while start + len(block) < stop:
                more = self._disk.read(stop - start - len(block))
                if not more:
                    break
                block += more
            self._disk.seek(self._start)
        return block

    def buffer(self) -> StreamBuffer:
        """Return the content as a stream that has not been read."""
        from fasttext_lite.formats.stream import StreamBuffer

        if self._stream is not None:
            return self._stream
        if self.data is not None:
            return StreamBuffer(_Reader(self.data), self.name)
        assert self._disk is not None  # noqa: S101
        return StreamBuffer(self._disk, self.name)

    def seekable(self) -> BinaryIO:
        """Return the content as a file object that can seek, read into memory if need be."""
        if self._disk is not None and self._stream is None and self.data is None:
            return self._disk
        return io.BytesIO(self.map_or_read(map_file=False))

    def use_stream(self, source: Readable, packing: str) -> None:
        """Let the content be that of a stream which unpacks the content so far."""
        from fasttext_lite.formats.stream import StreamBuffer

        def most() -> int:
            return _MOST_RATIO * self.size + _MOST_CONTENT

        self.data = self.map = None
        self._packed(packing)
        self._stream = StreamBuffer(source, self.name, packing, most)

    def use_data(self, data: memoryview, packing: str) -> None:
        """Let the content be a part of the content so far, which is mapped or in memory."""
        self._packed(packing)
        self.data = data

    def _packed(self, packing: str) -> None:
        self.packing = packing + (f" in {self.packing}" if self.packing else "")

    def steps(self, advance: Callable[[int], object]) -> Callable[[], None]:
        """Return a function that advances a bar by the bytes of the file read since its last call.

        The bar has `size` units, or no end where that is not known.
        """

        def position() -> int:
            if self._outer is not None:
                return self._outer.total
            return self._disk.tell() if self._disk is not None else 0

        # What was read to recognise the file counts, too.
        at = self._start if self._outer is None else 0

        def step() -> None:
            nonlocal at
            before, at = at, position()
            # The directory of an archive is at its end.
            advance(max(at - before, 0))

        return step

    @property
    def bar_size(self) -> int | None:
        """Number of units of a bar; None for a stream without a known end."""
        return self._size if self._outer is None else None

    def expect_sha256(self, digest: str, *, progress: bool = False) -> None:
        """Check the SHA-256 of the file before its content is used.

        Raises
        ------
        InputTypeError, InputValueError
            `digest` is not 64 hexadecimal digits.
        FormatError
            The file has another digest.
        """
        if not isinstance(digest, str):
            raise InputTypeError(f"sha256 must be str, not {type(digest).__name__}")
        if not re.fullmatch("[0-9a-fA-F]{64}", digest.strip()):
            raise InputValueError(
                f"sha256 must be 64 hexadecimal digits, not {len(digest)} characters: "
                f"{digest[:80]!r}"
            )
        found = self.sha256(progress=progress)
        if found != digest.strip().lower():
            raise FormatError(
                "sha256",
                0,
                f"the SHA-256 of this file is {found}, but should be {digest.strip().lower()}: it "
                "is damaged or another file; download it again",
                self.name,
            )

    def sha256(self, *, progress: bool = False) -> str:
        """Return the SHA-256 of the file, in hexadecimal digits.

        A file on disk is read in blocks; a stream is read into memory.
        """
        from hashlib import sha256

        found = sha256()
        if self._disk is None:
            found.update(self.map_or_read(map_file=False, progress=progress))
            return found.hexdigest()
        block = memoryview(bytearray(min(self.size + 1, 1 << 20)))
        with (
            reporting(self.name),
            progress_bar("checking", self.bar_size, "B", show=progress) as advance,
        ):
            while count := self._disk.readinto(block):  # type: ignore[attr-defined]
                found.update(block[:count])
                advance(count)
            self._disk.seek(self._start)
        return found.hexdigest()

    def map_or_read(self, *, map_file: bool, progress: bool = False) -> memoryview:
        """Return all bytes, read-only.

        Parameters
        ----------
        map_file : bool
            Map the file: its pages are read on access and shared with other processes. If False,
            or if the file cannot be mapped, it is read into memory.
        progress : bool
            Show a progress bar if reading takes over a second and stderr is a terminal.

        Raises
        ------
        FileError
            Reading or mapping fails.
        FormatError
            The file is empty.
        """
        if self.data is not None:
            return self.data
        if not (self.size if self._stream is None else self.begin(1)):
            raise FormatError("magic", 0, "the file is empty", self.name)
        if self._stream is not None:
            self.data = self._rest(self._stream, progress=progress)
            self._stream = None
        elif map_file and self._status is not None:
            self.map = self._mapped()
            self.data = memoryview(self.map)
        else:
            self.data = self._whole(progress=progress)
        return self.data

    def _mapped(self) -> mmap.mmap:
        assert self._disk is not None  # noqa: S101
        with reporting(self.name):
            try:
                return mmap.mmap(self._disk.fileno(), self.size, access=mmap.ACCESS_READ)
            except ValueError as error:
                # The file has shrunk since its size was read.
                raise FileError(f"the file cannot be mapped: {error}", self.name) from None
            except OSError as error:
                if error.errno == errno.ENOMEM:
                    raise no_memory(self.name, self.size) from None
                raise

    def _rest(self, stream: StreamBuffer, *, progress: bool) -> memoryview:
        with progress_bar("reading", self.bar_size, "B", show=progress) as advance:
            return stream.rest(self.steps(advance))

    def _whole(self, *, progress: bool) -> memoryview:
        # Unlike a bytearray, this is not filled with zeros first.
        data = np.empty(self.size, np.uint8).data
        at = 0
        with progress_bar("reading", self.size, "B", show=progress) as advance:
            while at < self.size:
                with reporting(self.name):
                    count = self._disk.readinto(data[at : at + _BLOCK])  # type: ignore[union-attr]
                if not count:
                    raise FileError(f"the file shrank to {at} bytes while it was read", self.name)
                at += count
                advance(count)
        return data.toreadonly()

    def fingerprint(self) -> tuple[int, int]:
        """Return the size and a CRC-32 of 4 KB each at the beginning, the middle and the end.

        They distinguish the files of two models without reading whole files.

        Raises
        ------
        FileError
            The mapped file has changed, or reading fails.
        """
        self.check()
        if self._fingerprint is None:
            data = self.data
            if self.packing or data is None:
                self._fingerprint = self._sample(self._read)
            else:
                self._fingerprint = self._sample(lambda start, stop: data[start:stop])
        return self._fingerprint

    def _sample(self, read: Callable[[int, int], bytes | memoryview]) -> tuple[int, int]:
        from zlib import crc32  # costs import time that few programs need

        checksum = 0
        for start in (0, (self.size - _SAMPLE) // 2, self.size - _SAMPLE):
            start = max(start, 0)
            checksum = crc32(read(start, min(start + _SAMPLE, self.size)), checksum)
        return self.size, checksum

    def check(self) -> None:
        """Check that a mapped file has not changed since it was opened.

        Raises
        ------
        FileError
            The size of the file changed, so reading lost pages would end the process; or the file
            was written to.
        """
        if self.map is None or self._status is None:
            return
        before, size = self._status.st_size, self.map.size()
        if size != before:
            raise FileError(
                f"the file had {before} bytes when it was opened and has {size} now: another "
                "program is writing to it; load it again when that program has finished",
                self.name,
            )
        now = self._status_now()
        if now is not None and now.st_mtime_ns != self._status.st_mtime_ns:
            raise FileError(
                "the file was written to since it was opened (its modification time changed): "
                "load it again when no program writes to it",
                self.name,
            )

    def is_current(self) -> bool:
        """Return whether the path still leads to this file, unchanged."""
        now, then = self._status_now(), self._status
        if now is None or then is None:
            return False
        return (now.st_size, now.st_mtime_ns) == (then.st_size, then.st_mtime_ns)

    def _status_now(self) -> os.stat_result | None:
        """Return the current status of the file; None if the path leads elsewhere."""
        if self.path is None or self._status is None:
            return None
        try:
            now = os.stat(self.path)  # noqa: PTH116 - pathlib costs import time
        except OSError:
            return None
        return now if os.path.samestat(now, self._status) else None

    def recipe(self) -> tuple[Callable[..., Any], tuple[str, bool, tuple[int, int]]]:
        """Return a function and its arguments that read the model again, for pickles.

        Raises
        ------
        FileError
            The file has no path, or the mapped file has changed.
        """
        if self.path is None:
            raise FileError(
                "a model from a file object without a path cannot be pickled: write it to a file "
                "and load that",
                self.name,
            )
        return self._reopen, (self.name, self.map is not None, self.fingerprint())

    def expect(self, fingerprint: tuple[int, int]) -> None:
        """Check that this is the file that another process opened, by its fingerprint there.

        Raises
        ------
        FileError
            This is another file.
        """
        if self.fingerprint() != fingerprint:
            raise FileError(
                "this is not the file that the pickled model was loaded from, which had "
                f"{fingerprint[0]} bytes (this one has {self.size}) or other content: load and "
                "pickle the model again",
                self.name,
            )


class _Reader:
    """Reads from memory."""

    def __init__(self, data: memoryview) -> None:
        self._data = data

    def read(self, size: int) -> memoryview:
        block, self._data = self._data[:size], self._data[size:]
        return block
