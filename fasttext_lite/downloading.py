"""`download`: a model from elsewhere, converted while it comes if asked for."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import IO, TYPE_CHECKING, cast
from urllib.parse import urlsplit

from fasttext_lite.arguments import absolute_path, flag, is_path
from fasttext_lite.conversion import convert as convert_model
from fasttext_lite.errors import FileError, FormatError, InputTypeError, InputValueError
from fasttext_lite.formats.atomic import check_target
from fasttext_lite.formats.compact import DTYPES
from fasttext_lite.formats.gzipped import GzippedModel
from fasttext_lite.hub import cached, offline, resolve, tell_licence
from fasttext_lite.hub.addresses import Hub, parse
from fasttext_lite.hub.cache import Record, WebFolder, is_offline
from fasttext_lite.hub.fetching import Wanted
from fasttext_lite.hub.locks import locked
from fasttext_lite.hub.repositories import describe
from fasttext_lite.hub.streams import RemoteStream
from fasttext_lite.hub.transport import without_secrets
from fasttext_lite.progress import progress_bar

if TYPE_CHECKING:
    from fasttext_lite.arguments import PathType
    from fasttext_lite.hub.addresses import Web

__all__ = ["download"]


def download(
    address: str,
    *,
    convert: str | None = None,
    target: PathType | None = None,
    progress: bool = True,
    force: bool = False,
) -> str:
    """Download a model, unless that was done before, and return the path of the file.

    `load` and `convert` accept the same addresses. Files of the Hugging Face hub are in the cache
    that its clients share (``HF_HOME``, ``HF_HUB_CACHE``, ``HF_HUB_OFFLINE``, ``HF_TOKEN`` and
    ``HF_ENDPOINT`` are honoured); others are in ``FASTTEXT_LITE_CACHE``, by default
    ``fasttext-lite`` in the folder of the platform for caches. Downloads that were cut go on where
    they ended, and processes that start together download once.

    Parameters
    ----------
    address : str
        ``hf://ORG/REPO/FILE`` or ``hf://ORG/REPO/FILE@REVISION``; ``https://HOST/FILE``; both also
        with ``#sha256=…``; or a name of https://fasttext.cc: ``cc.de.300``, ``wiki.fr``,
        ``lid.176``.
    convert : {"float32", "float16", "int8"}, optional
        Write a compact file with this number format, as `fasttext_lite.convert` does. A ``.bin``
        or ``.bin.gz`` is converted while its bytes come, and never lies on the disk; to compute
        the vectors of words, its input matrix is in a temporary file beside the target meanwhile.
    target : path, optional
        With `convert`: the file to write, instead of one in the cache.
    progress : bool
        Show a bar if stderr is a terminal, and print the licence of the model where it is known.
    force : bool
        Download it again.

    Returns
    -------
    str

    Raises
    ------
    InputValueError
        The address has another form, or `convert` is no number format.
    MissingFileError
        The server has no such file; near names are given where it lists them.
    FileError
        The server cannot be reached or refuses, or the disk is full.
    FormatError
        The file is not what it should be: it has another SHA-256 than the address or the server
        says, or than it had when it was downloaded first.
    """
    if not isinstance(address, str):
        raise InputTypeError(f"address must be str, not {type(address).__name__}")
    place = parse(address)
    progress, force = flag("progress", progress), flag("force", force)
    if convert is None:
        if target is not None:
            raise InputValueError("target is only for convert: copy the file from the cache")
        return resolve(address, progress=progress, force=force)
    if convert not in DTYPES:
        raise InputValueError(f"convert must be one of {', '.join(DTYPES)}, not {convert!r}")
    folder = WebFolder(place.url, place.file.replace("/", "_"))
    try:
        folder.folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FileError.from_os(error, str(folder.folder)) from None
    if target is None:
        written = folder.folder / f"{folder.path.name}.{convert}.safetensors"
    elif is_path(target):
        written = Path(absolute_path(target))
        check_target("", str(written))
    else:
        raise InputTypeError(f"target must be a path, not {type(target).__name__}")
    # Another lock than that of the download, which may happen inside.
    with locked(folder.folder / ".conversion.lock"):
        seen = folder.seen()
        checked = place.sha256 is None or (seen is not None and seen.sha256 == place.sha256)
        if force or target is not None or not checked or not written.is_file():
            _convert(address, place, folder, str(written), convert, progress=progress, force=force)
    return str(written)


def _convert(
    address: str,
    place: Hub | Web,
    folder: WebFolder,
    target: str,
    dtype: str,
    *,
    progress: bool,
    force: bool,
) -> None:
    streamed = urlsplit(place.url).path.endswith((".bin", ".bin.gz", ".ftz"))
    if streamed and (force or cached(place) is None):
        if is_offline():
            raise offline(place.name)
        tell_licence(place, progress=progress)
        wanted = (
            describe(place).wanted
            if isinstance(place, Hub)
            else Wanted(place.url, place.name, sha256=place.sha256)
        )
        if place.sha256 and wanted.sha256 not in (None, place.sha256):
            raise FormatError(
                "sha256",
                0,
                f"the hub has the SHA-256 {wanted.sha256}, not {place.sha256}",
                place.name,
            )
        with progress_bar(place.name, wanted.size, "B", show=progress) as advance:
            stream = RemoteStream(replace(wanted, sha256=place.sha256 or wanted.sha256), advance)
            try:
                if _convert_stream(stream, folder, without_secrets(wanted.url), target, dtype):
                    return
            finally:
                stream.close()
    convert_model(resolve(address, progress=progress, force=force), target, dtype)


def _convert_stream(
    stream: RemoteStream, folder: WebFolder, name: str, target: str, dtype: str
) -> bool:
    """Convert what comes; the target is replaced when all that is known of it was checked.

    Returns
    -------
    bool
        Whether it is a model of fastText.
    """
    try:
        # A stream has `read` and `close`, which is all that is used.
        model = GzippedModel(name, cast("IO[bytes]", stream), stream.size)
    except FormatError:
        return False
    unchecked = Path(f"{target}.{os.urandom(4).hex()}.part")
    try:
        convert_model(model, str(unchecked), dtype)
        stream.check()
        record = Record(stream.sha256, stream.size, stream.tag)
        folder.check(record)
        unchecked.replace(target)
        folder.remember(record)
    finally:
        unchecked.unlink(missing_ok=True)
    return True
