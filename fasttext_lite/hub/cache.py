"""Where downloaded files are kept: the folder of the hub's own client, and a folder of ours.

The layout of the first is that of ``huggingface_hub``: ``models--ORG--REPO`` with ``blobs``, by
their ETag, ``snapshots``, by commit, and ``refs``. Files of web servers are in a folder for each
address, with a record of what was seen.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from fasttext_lite.errors import FormatError
from fasttext_lite.formats.atomic import AtomicFile
from fasttext_lite.hub.transport import without_secrets

__all__ = ["HubFolder", "Record", "WebFolder", "hub_folder", "is_offline", "token"]

_COMMIT = re.compile(r"[0-9a-f]{40}")
_YES = {"1", "ON", "YES", "TRUE"}


def _is_set(variable: str) -> bool:
    return os.environ.get(variable, "").upper() in _YES


def is_offline() -> bool:
    """Return whether ``HF_HUB_OFFLINE`` or ``TRANSFORMERS_OFFLINE`` forbids requests."""
    return _is_set("HF_HUB_OFFLINE") or _is_set("TRANSFORMERS_OFFLINE")


def _hub_home() -> Path:
    cache = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache")
    return Path(os.environ.get("HF_HOME") or cache / "huggingface").expanduser()


def hub_folder() -> Path:
    """Return the folder of the hub's files: ``HF_HUB_CACHE``, or ``hub`` in ``HF_HOME``."""
    folder = os.environ.get("HF_HUB_CACHE") or os.environ.get("HUGGINGFACE_HUB_CACHE")
    return Path(folder).expanduser() if folder else _hub_home() / "hub"


def token() -> str | None:
    """Return the token for the hub: ``HF_TOKEN``, or the file that its client has stored."""
    if _is_set("HF_HUB_DISABLE_IMPLICIT_TOKEN"):
        return None
    found = os.environ.get("HF_TOKEN") or os.environ.get("HUGGING_FACE_HUB_TOKEN")
    if not found:
        path = Path(os.environ.get("HF_TOKEN_PATH") or _hub_home() / "token").expanduser()
        with suppress(OSError, UnicodeDecodeError):
            found = path.read_text(encoding="utf-8")
    return (found or "").strip() or None


def web_folder() -> Path:
    """Return the folder of other files: ``FASTTEXT_LITE_CACHE``, or the platform's for caches."""
    chosen = os.environ.get("FASTTEXT_LITE_CACHE")
    if chosen:
        return Path(chosen).expanduser()
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or "~/AppData/Local")
    elif sys.platform == "darwin":
        base = Path("~/Library/Caches")
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache")
    return base.expanduser() / "fasttext-lite"


@dataclass(frozen=True)
class Record:
    """What was seen of an address: SHA-256, size in bytes, and ETag or date.

    The SHA-256 is empty if only a part was read.
    """

    sha256: str
    size: int
    tag: str | None = None


def _shown(record: Record) -> str:
    content = f"SHA-256 {record.sha256}" if record.sha256 else f"tag {record.tag}"
    return f"{record.size} bytes with {content}"


class WebFolder:
    """The folder of one address.

    Parameters
    ----------
    url : str
    file : str
        Name of the file in it.
    """

    def __init__(self, url: str, file: str) -> None:
        self._url = without_secrets(url)
        key = hashlib.sha256(url.encode()).hexdigest()[:16]
        self.folder = web_folder() / f"{key}-{file}"
        self.path = self.folder / file
        # The names of files of servers have no dot first.
        self.new = self.folder / ".new"
        self.lock = self.folder / ".lock"
        self._record = self.folder / ".seen.json"

    def seen(self) -> Record | None:
        """Return what was seen first, if the address was downloaded before."""
        with suppress(OSError, ValueError, TypeError, KeyError):
            return Record(**json.loads(self._record.read_text(encoding="utf-8"))["seen"])
        return None

    def remember(self, found: Record) -> None:
        """Record what was downloaded."""
        content = {"address": self._url, "seen": found.__dict__}
        with AtomicFile(str(self._record)) as file:
            file.write(json.dumps(content, indent=1).encode())

    def check(self, found: Record) -> None:
        """Raise if the content differs from what was seen before.

        Raises
        ------
        FormatError
        """
        before = self.seen()
        if before is None:
            return
        if before.sha256 and found.sha256:
            same = before.sha256 == found.sha256
        else:
            same = before.size == found.size and before.tag in (None, found.tag)
        if not same:
            raise FormatError(
                "sha256",
                0,
                f"the file at {self._url} has changed since it was downloaded first: it was "
                f"{_shown(before)}, and is {_shown(found)}; delete {self._record} if that is right",
                str(self.path),
            )


class HubFolder:
    """The folder of a repository in the cache of the hub."""

    def __init__(self, repository: str) -> None:
        name = "models--" + repository.replace("/", "--")
        self.folder = hub_folder() / name
        self._locks = hub_folder() / ".locks" / name

    def commit(self, revision: str) -> str | None:
        """Return the commit of a branch or tag that was downloaded before."""
        if _COMMIT.fullmatch(revision):
            return revision
        with suppress(OSError, UnicodeDecodeError):
            found = (self.folder / "refs" / revision).read_text(encoding="utf-8").strip()
            return found if _COMMIT.fullmatch(found) else None
        return None

    def find(self, revision: str, file: str) -> Path | None:
        """Return the path of a file that was downloaded before."""
        commit = self.commit(revision)
        path = self.folder / "snapshots" / commit / file if commit else None
        return path if path and path.is_file() else None

    def blob(self, tag: str) -> Path:
        """Return the path of the content with an ETag."""
        return self.folder / "blobs" / tag

    def lock(self, tag: str) -> Path:
        """Return the path of the lock of a content."""
        return self._locks / f"{tag}.lock"

    def add(self, revision: str, commit: str, file: str, blob: Path) -> Path:
        """Give a content its name in a commit, and a branch or tag its commit; return the path."""
        path = self.folder / "snapshots" / commit / file
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.is_file():
            path.unlink(missing_ok=True)
            try:
                path.symlink_to(os.path.relpath(blob, path.parent))
            except OSError:
                # Windows permits links to few users; its client moves the content, too.
                blob.replace(path)
        if revision != commit:
            reference = self.folder / "refs" / revision
            reference.parent.mkdir(parents=True, exist_ok=True)
            with AtomicFile(str(reference)) as out:
                out.write(commit.encode())
        return path
