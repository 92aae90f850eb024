"""Members of zip and tar archives.

Sources: the zip archive is read by the standard library. The tar header is that of POSIX.1-1988
(ustar) and of the formats before it; long names and sizes are read from the extensions of GNU
(type L, base 256) and POSIX.1-2001 (type x).
"""

from __future__ import annotations

import errno
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fasttext_lite.errors import FastTextLiteError, FileError, FormatError, MissingFileError
from fasttext_lite.formats import foreign
from fasttext_lite.formats.stream import StreamBuffer

if TYPE_CHECKING:
    import zipfile
    from collections.abc import Callable
    from typing import BinaryIO

    from fasttext_lite.formats.stream import Readable

__all__ = ["Member", "choose", "is_tar", "is_zip", "tar_members", "zip_members"]

_HEADER = 512
# An entry takes some hundred bytes in memory. The directory of a zip archive is read at once.
_MOST_MEMBERS = 10_000
_LARGEST_DIRECTORY = 1 << 22
_LONGEST_NAME = 1 << 14
# Begin of a member by which a model is recognised, and the number of members that are looked into.
_BEGIN = 1 << 16
_LOOKED_INTO = 100
# Stored, deflate, bzip2 and zstd. The memory for LZMA is what the archive says.
_METHODS = (0, 8, 12, 93)
_NAMES_SHOWN = 5


@dataclass(frozen=True)
class Member:
    """A file in an archive.

    Attributes
    ----------
    name : str
    open : callable
        Returns an object with ``read``.
    data : memoryview or None
        The content, if it is in memory or mapped.
    """

    name: str
    open: Callable[[], Readable]
    data: memoryview | None = None


