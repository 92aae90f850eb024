"""Progress bars on a terminal, for what takes over a second."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["progress_bar"]


@contextmanager
def progress_bar(
    title: str, total: int, unit: str, *, show: bool
) -> Iterator[Callable[[int], object]]:
    """Show a bar on stderr once it takes over a second, if that is a terminal.

    Parameters
    ----------
    title : str
        Stands before the bar.
    total : int
    unit : str
        What is counted.
    show : bool
        False shows none.

    Yields
    ------
    callable
        Takes by how many units it went on.
    """
    if not show or sys.stderr is None or not sys.stderr.isatty():
        yield lambda _: None
        return
    from tqdm import tqdm  # costs import time that only this needs

    # Wherever there is none to see, tqdm would start a thread all the same.
    with tqdm(total=total, desc=title, unit=unit, unit_scale=True, delay=1) as bar:
        yield bar.update
