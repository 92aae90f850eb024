"""The command ``download``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fasttext_lite.downloading import download
from fasttext_lite.errors import InputValueError
from fasttext_lite.formats.compact import DTYPES

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

__all__ = ["add_commands"]


def add_commands(command: Callable[..., argparse.ArgumentParser]) -> None:
    """Add the command; `command` creates one that accepts a model and more arguments."""
    parser = command(
        "download",
        _download,
        "download a model into the cache, and print the path of the file",
        "TARGET",
        "with --convert: the file to write; by default one in the cache",
    )
    parser.add_argument(
        "--convert",
        choices=tuple(DTYPES),
        metavar="DTYPE",
        help="write a compact file with this number format while the model comes: float32, float16 "
        "or int8",
    )
    parser.add_argument("--force", action="store_true", help="download it again")


def _download(options: argparse.Namespace) -> None:
    if len(options.arguments) > 1:
        raise InputValueError("name one target at most")
    target = options.arguments[0] if options.arguments else None
    print(download(options.model, convert=options.convert, target=target, force=options.force))
