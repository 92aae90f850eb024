"""Works: what is measured with each library, the input, and the results."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from benchmarks.agreement import Rule


class Unit(Enum):
    """The unit of a figure, and whether more of it is better."""

    SECONDS = "s"
    BYTES = "bytes"
    LINES_PER_SECOND = "lines/s"
    TIMES = "×"
    REQUESTS = "requests"

    @property
    def more_is_better(self) -> bool:
        """Whether a greater figure is a better one."""
        return self is Unit.LINES_PER_SECOND

    def text(self, value: float) -> str:
        """Format a value in a readable scale."""
        if self is Unit.LINES_PER_SECOND:
            return f"{value:,.0f} lines/s"
        if self is Unit.REQUESTS:
            return f"{value:.0f}"
        if self is Unit.TIMES:
            return f"{value:.2f} ×" if value > 0.095 else f"{value:.1g} ×"
        if self is Unit.BYTES:
            return f"{value / 1e9:.2f} GB" if value > 0.99e9 else f"{value / 1e6:.1f} MB"
        for scale, unit in ((1e6, "µs"), (1e3, "ms")):
            if abs(value) * scale < 99.5:
                return f"{value * scale:.{_decimals(value * scale)}f} {unit}"
        return f"{value:.{_decimals(value)}f} s"


def _decimals(value: float) -> int:
    return 2 if abs(value) < 9.95 else 1


@dataclass(frozen=True)
class Point:
    """The position of a figure in a chart of growth.

    Attributes
    ----------
    line : str
        Name of the line to which the point belongs.
    axis : str
        The quantity that grows.
    x : float
        Its value.
    """

    line: str
    axis: str
    x: float


@dataclass(frozen=True)
class Figure:
    """One number that a work measures, and a row of the table.

    Attributes
    ----------
    key : str
        Name of the number among the values of an outcome.
    title : str
        Title of the row in the table.
    unit : Unit
        Its unit.
    ceiling : float or None
        Largest value for our package, in the unit.
    floor : float or None
        Smallest ratio to the official package: 2.0 is twice as good, that is twice the rate or
        half the time or memory.
    compared : bool
        Whether a ratio to the official package is meaningful.
    stand_ins : tuple of str
        Keys of the numbers to use for a library without such a call; the first that exists.
    headline : str or None
        Title in the table of headlines; None leaves the figure out.
    point : Point or None
        Its position in a chart of growth.
    """

    key: str
    title: str
    unit: Unit
    ceiling: float | None = None
    floor: float | None = None
    compared: bool = True
    stand_ins: tuple[str, ...] = ()
    headline: str | None = None
    point: Point | None = None


@dataclass(frozen=True)
class Task:
    """The input of a measured process.

    Attributes
    ----------
    model : str
        Path of the model; empty for a work that needs none.
    words : int
        Number of words in its vocabulary.
    known, unknown : list of str
        Words of its vocabulary and words that are not in it.
    ids : list of int
        Ids of the known words in the vocabulary.
    growing : list of Task
        The same for smaller models up to this one, smallest first.
    classifier : str
        Path of a dense supervised model.
    classifier_words : list of str
        Words of its vocabulary.
    lid : str
        Path of the language identification model.
    wide : str
        Path of a dense supervised model with thousands of labels.
    program : str
        Path of the official program; empty if there is none.
    lines : int
        Number of texts of a long file.
    passes : int
        How often a loop is timed within the process; the median is used.
    quick : bool
        Whether to take less time.
    """

    model: str = ""
    words: int = 0
    known: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    ids: list[int] = field(default_factory=list)
    growing: list[Task] = field(default_factory=list)
    classifier: str = ""
    classifier_words: list[str] = field(default_factory=list)
    lid: str = ""
    wide: str = ""
    program: str = ""
    lines: int = 0
    passes: int = 1
    quick: bool = False

    @classmethod
    def of(cls, settings: dict[str, Any]) -> Task:
        """Restore a task from the result of `dataclasses.asdict`."""
        growing = [cls.of(smaller) for smaller in settings["growing"]]
        return cls(**{**settings, "growing": growing})


@dataclass(frozen=True)
class Outcome:
    """The results of a measured process.

    Attributes
    ----------
    values : dict of str to float
        Values by the keys of the figures.
    answers : dict of str to ndarray
        Results of the calls. Every array of every other library is compared with the first
        array of the official package.
    notes : list of str
        Remarks for below the table.
    """

    values: dict[str, float]
    answers: dict[str, NDArray[Any]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Work:
    """One work.

    Attributes
    ----------
    title : str
        Heading of its rows in the table.
    figures : tuple of Figure
        The rows.
    libraries : mapping of str to callable
        The function that does the work with a library, by the library's name.
    rule : Rule
        How to compare answers with the official ones; None for a work without answers.
    rules : mapping of str to Rule
        Other rules for some of the answers, by their names.
    needs : tuple of str
        Names of the attributes of the task that it needs.
    rounds : int or None
        Maximum number of rounds, for works that take long.
    """

    title: str
    figures: tuple[Figure, ...]
    libraries: Mapping[str, Callable[[Task], Outcome]]
    rule: Rule | None = None
    rules: Mapping[str, Rule] = field(default_factory=dict)
    needs: tuple[str, ...] = ("model",)
    rounds: int | None = None
