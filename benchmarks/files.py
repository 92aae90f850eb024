"""Large files: checking the free space, writing them atomically, and reading them through."""

from __future__ import annotations

import errno
import os
import shutil
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

READ_BYTES = 1 << 24


def check_space(target: Path, needed: float) -> None:
    """Raise OSError if the folder of a file to be written has too little space."""
    free = shutil.disk_usage(target.parent).free
    if free < needed:
        raise OSError(
            errno.ENOSPC,
            f"this file needs {needed / 1e9:.2f} GB, {free / 1e9:.2f} GB are free:"
            f" {(needed - free) / 1e9:.2f} GB are missing",
            str(target),
        )


@contextmanager
def replacing(target: Path) -> Iterator[Path]:
    """Yield a path to write to. It replaces the target at the end, or is removed on failure."""
    unfinished = target.with_name(f"{target.name}.{os.getpid()}.part")
    try:
        yield unfinished
        unfinished.replace(target)
    finally:
        unfinished.unlink(missing_ok=True)


def write_text(target: Path, text: str) -> None:
    """Write a small file atomically."""
    with replacing(target) as unfinished:
        unfinished.write_text(text, encoding="utf-8")


def read_through(path: str | Path) -> None:
    """Read a file into the page cache, so that no library pays for the disk."""
    buffer = bytearray(READ_BYTES)
    with Path(path).open("rb", buffering=0) as file:
        while file.readinto(buffer):
            pass
