"""Collections of texts: the texts nearest to a query, in one file with all that a search needs.

>>> import fasttext_lite as ftl
>>> model = ftl.load("sample")
>>> index = ftl.TextIndex.build(model, ["the price of bread", "a war at sea", "peace at last"])
>>> index.search("wars at sea", k=1)[0].text
'a war at sea'
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import numpy as np

from fasttext_lite.arguments import absolute_path, flag
from fasttext_lite.collection import Collection
from fasttext_lite.content import Content, Hit, IndexInfo
from fasttext_lite.errors import FileError, FormatError, InputTypeError, InputValueError
from fasttext_lite.formats import text_index as layout
from fasttext_lite.formats.file import ModelFile
from fasttext_lite.loading import load
from fasttext_lite.model import Model
from fasttext_lite.text_building import built, collected, write
from fasttext_lite.text_embedding import TextEmbedding, model_of
from fasttext_lite.text_search import TextSearch

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import TracebackType
    from typing import Literal

    from numpy.typing import NDArray
    from typing_extensions import Self

    from fasttext_lite.arguments import PathType
    from fasttext_lite.content import Id
    from fasttext_lite.weighting import SIF

__all__ = ["Hit", "IndexInfo", "TextIndex", "opened"]

# An added part of at most this many texts is joined with the next one.
_SMALL = 1024
# Texts whose vectors are compared with those of a model.
_PROBED = 16


class TextIndex(TextSearch):
    """Texts with ids, labels and vectors, and the search of those nearest to a query.

    `build` makes an index, `save` writes it, and `open` maps a file. Searches are safe from many
    threads, also while another thread adds texts. An index pickles as the path of its file.
    """

    @staticmethod
    def build(
        model: Model,
        texts: Iterable[str | bytes | None],
        ids: Iterable[Id] | None = None,
        labels: Iterable[str | None] | None = None,
        *,
        weighting: str | SIF = "mean",
        spelling: float = 0.7,
        lowercase: bool = True,
        dtype: str = "float16",
        graph: bool | Literal["auto"] = "auto",
        threads: int | None = None,
        progress: bool = False,
    ) -> TextIndex:
        """Make an index of texts, in memory.

        Parameters
        ----------
        model : Model
        texts : iterable of str or bytes
            None, and any other mark of a missing text, is the empty text. Texts without a vector
            keep their places but are never found.
        ids : iterable of str, or of int, optional
            A distinct one for each text; by default the numbers of the rows.
        labels : iterable of str, optional
            One for each text; None for a text without a label.
        weighting : {"mean"} or SIF
            ``"mean"`` for the vectors of `Model.sentence_vectors`, or a `SIF`.
        spelling : float
            The share of the spelling in a score, from 0 to 1: the score is ``spelling`` times the
            cosine of the spellings plus ``1 - spelling`` times the cosine of the vectors of the
            model. 0 is for the vectors of the model alone.
        lowercase : bool
            Convert texts and queries to lower case to compute their vectors.
        dtype : {"float16", "float32", "int8"}
            Number format of the vectors.
        graph : bool or {"auto"}
            Make a graph for approximate searches. ``"auto"`` makes one of more than 10,000 texts,
            if faiss is installed.
        threads : int, optional
            Number of threads; by default one per core available to this process.
        progress : bool
            Show progress bars on stderr, if stderr is a terminal.

        Returns
        -------
        TextIndex

        Raises
        ------
        InputTypeError, InputValueError
            An argument has the wrong type or value, an id occurs twice, or the numbers of ids or
            labels and of texts differ.
        MissingExtraError
            ``graph=True`` needs faiss, which is not installed.
        """
        embedding = TextEmbedding(model, weighting, lowercase=lowercase, spelling=spelling)
        names: list[str] = []
        arrays = collected(
            embedding, texts, ids, labels, names, dtype=dtype, threads=threads,
            progress=flag("progress", progress),
        )  # fmt: skip
        arrays = built(arrays, graph, threads, progress=progress)
        return TextIndex(embedding, Content((Collection(arrays),), names, None))

    @staticmethod
    def open(path: PathType, model: Model | None = None) -> TextIndex:
        """Open the file of an index, which is mapped.

        Parameters
        ----------
        path : path
        model : Model, optional
            The model that the index was made with, or a converted copy of it. By default it is
            opened by the path in the index.

        Returns
        -------
        TextIndex

        Raises
        ------
        MissingFileError, FileError
            The file or the model cannot be opened, or the model is another one.
        FormatError
            The file is damaged, or is not a text index.
        InputTypeError, InputValueError
            `model` is not a model, or not that of the index.
        """
        return _opened(path, model)

    # Changes.

    def add(
        self,
        texts: Iterable[str | bytes | None],
        ids: Iterable[Id] | None = None,
        labels: Iterable[str | None] | None = None,
        *,
        threads: int | None = None,
    ) -> None:
        """Add texts, which searches find at once; `save` writes them to the file.

        Parameters
        ----------
        texts, ids, labels, threads
            As for `build`. Ids are needed if the index was built with some.

        Raises
        ------
        InputTypeError, InputValueError
            An argument has the wrong type or value, or an id is there already. Nothing is added
            then.
        """
        with self._lock:
            state = self._now
            main = state.parts[0].arrays
            names = list(state.labels)
            new = collected(
                self._embedding, texts, ids, labels, names,
                dtype=main.dtype, threads=threads, progress=False,
                like=main.ids, first=len(self), known=self._places(state),
            )  # fmt: skip
            if not len(new.numbers):
                return
            parts = list(state.parts)
            # Few parts of growing sizes, so that a text is copied seldom and a search is quick.
            while len(parts) > 1 and len(parts[-1]) <= max(len(new.numbers), _SMALL):
                new = parts.pop().arrays.joined(new)
            self._state = state._replace(parts=(*parts, Collection(new)), labels=tuple(names))

    def save(
        self,
        path: PathType | None = None,
        *,
        graph: bool | Literal["auto"] = "auto",
        threads: int | None = None,
        progress: bool = False,
    ) -> None:
        """Write the index, with the texts that were added, as one file; then map it.

        The file replaces its target when it is complete. A process that has the old file mapped
        keeps the old content. The model is not written, only its path.

        Parameters
        ----------
        path : path, optional
            The file, usually ``*.safetensors``; by default that of the index.
        graph : bool or {"auto"}
            As for `build`. The graph is made again if texts were added.
        threads, progress
            As for `build`.

        Raises
        ------
        FileError
            The file cannot be written, or another program has replaced it since it was opened.
        InputValueError
            `path` is missing, and the index was never saved.
        MissingExtraError
            As for `build`.
        """
        with self._lock:
            state = self._now
            if path is None:
                if state.file is None:
                    raise InputValueError("give the path of the file: the index was never saved")
                if not state.file.is_current():
                    raise FileError(
                        "the file was changed or replaced since the index was opened, and saving "
                        "would undo that: open it again, and add the texts to it, or save to "
                        "another path",
                        state.file.name,
                    )
                path = state.file.name
            target = absolute_path(path)
            write(
                target, self._embedding, state.parts, list(state.labels), graph,
                threads=threads, progress=flag("progress", progress),
            )  # fmt: skip
            self._state = _read(target)[0]

    # The life of an index.

    def close(self) -> None:
        """Give the map of the file back; added texts that were not saved are lost."""
        self._state = None
        self._known = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __reduce__(self) -> tuple[Any, ...]:
        state = self._now
        if state.file is None or len(state.parts) > 1:
            raise FileError(
                "the index holds texts that are in no file, so it cannot be pickled: save it",
                "<TextIndex>" if state.file is None else state.file.name,
            )
        return _reopened, (state.file.name, state.file.fingerprint(), self.model)


def opened(path: PathType) -> TextIndex | Model:
    """Open a file of either kind: an index, or else whatever `fasttext_lite.load` opens.

    Raises
    ------
    FileError, FormatError
        As for `TextIndex.open` and `fasttext_lite.load`.
    """
    if path == "sample":
        return load(path)
    try:
        return TextIndex.open(path)
    except FileError:
        # Models may be in other places than files. The model of an index may be missing.
        if os.path.isfile(path):  # noqa: PTH113 - it may be bytes
            raise
    except FormatError as error:
        # There is no description of an index.
        if error.field != "__metadata__":
            raise
    return load(path)


def _read(path: PathType) -> tuple[Content, dict[str, Any], NDArray[np.float32] | None]:
    """Map the file of an index; return its content, its description and the directions of a SIF."""
    with ModelFile(path, _reopened) as file:
        arrays, parts, description, common = layout.read(file)
    return Content((Collection(arrays, parts),), Model(parts).labels, file), description, common


def _opened(
    path: PathType, model: Model | None, fingerprint: tuple[int, int] | None = None
) -> TextIndex:
    if model is not None and not isinstance(model, Model):
        raise InputTypeError(f"model must be a Model, not {type(model).__name__}")
    state, description, common = _read(path)
    assert state.file is not None  # noqa: S101 - it was read
    if fingerprint is not None:
        state.file.expect(fingerprint)
    given = model
    if model is None:
        model = model_of(description["model"], state.file.name)
    embedding = TextEmbedding.described(model, description, common)
    index = TextIndex(embedding, state)
    dim = state.parts[0].arrays.numbers.shape[1]
    if embedding.dim != dim or (given is not None and not embedding.agrees(*_probe(state))):
        raise InputValueError(
            f"{state.file.name}: the index was made with another model than {model.info.path}, "
            f"which has {model.dim} dimensions"
        )
    return index


def _reopened(path: str, fingerprint: tuple[int, int], model: Model) -> TextIndex:
    """Return the index of a pickle."""
    return _opened(path, model, fingerprint)


def _probe(state: Content) -> tuple[list[str], NDArray[np.float32]]:
    """Return the first texts and their vectors."""
    rows = np.arange(min(len(state.parts[0]), _PROBED))
    return [state.text(int(row)) for row in rows], state.parts[0].vectors(rows)
