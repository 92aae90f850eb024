"""Where annotated files come from and go to: paths on this machine, and addresses of fsspec."""

from __future__ import annotations

import contextlib
import errno
import glob
import os
import posixpath
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from fasttext_lite.arguments import path_name
from fasttext_lite.errors import (
    FileError,
    InputValueError,
    MissingExtraError,
    MissingFileError,
)
from fasttext_lite.formats.atomic import AtomicFile
from fasttext_lite.formats.disk import reporting

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from contextlib import AbstractContextManager

    import pyarrow as pa

    from fasttext_lite.arguments import PathType

__all__ = [
    "RECORDS",
    "Folder",
    "Source",
    "Writable",
    "check_targets",
    "find_sources",
    "open_folder",
]

# In the output folder, and left out by programs that read a folder of files.
RECORDS = ".fasttext-lite"


class Writable(Protocol):
    """What `AtomicFile` and the files of fsspec have in common."""

    def write(self, view: bytes | memoryview, /) -> object:
        """Write some bytes."""


class Source(NamedTuple):
    """A file to annotate.

    Attributes
    ----------
    name : str
        The absolute path, or the address.
    relative : str
        The path in the output folder, with ``/`` between its parts.
    files : object or None
        The file system of fsspec; None for a path of this machine.
    """

    name: str
    relative: str
    files: Any = None

    def open(self) -> pa.NativeFile:
        """Open the file to read bytes.

        Raises
        ------
        FileError
            It cannot be opened.
        """
        import pyarrow as pa

        with reporting(self.name):
            if self.files is None:
                return pa.OSFile(self.name, "rb")
            return pa.PythonFile(self.files.open(self.name, "rb"), mode="r")

    def identity(self) -> dict[str, object]:
        """Return what tells this file from another one, or from a later state of it.

        Raises
        ------
        FileError
            The file does not exist, or cannot be asked.
        """
        with reporting(self.name):
            if self.files is None:
                status = Path(self.name).stat()
                return {"size": status.st_size, "modified": status.st_mtime_ns}
            return {
                "size": self.files.size(self.name),
                "modified": self.files.ukey(self.name),
            }


class Folder(Protocol):
    """A folder to write to.

    Attributes
    ----------
    name : str
        Its path, absolute, or its address.
    files : object or None
        As for a `Source`.
    """

    name: str
    files: Any

    def path(self, relative: str) -> str:
        """Return the path or address of a file."""

    def size(self, relative: str) -> int | None:
        """Return the size of a file in bytes; None if it does not exist."""

    def read(self, relative: str) -> bytes | None:
        """Return the content of a file; None if it does not exist."""

    def writing(self, relative: str) -> AbstractContextManager[Writable]:
        """Open a new file, which appears under its name when the ``with`` block has ended well."""


class _LocalFolder:
    files = None

    def __init__(self, name: str) -> None:
        self.name = name

    def path(self, relative: str) -> str:
        return str(Path(self.name, relative))

    def size(self, relative: str) -> int | None:
        with reporting(self.path(relative)):
            try:
                return Path(self.path(relative)).stat().st_size
            except (FileNotFoundError, NotADirectoryError):
                return None

    def read(self, relative: str) -> bytes | None:
        with reporting(self.path(relative)):
            try:
                return Path(self.path(relative)).read_bytes()
            except (FileNotFoundError, NotADirectoryError):
                return None

    @contextlib.contextmanager
    def writing(self, relative: str) -> Iterator[Writable]:
        path = Path(self.path(relative))
        beside = Path(self.path(_unfinished(relative)))
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            beside.mkdir(parents=True, exist_ok=True)
            # What a killed run of this file has left; others may be at work on other files.
            for left in beside.glob(f"{glob.escape(path.name)}.{'[0-9a-f]' * 8}.part"):
                left.unlink(missing_ok=True)
        except OSError as error:
            raise FileError(
                f"cannot be written: {error.strerror or error}",
                str(path),
                error.errno or errno.EIO,
            ) from None
        with AtomicFile(str(path), folder=str(beside)) as file:
            yield file


class _RemoteFolder:
    def __init__(self, name: str, files: Any) -> None:
        self.name = name
        self.files = files

    def path(self, relative: str) -> str:
        return posixpath.join(self.name, relative)

    def size(self, relative: str) -> int | None:
        with reporting(self.path(relative)):
            try:
                return int(self.files.size(self.path(relative)))
            except FileNotFoundError:
                return None

    def read(self, relative: str) -> bytes | None:
        with reporting(self.path(relative)):
            try:
                return bytes(self.files.cat_file(self.path(relative)))
            except FileNotFoundError:
                return None

    @contextlib.contextmanager
    def writing(self, relative: str) -> Iterator[Writable]:
        path = self.path(relative)
        # Always the same name, so that the next run writes over what a killed one has left. A file
        # of fsspec that is closed by an error may appear, cut off, under its name.
        part = self.path(posixpath.join(_unfinished(relative), posixpath.basename(path) + ".part"))
        with reporting(path):
            self.files.makedirs(posixpath.dirname(part), exist_ok=True)
            self.files.makedirs(posixpath.dirname(path), exist_ok=True)
            try:
                with self.files.open(part, "wb") as file:
                    yield file
                if glob.has_magic(part):
                    # mv would take the name for a pattern.
                    self.files.cp_file(part, path)
                    self.files.rm_file(part)
                else:
                    self.files.mv(part, path)
            except BaseException:
                with contextlib.suppress(OSError):
                    self.files.rm_file(part)
                raise


