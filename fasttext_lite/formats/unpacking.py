"""The content of compressed files and archives, which may be packed several times."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fasttext_lite.errors import FormatError
from fasttext_lite.formats import archives
from fasttext_lite.formats.compressed import compression, decompressed

if TYPE_CHECKING:
    from collections.abc import Callable

    from fasttext_lite.formats.file import ModelFile

__all__ = ["unpack"]

# A file may hold itself, compressed.
_DEEPEST = 4
_BEGIN = 512


def unpack(
    file: ModelFile, is_model: Callable[[bytes], bool], *, map_file: bool, progress: bool
) -> None:
    """Let the content of a file be the model that is packed in it, if it is packed.

    Parameters
    ----------
    file : ModelFile
        An open file.
    is_model : callable
        Returns whether content that begins with these bytes is a model; it chooses the member of an
        archive.
    map_file, progress : bool
        As for `open_parts`: an archive of tar is mapped or, if it is compressed, read into memory.

    Raises
    ------
    FormatError
        The archive does not hold one model, is damaged, or is packed too many times.
    """
    member = file.member

    def is_model_or_compressed(begin: bytes) -> bool:
        return is_model(begin) or bool(compression(begin))

    for _ in range(_DEEPEST + 1):
        begin = file.begin(_BEGIN)
        kind = compression(begin)
        if kind:
            file.use_stream(decompressed(file.buffer(), kind, file.name), kind)
        elif archives.is_zip(begin):
            members = archives.zip_members(file.seekable(), file.name)
            chosen = archives.choose(members, member, "zip", file.name, is_model_or_compressed)
            file.use_stream(chosen.open(), "zip")
            member = ""
        elif archives.is_tar(begin):
            data = file.map_or_read(map_file=map_file, progress=progress)
            members = archives.tar_members(data, file.name)
            chosen = archives.choose(members, member, "tar", file.name, is_model_or_compressed)
            assert chosen.data is not None  # noqa: S101
            file.use_data(chosen.data, "tar")
            member = ""
        elif member:
            raise FormatError("archive", 0, f"this is no archive with a file {member!r}", file.path)
        else:
            return
    raise FormatError(
        "archive", 0, f"the file is packed more than {_DEEPEST} times: unpack it first", file.name
    )
