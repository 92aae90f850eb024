"""Files of repositories on the Hugging Face hub, in the cache that all its clients share.

The hub's own client downloads them where it is installed; otherwise the standard library does, into
the same layout. The requests and headers are those of ``huggingface_hub``.
"""

from __future__ import annotations

import contextlib
import errno
import json
import re
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

from fasttext_lite.errors import FileError, FormatError, MissingFileError
from fasttext_lite.formats import sha256 as file_sha256
from fasttext_lite.hub.addresses import Hub, endpoint
from fasttext_lite.hub.cache import HubFolder, token
from fasttext_lite.hub.fetching import Wanted, fetch
from fasttext_lite.hub.locks import locked
from fasttext_lite.hub.transport import check_status, request, without_secrets

if TYPE_CHECKING:
    from fasttext_lite.hub.transport import Reply

__all__ = ["Described", "describe", "download", "remove"]

_SHA256 = re.compile(r"[0-9a-f]{64}")
_TAG = re.compile(r"[\w.-]{1,128}")
_COMMIT = re.compile(r"[0-9a-f]{40}")
_LONGEST_LIST = 1 << 22


@dataclass(frozen=True)
class Described:
    """What the hub says of a file: its commit, its ETag, and how to download it."""

    commit: str
    tag: str
    wanted: Wanted


def describe(place: Hub) -> Described:
    """Ask the hub for a file.

    Raises
    ------
    MissingFileError
        There is no such repository, revision or file; near names are given.
    FileError
        The repository is gated, or the hub cannot be reached.
    """
    key = token()
    with request(place.url, method="HEAD", token=key, stop_at="X-Repo-Commit") as reply:
        # The content may be on another server, whose answer says nothing of the repository.
        _check(place, reply)
        tag = (reply.headers.get("X-Linked-ETag") or reply.headers.get("ETag") or "").strip('W/"')
        size = reply.headers.get("X-Linked-Size") or reply.headers.get("Content-Length") or ""
        commit = reply.headers.get("X-Repo-Commit") or ""
    if not _TAG.fullmatch(tag) or not _COMMIT.fullmatch(commit):
        raise FileError("the server does not answer as a hub does", without_secrets(place.url))
    # By the commit, so that a part that is read later is of the same file.
    url = replace(place, revision=commit).url
    length = int(size) if size.isdecimal() else None
    # The ETag of a large file is its SHA-256.
    sha256 = tag if _SHA256.fullmatch(tag) else None
    return Described(commit, tag, Wanted(url, place.name, key, length, sha256))


def download(place: Hub, folder: HubFolder, *, progress: bool, force: bool) -> Path:
    """Download a file, and return its path in the cache.

    Raises
    ------
    MissingFileError, FileError, FormatError
        As `fasttext_lite.hub.resolve`.
    """
    try:
        return _by_client(place, force=force)
    except ModuleNotFoundError:
        pass
    found = describe(place)
    if place.sha256 and found.wanted.sha256 not in (None, place.sha256):
        raise FormatError(
            "sha256", 0, f"the hub has the SHA-256 {found.wanted.sha256}, not {place.sha256}",
            place.name,
        )  # fmt: skip
    blob = folder.blob(found.tag)
    with locked(folder.lock(found.tag)):
        if force or not (blob.is_file() or folder.find(found.commit, place.file)):
            fetch(found.wanted, blob, progress=progress)
        return folder.add(place.revision, found.commit, place.file, blob)


def _by_client(place: Hub, *, force: bool) -> Path:
    """Download by the hub's own client, and convert its errors."""
    import huggingface_hub
    from huggingface_hub import errors

    try:
        path = Path(
            huggingface_hub.hf_hub_download(
                place.repository, place.file, revision=place.revision, force_download=force
            )
        )
    except errors.LocalEntryNotFoundError as error:
        raise _failed(place, error) from None
    except errors.EntryNotFoundError:
        raise _no_file(place) from None
    except errors.GatedRepoError:
        raise _forbidden(place) from None
    except (errors.RepositoryNotFoundError, errors.RevisionNotFoundError) as error:
        raise _no_repository(place, str(error).splitlines()[0]) from None
    except Exception as error:  # it also raises those of the library that makes its requests
        raise _failed(place, error) from None
    _check_blob(path)
    return path


def _failed(place: Hub, error: Exception) -> FileError:
    reason = str(error).splitlines()[0] if str(error) else type(error).__name__
    code = getattr(error, "errno", None) or errno.EIO
    return FileError(f"the hub's client failed: {reason}", place.name, code)


def _check_blob(path: Path) -> None:
    """Check what the client has downloaded, which compares the size only."""
    blob = path.resolve()
    if not _SHA256.fullmatch(blob.name):
        return
    digest = file_sha256(str(path))
    if digest != blob.name:
        remove(path)
        raise FormatError(
            "sha256", 0, f"the file has the SHA-256 {digest}, not {blob.name}; nothing was kept",
            str(path),
        )  # fmt: skip


def remove(path: Path) -> None:
    """Remove a file from the cache: its name in a commit, and its content."""
    blob = path.resolve()
    path.unlink(missing_ok=True)
    blob.unlink(missing_ok=True)


def _check(place: Hub, reply: Reply) -> None:
    if reply.status in (200, 301, 302, 303, 307, 308):
        return
    code = reply.headers.get("X-Error-Code", "")
    if code == "EntryNotFound":
        raise _no_file(place)
    if code == "GatedRepo" or reply.status == 403:
        raise _forbidden(place)
    if code in ("RepoNotFound", "RevisionNotFound") or reply.status in (401, 404):
        raise _no_repository(place, code or f"status {reply.status}")
    check_status(reply, place.name)


def _no_file(place: Hub) -> FileError:
    names = _listed(f"models/{place.repository}/revision/{place.revision}", "siblings", "rfilename")
    near = get_close_matches(place.file, names, 3, 0.4) or names[:5]
    has = f"; it has {', '.join(near)}" if near else ""
    return MissingFileError(
        f"the repository {place.repository} has no file {place.file}{has}", place.name, errno.ENOENT
    )


def _no_repository(place: Hub, reason: str) -> FileError:
    author = place.repository.partition("/")[0]
    names = _listed(f"models?author={author}&limit=500", None, "id")
    near = get_close_matches(place.repository, names, 3, 0.6)
    like = f"; near names are {', '.join(near)}" if near else ""
    return MissingFileError(
        f"there is no repository {place.repository} with a revision {place.revision}, or it is "
        f"private and HF_TOKEN does not open it ({reason}){like}",
        place.name,
        errno.ENOENT,
    )


def _forbidden(place: Hub) -> FileError:
    return FileError(
        f"the repository {place.repository} is gated: accept its terms there, and set HF_TOKEN",
        place.name,
        errno.EACCES,
    )


def _listed(path: str, key: str | None, name: str) -> list[str]:
    """Return names that the API of the hub lists, for messages; none if it fails."""
    with (
        contextlib.suppress(
            OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError
        ),
        request(f"{endpoint()}/api/{path}", token=token(), attempts=1) as reply,
    ):
        if reply.status == 200:
            found = json.loads(reply.read(_LONGEST_LIST))
            names = [str(one[name]) for one in (found[key] if key else found)]
            return [one for one in names if one.isprintable()]
    return []
