"""Progress bars on a terminal, for work that takes over a second."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from time import monotonic
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Protocol

    class Advance(Protocol):
        """Advances a bar by a number of units; a note is shown after the bar."""

        def __call__(self, count: int, note: str = "") -> object: ...


__all__ = ["progress_bar"]

# Seconds before a bar is shown.
_DELAY = 1


@contextmanager
def progress_bar(title: str, total: int | None, unit: str, *, show: bool) -> Iterator[Advance]:
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
        Advances the bar by a number of units, and shows a note, if one is given.
    """
    if not show or sys.stderr is None or not sys.stderr.isatty():
        yield lambda _, note="": None
        return
    # Imported here, since it takes long. tqdm starts a thread even for a disabled bar.
    from tqdm import tqdm

    begun = monotonic()
    with tqdm(total=total, desc=title, unit=unit, unit_scale=True, delay=_DELAY) as bar:

        def advance(count: int, note: str = "") -> None:
            if note:
                bar.set_postfix_str(note, refresh=monotonic() - begun > _DELAY)
            bar.update(count)

        yield advance
