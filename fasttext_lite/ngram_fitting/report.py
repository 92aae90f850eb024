"""What a fit of n-grams says about itself."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from fasttext_lite.arguments import path_name
from fasttext_lite.errors import FileError, InputValueError, MissingExtraError
from fasttext_lite.formats.atomic import AtomicFile

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from fasttext_lite.arguments import PathType

__all__ = ["UNBOUNDED", "Band", "NgramFit", "bands"]

# The last length or rank of a band without an end.
UNBOUNDED = 2**31 - 1
# The plot has lines through the summaries of this many groups of words, of at least so many words.
_GROUPS = 25
_FEW = 4


@dataclass(frozen=True, slots=True)
class Band:
    """The held-out words of some lengths, or of some ranks.

    Attributes
    ----------
    first, last : int
        The least and the greatest length or rank, both included.
    words : int
        Number of held-out words.
    mean, percentile_1 : float
        Mean and first percentile of the cosines between their fitted and their own vectors.
    """

    first: int
    last: int
    words: int
    mean: float
    percentile_1: float


def bands(
    values: NDArray[np.int64], cosines: NDArray[np.float64], edges: Sequence[int]
) -> tuple[Band, ...]:
    """Summarize cosines by the values of their words; a band goes from an edge to the next."""
    found = []
    for first, end in pairwise(edges):
        own = cosines[(values >= first) & (values < end)]
        if len(own):
            low = float(np.percentile(own, 1))
            found.append(Band(first, end - 1, len(own), float(own.mean()), low))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class NgramFit:
    """The report of `fasttext_lite.fit_ngrams`.

    The held-out figures are those of a fit that has not seen the held-out words.

    Attributes
    ----------
    source, target : str
        Paths of the source and of the new file.
    size : int
        Size of the new file in bytes.
    dtype : str
        Number format of its matrices.
    dim : int
    word_count : int
        Number of words in the file.
    fitted_words : int
        Number of words that the n-grams were fitted to.
    left_out : int
        Number of words that an option left out.
    without_ngrams : int
        Number of words that have no n-grams, such as words shorter than `minn`.
    minn, maxn, buckets : int
        Lengths of the n-grams, and number of hash buckets.
    rows : int
        Number of rows of n-grams in the file.
    used_rows : int
        Number of those that a fitted word uses; the others are zero.
    weighting : {"count", "log", "uniform"}
    frequencies : {"counts", "ranks", "none"}
        What the weights were made of: the counts in the file; the ranks of the words, if it has
        none; or nothing, for equal weights.
    regularization : float
        The ridge, as given or as chosen.
    iterations : int
        Number of passes over the n-grams of all words for each column, the choice of the ridge
        included: mean over the columns.
    held_out_words : int
        Number of held-out words.
    held_out_cosine, held_out_percentile_1 : float or None
        Mean and first percentile of the cosines between the fitted and the own vectors of the
        held-out words; None without such words.
    held_out_loss : float or None
        The sum of the squares of the differences of these vectors, as a share of the sum of the
        squares of the own ones.
    by_length, by_rank : tuple of Band
        The same by the number of characters, and by the rank in the file, where 1 is the first word
        and usually the most frequent one.
    ranks : ndarray
        int64, shape (held-out words,): the rank of each held-out word, ascending.
    cosines : ndarray
        float64, shape (held-out words,): the cosine of each.
    seconds : float
        Duration.
    """

    source: str
    target: str
    size: int
    dtype: str
    dim: int
    word_count: int
    fitted_words: int
    left_out: int
    without_ngrams: int
    minn: int
    maxn: int
    buckets: int
    rows: int
    used_rows: int
    weighting: str
    frequencies: str
    regularization: float
    iterations: float
    held_out_words: int
    held_out_cosine: float | None
    held_out_percentile_1: float | None
    held_out_loss: float | None
    by_length: tuple[Band, ...]
    by_rank: tuple[Band, ...]
    seconds: float
    ranks: NDArray[np.int64] = field(repr=False, compare=False)
    cosines: NDArray[np.float64] = field(repr=False, compare=False)

    def plot(self, path: PathType) -> None:
        """Plot the held-out cosines by rank.

        Parameters
        ----------
        path : str, bytes or os.PathLike
            The image to write; its suffix is that of a format of matplotlib, such as ``.svg`` or
            ``.png``.

        Raises
        ------
        MissingExtraError
            matplotlib is not installed.
        InputValueError
            No words were held out.
        FileError
            The file cannot be written, or its suffix is not that of an image.
        """
        target = path_name(path)
        if not len(self.ranks):
            raise InputValueError("no words were held out, so there are no cosines to plot")
        try:
            from matplotlib.figure import Figure
        except ImportError:
            raise MissingExtraError("matplotlib", "plot") from None
        figure = Figure(figsize=(7, 4.2), layout="constrained")
        axes = figure.add_subplot(
            xlabel="rank of the word in the file (1 is the most frequent)",
            ylabel="cosine of fitted and own vector",
        )
        axes.set_title(
            f"{len(self.ranks):,} words that the fit has not seen: "
            f"mean cosine {self.held_out_cosine:.3f}",
            fontsize="medium",
        )
        axes.scatter(
            self.ranks, self.cosines, s=6, alpha=0.35, linewidths=0, color="tab:gray",
            label="a word", rasterized=True,
        )  # fmt: skip
        groups = np.array_split(
            np.arange(len(self.ranks)), max(min(_GROUPS, len(self.ranks) // _FEW), 1)
        )
        middles = [float(np.exp(np.log(self.ranks[group]).mean())) for group in groups]
        means = [float(self.cosines[group].mean()) for group in groups]
        low = [float(np.percentile(self.cosines[group], 10)) for group in groups]
        axes.plot(middles, means, color="tab:blue", label="mean")
        axes.plot(middles, low, ":", color="tab:blue", label="tenth percentile")
        axes.set_xscale("log")
        axes.xaxis.set_major_formatter("{x:,.0f}")
        axes.set_ylim(min(float(self.cosines.min()) - 0.02, 0), 1.02)
        axes.grid(linewidth=0.3)
        axes.legend(frameon=False, loc="lower left")
        drawn = io.BytesIO()
        try:
            figure.savefig(drawn, format=Path(target).suffix[1:] or None, dpi=150)
        except ValueError as error:
            raise FileError(f"cannot plot to this file: {error}", target) from None
        with AtomicFile(target) as file:
            file.write(drawn.getbuffer())
