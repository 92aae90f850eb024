"""A layer whose weight is the mapped file of a model, copy on write."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from fasttext_lite.arguments import flag, path_name
from fasttext_lite.errors import InputTypeError, InputValueError
from fasttext_lite.integrations.torch.bags import WordBags, check_bags, flatten
from fasttext_lite.integrations.torch.saving import save
from fasttext_lite.integrations.torch.state import StoredRows
from fasttext_lite.integrations.torch.storage import Options, Stored, is_aligned, read, rows_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from fasttext_lite._core.lookup.rows import Rows
    from fasttext_lite.arguments import PathType
    from fasttext_lite.integrations.torch.storage import SharedFile
    from fasttext_lite.model import Model

__all__ = ["FastTextEmbedding"]

_NAMES = ("weight", "ngrams")
_COMPUTED = (torch.float32, torch.float64)


class FastTextEmbedding(StoredRows):
    """An `EmbeddingBag` over the rows of words and n-grams: a vector for each word, known or not.

    The rows are those of the file, mapped copy on write. While they are only read, all processes
    share the pages of the file. Where they are trained with sparse gradients, the pages of rows
    that were written to become memory of the process, and no others.

    On a CPU in float32 the vectors have the bits of `Model.vectors`.

    Parameters
    ----------
    model : Model or path
    freeze : bool
        Whether the rows are constants.
    sparse : bool
        Whether gradients are sparse, as ``SGD``, ``Adagrad`` and ``SparseAdam`` accept them.
        A dense gradient is as large as the matrix.
    mode : {"mean", "sum"}
        How the rows of a word become a vector; "mean" gives the vectors of the model.
    widen : bool
        Decode all rows to float32 in memory. By default rows of float16, int8 and quantised ones
        are decoded when they are read; such rows cannot be trained.
    shared : bool or path
        Copy the rows to a file that processes map together, so that each sees what the others
        write: asynchronous training (Hogwild). A path names the folder of this file; by default it
        is that of temporary files. The process that makes the layer deletes the file with it.

    Attributes
    ----------
    weight : Parameter or None
        The matrix of the file, shape (rows, dim). If the file holds the vectors of its words, as
        compact files do, only these. None if the rows are decoded when they are read.
    ngrams : Parameter or None
        The rows of n-grams, if `weight` does not have them. Their numbers follow those of `weight`.
    bags : WordBags
        ``layer.bags(words)`` returns the rows and offsets of words. It pickles as the path of the
        model, as a ``collate_fn`` should.
    num_embeddings, embedding_dim : int
        Number of rows and of columns.

    Raises
    ------
    MissingFileError, FileError, FormatError
        The model cannot be opened, or the shared file cannot be made.
    InputTypeError, InputValueError
        An option is invalid, or the rows have a format that cannot be trained.

    Examples
    --------
    >>> layer = FastTextEmbedding("sample", freeze=False)
    >>> step = torch.optim.SGD(layer.parameters(), lr=0.1)
    >>> layer(["war", "warish"]).square().sum().backward()
    >>> step.step()
    >>> len(layer.changes()["weight"].rows)
    22
    """

    weight: nn.Parameter | None
    ngrams: nn.Parameter | None

    def __init__(
        self,
        model: Model | PathType,
        freeze: bool = True,
        sparse: bool = True,
        mode: str = "mean",
        *,
        widen: bool = False,
        shared: bool | PathType = False,
    ) -> None:
        super().__init__()
        if mode not in ("mean", "sum"):
            raise InputValueError(f'mode must be "mean" or "sum", not {mode!r}')
        self.sparse, self.mode = flag("sparse", sparse), mode
        folder = None if isinstance(shared, (bool, int)) else path_name(shared)
        if folder is not None and not Path(folder).is_dir():
            raise InputValueError(f"there is no folder {folder!r} for the shared weight")
        self._options = Options(
            trained=not flag("freeze", freeze),
            widen=flag("widen", widen),
            shared=folder is not None or flag("shared", shared),
            folder=folder,
        )
        self.bags = WordBags(model)
        for name in _NAMES:
            self.register_parameter(name, None)
        self._open({})

    def _open(self, made: Mapping[str, SharedFile]) -> None:
        parts = self.bags.model._parts
        matrices = [parts.vectors, parts.input] if parts.vectors else [parts.input]
        self._rows = {
            name: matrix.rows
            for name, matrix in zip(_NAMES, matrices, strict=False)
            if matrix.rows.count or name == "weight"
        }
        counts = [rows.count for rows in self._rows.values()]
        # The rows of the vectors of words, if the file holds these.
        self._word_count = parts.info.word_count if parts.vectors else None
        self.num_embeddings, self.embedding_dim = sum(counts), parts.info.parameters.dim
        for name, rows in self._rows.items():
            self._store(name, Stored(rows, self._options, parts.file, made.get(name)))
        self._settle()

    def _settle(self) -> None:
        """Note whether rows are read from the file by compiled code, not by PyTorch.

        PyTorch has no such format, or may require aligned numbers.
        """
        held = {name: getattr(self, name) for name in self._stored}
        self._decodes = not held or not all(map(is_aligned, held.values()))
        self._read = self._rows
        if self._decodes and held:
            self._read = {name: rows_of(parameter) for name, parameter in held.items()}

    @property
    def shared(self) -> bool:
        """Whether other processes see what is written to the rows."""
        return self._options.shared

    def extra_repr(self) -> str:
        """Describe the layer."""
        shared = ", shared=True" if self.shared else ""
        return (
            f"{self.num_embeddings}, {self.embedding_dim}, mode={self.mode!r}, "
            f"sparse={self.sparse}{shared}"
        )

    def forward(self, rows: Any, offsets: Tensor | None = None) -> Any:
        """Return the vector of each bag of rows.

        Parameters
        ----------
        rows : Tensor, or iterable of str or bytes, or of lists of them
            int64: the rows of all bags, as `bags` returns them. Or words, or lists of words, then
            without `offsets`.
        offsets : Tensor, optional
            int64, shape (n + 1,): where each bag begins, and the end of the last.

        Returns
        -------
        Tensor or tuple of Tensor
            float32, shape (n, dim), zeros for an empty bag; float64 if the weight is. For lists of
            words a tensor for each.

        Raises
        ------
        InputTypeError, InputValueError, UnknownWordError
            A row or an offset is out of range, or as for `Model.vectors`.
        """
        if offsets is None:
            return self._of_words(rows)
        if not torch.compiler.is_compiling():
            check_bags(rows, offsets, self.num_embeddings)
        return self._vectors(rows.long(), offsets.long())

    def _of_words(self, words: Any) -> Any:
        if isinstance(words, Tensor):
            raise InputTypeError("rows need offsets: pass both results of bags()")
        if isinstance(words, (list, tuple)) and words and not isinstance(words[0], (str, bytes)):
            flat, ends = flatten(words, split=False)
            return self._of_words(flat).split((ends[1:] - ends[:-1]).tolist())
        device = "cpu" if self.weight is None else self.weight.device
        rows, offsets = self.bags(words)
        return self._vectors(rows.to(device), offsets.to(device))

    def _vectors(self, rows: Tensor, offsets: Tensor) -> Tensor:
        if self._decodes and any(parameter.requires_grad for parameter in self.parameters()):
            raise InputValueError(
                "this layer was made to be read, and its rows are not aligned as training needs "
                "it: make it with freeze=False"
            )
        counts = offsets.diff()
        if self._word_count is None:
            return self._reduced(self._sums("weight", rows, offsets), counts)
        known = rows < self._word_count
        first = functional.pad(known.long(), (0, 1)).bool()[offsets[:-1]]
        # The vector of a known word is a copy, not a sum that begins with 0: -0.0 keeps its sign.
        copied = (counts == 1) & first
        if not torch.compiler.is_compiling() and bool(copied.all()):
            return self._taken(rows)
        before = functional.pad(known.cumsum(0), (1, 0))[offsets]
        sums = self._sums("weight", rows[known], before)
        if "ngrams" in self._rows:
            sums = sums + self._sums("ngrams", rows[~known] - self._word_count, offsets - before)
        places = copied.nonzero().squeeze(1)
        copies = self._taken(rows[offsets[:-1][places]])
        return self._reduced(sums, counts).index_copy(0, places, copies)

    def _reduced(self, sums: Tensor, counts: Tensor) -> Tensor:
        """Turn sums into means, in the arithmetic of the official program."""
        if self.mode == "sum":
            return sums
        factors = counts.clamp(min=1).double().reciprocal().to(sums.dtype)
        return sums * factors.unsqueeze(1)

    def _sums(self, name: str, rows: Tensor, offsets: Tensor) -> Tensor:
        """Sum the rows of each bag of one matrix, in their order."""
        matrix, sparse = getattr(self, name), self.sparse
        if self._decodes or matrix.dtype not in _COMPUTED:
            matrix, sparse = self._taken(rows, name), False
            rows = torch.arange(len(rows), device=rows.device)
        return functional.embedding_bag(
            rows, matrix, offsets, mode="sum", sparse=sparse, include_last_offset=True
        )

    def _taken(self, rows: Tensor, name: str = "weight") -> Tensor:
        """Return a copy of rows of one matrix, at least in float32."""
        if self._decodes:
            return _decoded(self._read[name], rows)
        matrix = getattr(self, name)
        taken = functional.embedding(rows, matrix, sparse=self.sparse)
        return taken if matrix.dtype in _COMPUTED else taken.float()

    def save(self, path: PathType, dtype: str | None = None, *, progress: bool = False) -> None:
        """Write the model with the rows as they are now.

        The file replaces the target when it is complete. Memory stays constant.

        Parameters
        ----------
        path : path
            ``*.bin``, for the official format, or a compact file, usually ``*.safetensors``.
        dtype : {"float32", "float16", "int8"}, optional
            Number format of a compact file; by default that of the rows.
        progress : bool
            Show a progress bar on stderr, if stderr is a terminal.

        Raises
        ------
        FileError, FormatError, InputTypeError, InputValueError
            As for `fasttext_lite.convert` and `fasttext_lite.export`. The target must not be the
            file that the layer maps.
        """
        save(
            self.bags.model._parts, self.weight, self.ngrams, path, dtype,
            progress=flag("progress", progress),
        )  # fmt: skip

    def _fingerprint(self) -> Tensor:
        file = self.bags.model._parts.file
        return torch.tensor((0, 0) if file is None else file.fingerprint())

    def _state(self, *, share: bool) -> dict[str, Any]:
        state = super()._state(share=share)
        del state["_rows"], state["_read"]
        return state


def _decode(matrix: Rows, rows: Tensor) -> Tensor:
    return torch.from_numpy(read(matrix, rows.cpu().numpy())).to(rows.device)


# torch.compile calls it as it is.
_decoded: Callable[[Rows, Tensor], Tensor] = torch.compiler.disable(_decode)
