"""Labels and vectors as expressions of Polars, in the namespace ``fasttext``.

>>> import polars as pl
>>> import fasttext_lite.integrations.polars
>>> frame = pl.LazyFrame({"text": ["the king and the queen", None]})
>>> vectors = frame.select(pl.col("text").fasttext.sentence_vector("sample"))
>>> vectors.collect_schema()["text"]
Array(Float32, shape=(40,))

The expressions are elementwise and have a type, so that Polars optimises and streams them. A plan
holds the path of the model, and each process that runs it maps the file once. A null text is null
in the answer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fasttext_lite import columns
from fasttext_lite.errors import MissingExtraError
from fasttext_lite.model_path import ModelPath

try:
    import polars as pl
except ImportError:
    raise MissingExtraError("polars", "polars") from None

if TYPE_CHECKING:
    from collections.abc import Callable

    from typing_extensions import Unpack

    from fasttext_lite.arguments import PathType
    from fasttext_lite.columns import Column, LabelOptions, SentenceOptions

__all__ = ["TextExpressions"]


@pl.api.register_expr_namespace("fasttext")
class TextExpressions:
    """What a model says of a column of texts: ``pl.col("text").fasttext``.

    The first argument of each method is the path of a model, as for `fasttext_lite.load`. The model
    is opened at once, and the options are checked; errors are those of the function of
    `fasttext_lite.columns` that a method names. Texts are read when the expression is evaluated.

    Parameters
    ----------
    expr : polars.Expr
        Of type String, Binary, Categorical or Enum.
    """

    def __init__(self, expr: pl.Expr) -> None:
        self._expr = expr

    def label(
        self,
        path: PathType,
        threshold: float = 0.0,
        *,
        sha256: str | None = None,
        **options: Unpack[LabelOptions],
    ) -> pl.Expr:
        """Return the most probable label of each text, and its probability.

        Parameters
        ----------
        path : str, bytes or os.PathLike
        threshold : float
            Leave out labels that are less probable than this.
        sha256 : str, optional
            As for `fasttext_lite.load`.
        labels, renormalize, official_bias, threads, missing, newlines, errors
            As for `fasttext_lite.columns.labels`.
        strip_prefix : bool, default True
            Remove ``__label__`` from the labels.
        dictionary : bool, default False
            Return the labels as Categorical instead of String.

        Returns
        -------
        polars.Expr
            Struct of ``label`` and ``probability`` (Float32), null where a text is null or has no
            label.
        """
        return self.labels(path, 1, threshold, sha256=sha256, **options)

    def labels(
        self,
        path: PathType,
        k: int,
        threshold: float = 0.0,
        *,
        sha256: str | None = None,
        **options: Unpack[LabelOptions],
    ) -> pl.Expr:
        """Return the most probable labels of each text, with their probabilities.

        Parameters
        ----------
        k : int
            Largest number of labels; -1 for all. 1 returns the same as `label`.
        path, threshold, sha256, **options
            As for `label`.

        Returns
        -------
        polars.Expr
            List of structs like those of `label`, best first: null where a text is null, and empty
            where it has no label.
        """
        chosen = {"strip_prefix": True, "dictionary": False, **options}
        return self._mapped(
            path, sha256, columns.labels, {"k": k, "threshold": threshold, **chosen}
        )

    def vector(
        self, path: PathType, *, sha256: str | None = None, threads: int | None = None
    ) -> pl.Expr:
        """Return the vector of each text as one word: see `fasttext_lite.columns.vectors`.

        Parameters
        ----------
        path, sha256, threads
            As for `label`.

        Returns
        -------
        polars.Expr
            Array of Float32, shape (dim,).
        """
        return self._mapped(path, sha256, columns.vectors, {"threads": threads})

    def sentence_vector(
        self, path: PathType, *, sha256: str | None = None, **options: Unpack[SentenceOptions]
    ) -> pl.Expr:
        """Return the vector of each text: see `fasttext_lite.columns.sentence_vectors`.

        Parameters
        ----------
        path, sha256, threads, missing, newlines, errors
            As for `label`.

        Returns
        -------
        polars.Expr
            Array of Float32, shape (dim,).
        """
        return self._mapped(path, sha256, columns.sentence_vectors, {**options})

    def _mapped(
        self,
        path: PathType,
        sha256: str | None,
        make: Callable[..., Column],
        options: dict[str, Any],
    ) -> pl.Expr:
        answers = _Answers(ModelPath(path, sha256), make, options)
        # The answers for no texts have the type of all others.
        kind = answers(pl.Series([], dtype=pl.String)).dtype
        return self._expr.map_batches(answers, return_dtype=kind, is_elementwise=True)


class _Answers:
    """A function of a series, which pickles as the path of a model and its options."""

    def __init__(
        self, source: ModelPath, make: Callable[..., Column], options: dict[str, Any]
    ) -> None:
        self._source = source
        self._make = make
        self._options = options

    def __call__(self, series: pl.Series) -> pl.Series:
        found = self._make(self._source.model, series, **self._options)
        return pl.Series(found).alias(series.name)
