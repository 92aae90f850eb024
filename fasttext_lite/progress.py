"""Progress bars on a terminal, for work that takes over a second."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["progress_bar"]


@contextmanager
def progress_bar(
    title: str, total: int | None, unit: str, *, show: bool
) -> Iterator[Callable[[int], object]]:
    """Show a progress bar once the work takes over a second, if stderr is a terminal.

    Parameters
    ----------
    title : str
        Printed before the bar.
    total : int or None
        Number of units; None if it is not known.
    unit : str
        Name of a unit.
    show : bool
        False shows no bar.

    Yields
    ------
    callable
        Advances the bar by a number of units.
    """
    if not show or sys.stderr is None or not sys.stderr.isatty():
        yield lambda _: None
        return
    # Imported here, since it takes long. tqdm starts a thread even for a disabled bar.
    from tqdm import tqdm

    with tqdm(total=total, desc=title, unit=unit, unit_scale=True, delay=1) as bar:
        yield bar.update
