"""What a piece of work is made of: what it asks of each library and what comes out."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import numpy as np
    from numpy.typing import NDArray


class Unit(Enum):
    """The unit of a figure; it also says which way is better."""

    SECONDS = "s"
    BYTES = "bytes"
    WORDS_PER_SECOND = "words/s"

    @property
    def more_is_better(self) -> bool:
        """Whether a greater figure is a better one."""
        return self is Unit.WORDS_PER_SECOND

    def text(self, value: float) -> str:
        """Write a figure in a readable scale."""
        if self is Unit.WORDS_PER_SECOND:
            return f"{value:,.0f} words/s"
        if self is Unit.BYTES:
            return f"{value / 1e6:,.1f} MB"
        if abs(value) < 0.0995:
            return f"{value * 1e3:.2f} ms"
        return f"{value:.2f} s"


@dataclass(frozen=True)
class Figure:
    """One number that a work measures, and a row of the table.

    Attributes
    ----------
    key : str
        Name of the number among the values of an outcome.
    title : str
        What the table calls it.
    unit : Unit
        Its unit.
    ceiling : float or None
        Most that it may be for our package, in the unit.
    floor : float or None
        Least that our package may do in comparison with the official one: 2.0 is twice as
        good, that is twice the rate or half the time or memory.
    compared : bool
        Whether a ratio to the official package means something.
    stand_in : str or None
        Key of the number to take from a library that has no such call.
    """

    key: str
    title: str
    unit: Unit
    ceiling: float | None = None
    floor: float | None = None
    compared: bool = True
    stand_in: str | None = None


@dataclass(frozen=True)
class Task:
    """What a process gets to work on.

    Attributes
    ----------
    model : str
        Path of the model; empty for a work that needs none.
    known, unknown : list of str
        Words of its vocabulary and words that are not in it.
    passes : int
        How often a loop is timed within the process; the median counts.
    """

    model: str = ""
    known: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    passes: int = 3


@dataclass(frozen=True)
class Outcome:
    """What a process has measured.

    Attributes
    ----------
    values : dict of str to float
        Numbers by the keys of the figures.
    answers : dict of str to ndarray
        What the calls gave. The official package gives one array, and every array of every
        other library is compared with it.
    """

    values: dict[str, float]
    answers: dict[str, NDArray[np.float32]] = field(default_factory=dict)


@dataclass(frozen=True)
class Work:
    """One piece of work.

    Attributes
    ----------
    title : str
        Heading of its rows in the table.
    figures : tuple of Figure
        The rows.
    libraries : mapping of str to callable
        The function that does the work with a library, by the library's name.
    needs_model : bool
        Whether a model file and word lists are made for it.
    """

    title: str
    figures: tuple[Figure, ...]
    libraries: Mapping[str, Callable[[Task], Outcome]]
    needs_model: bool = True