def is_zip(begin: bytes) -> bool:
    """Return whether a file that begins like this is a zip archive."""
    return begin.startswith((b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08PK"))


def is_tar(begin: bytes) -> bool:
    """Return whether a file that begins like this is a tar archive, by the sum in its header."""
    header = begin[:_HEADER]
    if len(header) < _HEADER or not header[0]:
        return False
    said = _octal(header[148:156])
    return said is not None and said == sum(header) - sum(header[148:156]) + 8 * ord(" ")


def choose(
    members: list[Member], wanted: str, kind: str, name: str, is_model: Callable[[bytes], bool]
) -> Member:
    """Return a member by its name or, without one, the only model of an archive.

    Parameters
    ----------
    members : list of Member
    wanted : str
        The name, or empty.
    kind : {"zip", "tar"}
    name : str
        Name of the archive, for errors.
    is_model : callable
        Returns whether a file that begins with these bytes is a model.

    Raises
    ------
    MissingFileError
        There is no member of this name.
    FormatError
        The archive holds no file, or more than one model.
    """
    if wanted:
        for member in members:
            if member.name == wanted:
                return member
        raise MissingFileError(
            f"the {kind} archive has no file {_shown(wanted)}; it has {_list(members)}", name
        )
    reason = foreign.archive([member.name for member in members])
    if reason:
        raise FormatError(f"{kind} archive", 0, reason, name)
    seen = [member for member in members if not _is_hidden(member.name)]
    if len(seen) == 1:
        return seen[0]
    models = [member for member in seen[:_LOOKED_INTO] if is_model(_begin(member, name))]
    if len(models) == 1:
        return models[0]
    if not seen:
        raise FormatError(f"{kind} archive", 0, f"this {kind} archive holds no file", name)
    found = models or seen
    first = found[0].name
    how = f'name one of them behind "!/": {_shown(f"{name}!/{first}")}'
    if name.startswith("<"):
        opened = f"zipfile.ZipFile(file).open({_shown(first)})"
        if kind == "tar":
            opened = f"tarfile.open(fileobj=file).extractfile({_shown(first)})"
        how = f"open one of them: fasttext_lite.load({opened})"
    what = f"{len(models)} models" if models else f"{len(seen)} files, of which none is a model"
    raise FormatError(
        f"{kind} archive", 0, f"this {kind} archive holds {what} ({_list(found)}): {how}", name
    )


def _begin(member: Member, name: str) -> bytes:
    if member.data is not None:
        return bytes(member.data[:_BEGIN])
    stream = StreamBuffer(member.open(), f"{name}!/{member.name}")
    stream.fill(_BEGIN)
    return stream.peek(_BEGIN)


def _is_hidden(name: str) -> bool:
    """Return whether a program added this file for itself: ``.DS_Store``, ``__MACOSX/…``."""
    return any(part.startswith((".", "__MACOSX")) for part in name.split("/"))


def _shown(name: str) -> str:
    return repr(name if len(name) < 200 else name[:200] + "…")


def _list(members: list[Member]) -> str:
    names = ", ".join(_shown(member.name) for member in members[:_NAMES_SHOWN])
    more = len(members) - _NAMES_SHOWN
    return (names or "none") + (f" and {more} more" if more > 0 else "")


class _Careful:
    """A file for `zipfile` that refuses to read a directory of any size at once."""

    def __init__(self, file: BinaryIO, name: str) -> None:
        self._file = file
        self._name = name
        self.seek, self.tell = file.seek, file.tell

    def seekable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        if size > _LARGEST_DIRECTORY:
            raise FormatError(
                "zip archive", 0, "the directory of this zip archive is too large", self._name
            )
        # Without a size the end of the file is asked for, which is short.
        return self._file.read(size if size >= 0 else _LARGEST_DIRECTORY)


def zip_members(file: BinaryIO, name: str) -> list[Member]:
    """List the files of a zip archive that are not empty.

    Raises
    ------
    FormatError
        The archive is damaged.
    FileError
        Reading fails.
    """
    import zipfile

    def refused(error: Exception) -> FastTextLiteError:
        # EINVAL: the directory leads to a place before the file.
        if isinstance(error, OSError) and error.errno not in (None, errno.EINVAL):
            return FileError.from_os(error, name)
        return FormatError(
            "zip archive",
            0,
            f"the zip archive is truncated or damaged ({error}); download or copy it again",
            name,
        )

    def opener(info: zipfile.ZipInfo) -> Callable[[], Readable]:
        def opened() -> Readable:
            if info.flag_bits & 1:
                why = "is encrypted"
            elif info.compress_type not in _METHODS:
                why = f"is compressed by a method that is not read ({info.compress_type})"
            else:
                try:
                    return archive.open(info)
                except (FastTextLiteError, MemoryError):
                    raise
                # A damaged directory leads to exceptions of many types.
                except Exception as error:
                    raise refused(error) from None
            raise FormatError(
                "zip archive", 0, f"{_shown(info.filename)} {why}: unpack it first", name
            )

        return opened

    try:
        archive = zipfile.ZipFile(_Careful(file, name))
        infos = archive.infolist()
    except (FastTextLiteError, MemoryError):
        raise
    except Exception as error:
        raise refused(error) from None
    return [
        Member(info.filename, opener(info))
        for info in infos
        if info.file_size and not info.filename.endswith("/")
    ]


def tar_members(data: memoryview, name: str) -> list[Member]:
    """List the files of a tar archive that are not empty.

    Raises
    ------
    FormatError
        The archive is truncated or damaged.
    """
    members: list[Member] = []
    # Name and size from a header before that of the file.
    long_name, long_size = "", -1
    at = count = 0
    while at + _HEADER <= len(data):
        header = bytes(data[at : at + _HEADER])
        if not any(header):
            break
        count += 1
        size = _tar_number(header[124:136])
        kind = header[156:157]
        if kind in b"\x0007" and long_size >= 0:
            size = long_size
        start = at + _HEADER
        if not is_tar(header) or size < 0 or count > _MOST_MEMBERS:
            why = f"over {_MOST_MEMBERS} entries" if count > _MOST_MEMBERS else "a damaged header"
            raise FormatError(
                "tar header", at, f"the tar archive has {why}: unpack the model first", name
            )
        if size > len(data) - start:
            raise FormatError(
                "tar header",
                at,
                f"the tar archive is truncated: a file takes {size} bytes, but "
                f"{len(data) - start} are left; download or copy it again",
                name,
            )
        content = data[start : start + size]
        at = start - (-size // _HEADER) * _HEADER
        if kind == b"L":
            long_name = _text(bytes(content[:_LONGEST_NAME]))
        elif kind == b"x":
            long_name, long_size = _extended(bytes(content[:_LONGEST_NAME]))
        elif kind in b"\x0007":
            prefix = _text(header[345:500]) if header[257:263] == b"ustar\0" else ""
            short = (prefix + "/" if prefix else "") + _text(header[:100])
            path = (long_name or short).removeprefix("./")
            if size and not path.endswith("/"):
                members.append(Member(path, _no_stream, content))
            long_name, long_size = "", -1
        elif kind not in b"gK":
            long_name, long_size = "", -1
    return members


def _no_stream() -> Readable:
    raise AssertionError("the content of this member is in memory")


def _text(field: bytes) -> str:
    return field.partition(b"\0")[0].decode("utf-8", "surrogateescape")


def _octal(field: bytes) -> int | None:
    digits = field.strip(b" \0")
    return int(digits, 8) if re.fullmatch(rb"[0-7]+", digits) else None


def _tar_number(field: bytes) -> int:
    """Read a size: octal, or base 256 behind a bit. -1 if it is neither."""
    if field[0] == 0x80:
        return int.from_bytes(field[1:], "big")
    number = _octal(field)
    return -1 if number is None else number


_RECORD = re.compile(rb"\d+ (path|size)=([^\n]*)\n")


def _extended(records: bytes) -> tuple[str, int]:
    """Return the name and the size in an extended header: empty and -1 where there is none."""
    found = dict(_RECORD.findall(records))
    size = found.get(b"size", b"")
    number = int(size) if re.fullmatch(rb"\d{1,18}", size) else -1
    return found.get(b"path", b"").decode("utf-8", "surrogateescape"), number