def _unfinished(relative: str) -> str:
    """Return the folder of an unfinished file, which no program takes for one of the output."""
    folder = posixpath.dirname(relative)
    if relative.startswith(f"{RECORDS}/"):
        return folder
    return posixpath.join(RECORDS, "unfinished", folder)


def open_folder(out: PathType) -> Folder:
    """Return the folder at a path or an address, which need not exist.

    Raises
    ------
    FileError
        The path is that of a file.
    MissingExtraError
        It is an address, and fsspec is not installed.
    """
    files, path = _file_system(path_name(out))
    if files is not None:
        return _RemoteFolder(path, files)
    if Path(path).exists() and not Path(path).is_dir():
        raise FileError("this is a file; name a folder to write to", path, errno.ENOTDIR)
    return _LocalFolder(path)


class _Disk:
    """The files of this machine, by those methods of fsspec that list files."""

    def isdir(self, path: str) -> bool:
        return Path(path).is_dir()

    def isfile(self, path: str) -> bool:
        return Path(path).is_file()

    def find(self, path: str) -> list[str]:
        return [str(Path(at, name)) for at, _, names in os.walk(path) for name in names]

    def glob(self, pattern: str) -> list[str]:
        return glob.glob(pattern, recursive=True)  # noqa: PTH207 - the pattern is absolute


def _file_system(name: str) -> tuple[Any, str]:
    """Return the file system of fsspec of an address, and the path in it; None for a path."""
    if "://" not in name:
        # Not resolved: a link keeps its name.
        return None, os.path.abspath(name)  # noqa: PTH100
    try:
        from fsspec.core import url_to_fs
    except ImportError:
        raise MissingExtraError("fsspec", "annotate") from None
    try:
        files, path = url_to_fs(name)
    except (ValueError, ImportError) as error:
        raise InputValueError(f"{name}: {error}") from None
    return files, path


def find_sources(
    inputs: Iterable[PathType], known: Callable[[str], bool], folder: Folder
) -> list[Source]:
    """List the files to annotate, in the order of the inputs, and by name within each.

    Parameters
    ----------
    inputs : iterable of path
        Files, folders, patterns (``*``, ``?``, ``[…]``, and ``**`` for any folders), each as a
        path or as an address of fsspec. A folder stands for all files in it and below that are
        known, apart from those whose name, or whose folder's name, begins with ``.`` or ``_``.
    known : callable
        Whether a file of this name in a folder is one to annotate.
    folder : Folder
        The output folder; files in it are not found in folders or by patterns.

    Raises
    ------
    MissingFileError
        An input leads to no file.
    InputValueError
        There is no input.
    """
    found: dict[str, Source] = {}
    for one in inputs:
        for source in _find(path_name(one), known, folder):
            found.setdefault(source.name, source)
    if not found:
        raise InputValueError("name files, folders or patterns to annotate")
    return list(found.values())


def _find(name: str, known: Callable[[str], bool], folder: Folder) -> list[Source]:
    files, path = _file_system(name)
    listing = _Disk() if files is None else files
    with reporting(name):
        if listing.isdir(path):
            base, names = path, _below(path, listing, known)
            nothing = "the folder holds no file of a known suffix: name its format, or its files"
        elif listing.isfile(path):
            # Also if its name has brackets.
            return [Source(path, posixpath.basename(_slashed(path)), files)]
        elif glob.has_magic(path):
            base, names = path, []
            while glob.has_magic(base):
                base = os.path.dirname(base)  # noqa: PTH120 - also of addresses
            for one in listing.glob(path):
                names += [one] if listing.isfile(one) else _below(one, listing, known)
            nothing = "no file matches this pattern"
        else:
            raise MissingFileError("there is no such file", name, errno.ENOENT)
    base, inside = _slashed(base), f"{_slashed(folder.name)}/"
    if files is folder.files and inside.startswith(f"{base}/") and inside != f"{base}/":
        names = [one for one in names if not _slashed(one).startswith(inside)]
    if not names:
        raise MissingFileError(nothing, name, errno.ENOENT)
    names = sorted(set(names))
    return [Source(one, posixpath.relpath(_slashed(one), base), files) for one in names]


def _below(path: str, listing: Any, known: Callable[[str], bool]) -> list[str]:
    """List the files to annotate in a folder and below it."""
    return [
        one
        for one in listing.find(path)
        if _is_visible(posixpath.relpath(_slashed(one), _slashed(path))) and known(one)
    ]


def _slashed(path: str) -> str:
    return path.replace(os.sep, "/")


def _is_visible(relative: str) -> bool:
    return not any(part.startswith((".", "_")) for part in relative.split("/"))


def check_targets(sources: Iterable[Source], folder: Folder) -> None:
    """Check that each source has a file of its own in the folder, and that none is a source.

    Raises
    ------
    InputValueError, FileError
    """
    targets: dict[str, str] = {}
    for source in sources:
        other = targets.setdefault(source.relative, source.name)
        if other != source.name:
            raise InputValueError(
                f"{other} and {source.name} would both be written to {source.relative}: pass their "
                "common folder, or a pattern in quotes, which keep the folders between"
            )
        target = folder.path(source.relative)
        same = source.files is folder.files and target == source.name
        if source.files is folder.files is None and Path(target).exists():
            same = Path(target).samefile(source.name)
        if same:
            raise FileError("the output would replace this input; name another folder", source.name)
