"""The command ``serve``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from fasttext_lite.cli.output import json_line
from fasttext_lite.errors import InputValueError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

__all__ = ["add_commands"]


def add_commands(command: Callable[..., argparse.ArgumentParser]) -> None:
    """Add the command; `command` creates one that accepts a model and more arguments."""
    serving = command(
        "serve", _serve, "answer requests of browsers and programs with a text index or a model"
    )
    serving.add_argument(
        "--host",
        default="127.0.0.1",
        help="the address or name to listen at; others than loopback addresses are open to "
        "everyone who can reach this machine (default: %(default)s)",
    )
    serving.add_argument(
        "--port", type=int, default=8000, help="0 chooses a free one (default: %(default)s)"
    )
    serving.add_argument(
        "--workers", type=int, default=1, metavar="N", help="processes (default: %(default)s)"
    )
    serving.add_argument(
        "--allow-host",
        action="append",
        metavar="NAME",
        help="also answer requests to this name, for a proxy in front of the server; may be "
        "repeated",
    )


def _serve(options: argparse.Namespace) -> None:
    from fasttext_lite.integrations.serving import serve
    from fasttext_lite.integrations.serving.server import is_loopback

    if options.arguments:
        raise InputValueError(f"serve accepts one file: remove {options.arguments[0]!r}")

    def ready(address: str) -> None:
        if options.json:
            sys.stdout.buffer.write(json_line({"address": address}))
        else:
            print(f"serving {Path(options.model).name} at {address}, until Ctrl+C")
        sys.stdout.flush()
        if not is_loopback(options.host):
            message = "everyone who can reach this machine can ask this server: it has no passwords"
            print(f"fasttext-lite: {message}", file=sys.stderr)

    serve(
        options.model,
        host=options.host,
        port=options.port,
        workers=options.workers,
        hosts=options.allow_host,
        ready=ready,
    )
