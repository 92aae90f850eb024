"""Models from the Hugging Face hub, the official site and other servers.

`resolve` returns the path of a file that is downloaded unless it was before. The hub's own client
does it where it is installed, into the same cache; otherwise the standard library does.
"""

from __future__ import annotations

import contextlib
import errno
import gzip
import re
import sys
import zipfile
import zlib
from typing import TYPE_CHECKING, cast

from fasttext_lite.errors import FormatError, MissingFileError
from fasttext_lite.formats.atomic import AtomicFile
from fasttext_lite.hub import repositories
from fasttext_lite.hub.addresses import Hub, Web, licence, parse
from fasttext_lite.hub.cache import HubFolder, Record, WebFolder, is_offline
from fasttext_lite.hub.fetching import Wanted, fetch
from fasttext_lite.hub.locks import locked

if TYPE_CHECKING:
    from pathlib import Path
    from typing import IO

__all__ = ["cached", "resolve", "tell_licence"]

_BLOCK = 1 << 22


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
    path = _unpacked_path(WebFolder(place.url, place.file).path)
    return path if path.is_file() else None


def tell_licence(place: Hub | Web, *, progress: bool) -> None:
    """Print the licence of a model, where it is known."""
    name = place.repository if isinstance(place, Hub) else place.name
    known = licence(name)
    if known and progress:
        print(f"{name}: licence {known}", file=sys.stderr)


def _from_web(place: Web, *, progress: bool, force: bool) -> Path:
    folder = WebFolder(place.url, place.file)
    done = _unpacked_path(folder.path)
    if not force and done.is_file():
        _check_seen(place, folder)
        return done
    if is_offline():
        raise _offline(place.name)
    with locked(folder.lock):
        if not force and done.is_file():  # another process has downloaded it meanwhile
            _check_seen(place, folder)
            return done
        tell_licence(place, progress=progress)
        wanted = Wanted(place.url, place.name, sha256=place.sha256)
        # The checked content takes its place only when it is what was seen before.
        new = folder.folder / "new"
        found = fetch(wanted, new, progress=progress)
        try:
            folder.check(found.sha256)
        except FormatError:
            new.unlink()
            raise
        new.replace(folder.path)
        folder.remember(Record(found.sha256, found.size, found.tag))
        _unpack(folder.path, done)
    return done


def _check_seen(place: Web, folder: WebFolder) -> None:
    seen = folder.seen()
    if place.sha256 and seen and seen.sha256 != place.sha256:
        raise FormatError(
            "sha256",
            0,
            f"{place.name} was downloaded with the SHA-256 {seen.sha256}, not {place.sha256}",
            str(folder.path),
        )


def _offline(name: str) -> MissingFileError:
    return MissingFileError(
        "it was not downloaded before, and HF_HUB_OFFLINE forbids requests", name, errno.ENOENT
    )


def _unpacked_path(path: Path) -> Path:
    """Return the name of a packed model when it is unpacked, so that it can be mapped."""
    if path.name.endswith((".bin.gz", ".ftz.gz")):
        return path.with_suffix("")
    if re.fullmatch(r"wiki\.[\w-]+\.zip", path.name):
        return path.with_suffix(".bin")
    return path


def _unpack(packed: Path, target: Path) -> None:
    if packed == target:
        return
    try:
        with contextlib.ExitStack() as stack:
            if packed.suffix == ".gz":
                source = cast("IO[bytes]", stack.enter_context(gzip.open(packed)))
            else:
                archive = stack.enter_context(zipfile.ZipFile(packed))
                source = stack.enter_context(archive.open(target.name))
            out = stack.enter_context(AtomicFile(str(target)))
            while block := source.read(_BLOCK):
                out.write(block)
    except (EOFError, zlib.error, zipfile.BadZipFile, gzip.BadGzipFile, KeyError) as error:
        packed.unlink()
        raise FormatError(
            "archive", 0, f"the downloaded archive is damaged: {error}", str(packed)
        ) from None
    packed.unlink()


def _from_hub(place: Hub, *, progress: bool, force: bool) -> Path:
    folder = HubFolder(place.repository)
    found = None if force else folder.find(place.revision, place.file)
    if found is None:
        if is_offline():
            raise _offline(place.name)
        tell_licence(place, progress=progress)
        found = repositories.download(place, folder, progress=progress, force=force)
    if place.sha256:
        _check_once(found, place.sha256)
    return found


def _check_once(path: Path, sha256: str) -> None:
    """Check the SHA-256 of a file of the hub's cache, whose large files are named by it."""
    found = path.resolve().name
    if not re.fullmatch(r"[0-9a-f]{64}", found):
        from fasttext_lite.formats import sha256 as digest

        found = digest(str(path))
    if found != sha256:
        raise FormatError("sha256", 0, f"the file has the SHA-256 {found}, not {sha256}", str(path))
