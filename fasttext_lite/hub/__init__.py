"""Models from the Hugging Face hub, the official site and other servers.

`resolve` returns the path of a file that is downloaded unless it was before. The hub's own client
does it where it is installed, into the same cache; otherwise the standard library does.
"""

from __future__ import annotations

import contextlib
import errno
import gzip
import sys
import zipfile
import zlib
from typing import TYPE_CHECKING, cast

from fasttext_lite.errors import FormatError, MissingFileError
from fasttext_lite.formats import sha256 as file_sha256
from fasttext_lite.formats.atomic import AtomicFile
from fasttext_lite.hub import repositories
from fasttext_lite.hub.addresses import Hub, Web, licence, parse
from fasttext_lite.hub.cache import HubFolder, Record, WebFolder, is_offline
from fasttext_lite.hub.fetching import Wanted, fetch
from fasttext_lite.hub.locks import locked

if TYPE_CHECKING:
    from pathlib import Path
    from typing import IO

__all__ = ["cached", "offline", "resolve", "tell_licence"]

_BLOCK = 1 << 22
# Models of the official site are half as large when they are packed.
_MOST_RATIO = 100


def resolve(address: str, *, progress: bool = True, force: bool = False) -> str:
    """Return the path of the file at an address, and download it unless that was done before.

    Parameters
    ----------
    address : str
        ``hf://ORG/REPO/FILE[@revision]``, ``https://HOST/FILE``, each with ``#sha256=…`` if wanted,
        or a name of the official site: ``cc.de.300``, ``wiki.fr``, ``lid.176``.
    progress : bool
        Show a bar on a terminal, and the licence where it is known.
    force : bool
        Download it again.

    Raises
    ------
    InputValueError
        The address has another form.
    MissingFileError
        There is no such file; near names are given.
    FileError
        The server cannot be reached or refuses, or the disk is full.
    FormatError
        The content is not that which it should be, or was when it was downloaded first.
    """
    place = parse(address)
    if isinstance(place, Hub):
        return str(_from_hub(place, progress=progress, force=force))
    return str(_from_web(place, progress=progress, force=force))


def cached(place: Hub | Web) -> Path | None:
    """Return the path of a file that was downloaded before; None if it was not."""
    if isinstance(place, Hub):
        return HubFolder(place.repository).find(place.revision, place.file)
    path = _unpacked_path(place, WebFolder(place.url, place.file).path)
    return path if path.is_file() else None


def tell_licence(place: Hub | Web, *, progress: bool) -> None:
    """Print the licence of a model, where it is known."""
    name = place.repository if isinstance(place, Hub) else place.name
    known = licence(name)
    if known and progress:
        print(f"{name}: licence {known}", file=sys.stderr)


def _from_web(place: Web, *, progress: bool, force: bool) -> Path:
    folder = WebFolder(place.url, place.file)
    done = _unpacked_path(place, folder.path)
    if not force and done.is_file():
        _check_seen(place, folder, done)
        return done
    if is_offline():
        raise offline(place.name)
    with locked(folder.lock):
        if not force and done.is_file():  # another process has downloaded it meanwhile
            _check_seen(place, folder, done)
            return done
        if force or not folder.path.is_file():
            _fetch(place, folder, progress=progress)
        seen = folder.seen()
        _unpack(folder.path, done)
        if seen:
            folder.remember(seen)
    return done


def _fetch(place: Web, folder: WebFolder, *, progress: bool) -> None:
    """Download a file; it takes its place only when it is what was seen before."""
    tell_licence(place, progress=progress)
    wanted = Wanted(place.url, place.name, sha256=place.sha256)
    found = fetch(wanted, folder.new, progress=progress)
    record = Record(found.sha256, found.size, found.tag)
    try:
        folder.check(record)
    except FormatError:
        folder.new.unlink()
        raise
    folder.new.replace(folder.path)
    folder.remember(record)


def _check_seen(place: Web, folder: WebFolder, path: Path) -> None:
    """Check the SHA-256 of an address against that of the file that was downloaded."""
    if not place.sha256:
        return
    seen = folder.seen()
    found = seen.sha256 if seen else ""
    if not found and path == folder.path:
        found = file_sha256(str(path))
        folder.remember(Record(found, path.stat().st_size))
    if found != place.sha256:
        raise FormatError(
            "sha256",
            0,
            f"{place.name} was downloaded with the SHA-256 {found or 'of an archive'}, not "
            f"{place.sha256}: download it again with force=True",
            str(path),
        )


def offline(name: str) -> MissingFileError:
    """Return the error of a request that the environment forbids."""
    return MissingFileError(
        "it was not downloaded before, and HF_HUB_OFFLINE forbids requests", name, errno.ENOENT
    )


def _unpacked_path(place: Web, path: Path) -> Path:
    """Return the name of a model of the official site when it is unpacked, to be mapped.

    Archives of other servers stay as they are: `load` reads them with bounds on their content.
    """
    if place.name == place.url or place.name.startswith("http"):
        return path
    if path.name.endswith(".bin.gz"):
        return path.with_suffix("")
    return path.with_suffix(".bin") if path.suffix == ".zip" else path


def _unpack(packed: Path, target: Path) -> None:
    if packed == target:
        return
    most = _MOST_RATIO * packed.stat().st_size
    try:
        with contextlib.ExitStack() as stack:
            if packed.suffix == ".gz":
                source = cast("IO[bytes]", stack.enter_context(gzip.open(packed)))
            else:
                archive = stack.enter_context(zipfile.ZipFile(packed))
                source = stack.enter_context(archive.open(target.name))
            out = stack.enter_context(AtomicFile(str(target)))
            while block := source.read(_BLOCK):
                if out.written > most:
                    raise EOFError("it has more content than a model can have")
                out.write(block)
    except (
        *(EOFError, KeyError, NotImplementedError, RuntimeError, zlib.error),
        *(zipfile.BadZipFile, gzip.BadGzipFile),
    ) as error:
        packed.unlink()
        raise FormatError(
            "archive", 0, f"the downloaded archive is damaged: {error}", str(packed)
        ) from None
    packed.unlink()


def _from_hub(place: Hub, *, progress: bool, force: bool) -> Path:
    folder = HubFolder(place.repository)
    found = None if force else folder.find(place.revision, place.file)
    fresh = found is None
    if found is None:
        if is_offline():
            raise offline(place.name)
        tell_licence(place, progress=progress)
        found = repositories.download(place, folder, progress=progress, force=force)
    if place.sha256:
        _check_content(found, place.sha256, fresh=fresh)
    return found


def _check_content(path: Path, sha256: str, *, fresh: bool) -> None:
    """Check the SHA-256 of a file in the hub's cache."""
    found = file_sha256(str(path))
    if found != sha256:
        if fresh:
            repositories.remove(path)
        raise FormatError("sha256", 0, f"the file has the SHA-256 {found}, not {sha256}", str(path))
