"""Regular files by their paths: opened, or why that fails."""

from __future__ import annotations

import errno
import os
import re
import stat
from contextlib import contextmanager
from typing import TYPE_CHECKING

from fasttext_lite.arguments import content_error
from fasttext_lite.errors import FastTextLiteError, FileError, MissingFileError

if TYPE_CHECKING:
    import io
    from collections.abc import Iterator

    from fasttext_lite.arguments import PathType

__all__ = ["in_archive", "in_folder", "no_memory", "open_regular", "reporting"]

# A part of a path that is longer exists on no common file system.
_LONGEST_NAME = 255
# The matrix in a folder of model2vec or sentence-transformers.
_IN_FOLDERS = ("model.safetensors", "0_StaticEmbedding/model.safetensors")


@contextmanager
def reporting(name: str) -> Iterator[None]:
    """Convert an error of the operating system in the ``with`` block to a `FileError` about `name`.

    Errors of this package are not changed: they name their file.
    """
    try:
        yield
    except FastTextLiteError:
        raise
    except OSError as error:
        raise FileError.from_os(error, name) from None


def no_memory(name: str, size: int) -> FileError:
    """Return an error about a file for which there is not enough memory or address space."""
    limit = ""
    try:
        import resource

        most = resource.getrlimit(resource.RLIMIT_AS)[0]
        if most != resource.RLIM_INFINITY:
            limit = (
                f"; the address space of this process is limited to {most:,} bytes (RLIMIT_AS), "
                "and a mapped file counts: raise the limit (ulimit -v unlimited)"
            )
    except ImportError:  # Windows has no such limits.
        pass
    helps = ", or make" if limit else "; map it (mmap=True), free memory, or make"
    return FileError(
        f"there is not enough memory for this file of {size:,} bytes{limit}{helps} a smaller file "
        'of the model elsewhere, by fasttext_lite.convert with dtype="int8" or max_words',
        name,
        errno.ENOMEM,
    )


def _missing(path: str, given: PathType) -> FastTextLiteError:
    """Return the error about a path that does not exist; `given` is how the caller wrote it."""
    name = os.fsdecode(given)
    if "\n" in name or any(len(part) > _LONGEST_NAME for part in re.split(r"[/\\]", name)):
        return content_error(given)
    scheme = re.match(r"([A-Za-z][A-Za-z0-9+.-]+):/", name)
    if scheme and scheme[1].lower() != "file":
        if scheme[1] in ("hf", "http", "https"):
            return MissingFileError("this is an address: pass it as str, not as a path", name)
        how = "download the file, and open its path"
        if scheme[1] in ("s3", "gs"):
            how += {
                "s3": " (aws s3 cp), or open it with s3fs, and pass the file object",
                "gs": " (gcloud storage cp), or open it with gcsfs, and pass the file object",
            }[scheme[1]]
        return MissingFileError(f"this is no address that is fetched: {how}", name)
    if re.search(r"\$\w|\$\{\w+\}|%\w+%", name):
        return MissingFileError(
            "there is no such file; variables are not replaced: pass os.path.expandvars(path)", path
        )
    return MissingFileError("there is no such file", path)


def in_archive(path: str) -> tuple[str, str]:
    """Split ``archive!/member``; the member is empty if the path is that of a file."""
    named = path.replace(f"!{os.sep}", "!/")
    if "!/" in named and not os.path.lexists(path):
        for mark in re.finditer("!/", named):
            if os.path.isfile(path[: mark.start()]):  # noqa: PTH113 - pathlib costs import time
                return path[: mark.start()], named[mark.end() :]
    return path, ""


def in_folder(path: str) -> str:
    """Return the file of a model in a folder; other paths as they are."""
    if os.path.isdir(path):  # noqa: PTH112 - pathlib costs import time
        for name in _IN_FOLDERS:
            file = os.path.join(path, *name.split("/"))  # noqa: PTH118
            if os.path.isfile(file):  # noqa: PTH113
                return file
    return path


def open_regular(path: str, given: PathType) -> io.FileIO:
    """Open a regular file to read bytes, without a buffer.

    Raises
    ------
    MissingFileError, FileError
        The path does not lead to a regular file that can be read.
    """
    with reporting(path):
        # Checked before opening, which for a pipe would wait for a writer.
        try:
            mode = os.stat(path).st_mode  # noqa: PTH116 - pathlib costs import time
        except OSError as error:
            # Windows has its own errors for names that no file can have.
            if isinstance(error, FileNotFoundError) or error.errno in (
                errno.ENAMETOOLONG,
                errno.EINVAL,
            ):
                raise _missing(path, given) from None
            raise
        if stat.S_ISDIR(mode):
            raise FileError(
                "this is a folder, not a model file: only folders of model2vec and "
                f"sentence-transformers are models, and these have {_IN_FOLDERS[0]}",
                path,
            )
        if not stat.S_ISREG(mode):
            raise FileError("this is not a regular file, so it cannot be mapped", path)
        return open(path, "rb", buffering=0)  # noqa: PTH123
