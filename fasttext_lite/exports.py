"""Ways out: a model as a file of the official program, of word2vec, as text or for NumPy."""

from __future__ import annotations

import io
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fasttext_lite._core.files.formatting import text_lines
from fasttext_lite.arguments import path_name
from fasttext_lite.errors import InputTypeError, InputValueError
from fasttext_lite.formats.atomic import AtomicFile, check_target
from fasttext_lite.loading import load
from fasttext_lite.model import Model
from fasttext_lite.official import write_bin, write_ftz
from fasttext_lite.source import Source

if TYPE_CHECKING:
    from fasttext_lite.arguments import PathType
    from fasttext_lite.parts import Parts

__all__ = ["FORMATS", "Exported", "export"]

FORMATS = ("bin", "ftz", "vec", "word2vec", "npy")
_SUFFIXES = {".bin": "bin", ".ftz": "ftz", ".vec": "vec", ".txt": "vec", ".npy": "npy"}
# As many as the official program writes.
_DIGITS = 5
_MOST_DIGITS = 9
_SPACES = b" \t\n\v\f\r"
_BLOCK = 1 << 22


@dataclass(frozen=True, slots=True)
class Exported:
    """What an export wrote.

    Attributes
    ----------
    target, format : str
    words, dim : int
    size : int
        In bytes; of npy that of both files.
    seconds : float
    """

    target: str
    format: str
    words: int
    dim: int
    size: int
    seconds: float


def export(
    model: Model | PathType,
    dst: PathType,
    format: str | None = None,  # noqa: A002 - the word that a caller expects
    *,
    precision: int | str | None = None,
    dsub: int | None = None,
    qnorm: bool | None = None,
    qout: bool | None = None,
    cutoff: int | None = None,
    threads: int | None = None,
    progress: bool = False,
) -> Exported:
    """Write a model as a file that other programs open.

    ``docs/export.md`` says what each format keeps. The file is written beside the target and
    replaces it at the end; what fails or is interrupted leaves the old file, or none.

    Parameters
    ----------
    model : Model or path
        Any file that `fasttext_lite.load` opens.
    dst : path
    format : {"bin", "ftz", "vec", "word2vec", "npy"}, optional
        The official dense or quantised file; word vectors as text; those of word2vec, binary; or
        a NumPy array with the words beside it, one a line, in ``*.vocab.txt``. By default what
        the suffix says: ``.bin``, ``.ftz``, ``.vec`` and ``.txt``, ``.npy``.
    precision : int or "exact", optional
        For vec: significant digits, 1 to 9, by default 5 as the official program writes them; or
        as few as read back as the same float32.
    dsub : int, optional
        For ftz: how many numbers share a code, 2 by default.
    qnorm : bool, optional
        For ftz: code the norms of the rows apart, which costs a byte a row; True by default.
    qout : bool, optional
        For ftz: quantise the output matrix too; False by default.
    cutoff : int, optional
        For ftz, and supervised models: keep so many rows, those of the greatest norms.
    threads : int, optional
        By default the cores that this process may use.
    progress : bool
        Show a bar on stderr, if that is a terminal.

    Returns
    -------
    Exported

    Raises
    ------
    FileError, FormatError
        The source cannot be read, the target is the source, or cannot be written.
    InputTypeError, InputValueError
        An option makes no sense for this format, or the format cannot hold this model.
    MissingExtraError
        ftz needs faiss: ``pip install 'fasttext-lite[quantize]'``.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> target = pathlib.Path(tempfile.mkdtemp(), "sample.vec")
    >>> export("sample", target, precision="exact").dim
    40
    """
    started = time.perf_counter()
    target = path_name(dst)
    kind = _format(target, format)
    quantizing = {"dsub": dsub, "qnorm": qnorm, "qout": qout, "cutoff": cutoff}
    digits = _digits(precision)
    _check_options(kind, quantizing | {"precision": precision})
    parts = (model if isinstance(model, Model) else load(model, progress=progress))._parts
    targets = [target, _vocabulary_file(target)] if kind == "npy" else [target]
    for name in targets:
        check_target(parts.info.path, name)
    if parts.info.word_count == 0:
        raise InputValueError(
            f"{parts.info.path}: this model has no words, and no other format holds n-grams alone"
        )
    data = parts.file.data if parts.file else None
    if kind == "ftz" and parts.info.quantized_input and data and _all_default(quantizing):
        _copy(parts, data, target)
    else:
        source = Source(parts, threads, progress=progress)
        if kind == "bin":
            write_bin(source, target)
        elif kind == "ftz":
            write_ftz(
                source,
                target,
                dsub=2 if dsub is None else dsub,
                qnorm=True if qnorm is None else qnorm,
                qout=bool(qout),
                cutoff=cutoff,
            )
        elif kind == "vec":
            _write_text(source, target, digits)
        elif kind == "word2vec":
            _write_word2vec(source, target)
        else:
            _write_npy(source, target)
    return Exported(
        target=target,
        format=kind,
        words=parts.info.word_count,
        dim=parts.info.parameters.dim,
        size=sum(Path(name).stat().st_size for name in targets),
        seconds=time.perf_counter() - started,
    )


def _format(target: str, name: str | None) -> str:
    if name is not None:
        if name not in FORMATS:
            raise InputValueError(f"format must be one of {', '.join(FORMATS)}, not {name!r}")
        return name
    lower = target.lower()
    if lower.endswith(".safetensors"):
        raise InputValueError("a .safetensors file is what convert writes, not export")
    if lower.endswith((".w2v.bin", ".word2vec.bin")):
        raise InputValueError(
            'word2vec writes .bin files as the official program does: say format="word2vec" '
            'or format="bin"'
        )
    found = _SUFFIXES.get(Path(lower).suffix)
    if found is None:
        raise InputValueError(
            f"{target}: the suffix does not tell the format; end it with "
            f"{', '.join(_SUFFIXES)}, or say format= one of {', '.join(FORMATS)}"
        )
    return found


def _digits(precision: int | str | None) -> int:
    """Return how many digits to write, 0 for as few as are exact."""
    if precision is None:
        return _DIGITS
    if precision == "exact":
        return 0
    if isinstance(precision, bool) or not isinstance(precision, (int, str)):
        raise InputTypeError(f'precision must be int or "exact", not {type(precision).__name__}')
    if isinstance(precision, str) or not 1 <= precision <= _MOST_DIGITS:
        raise InputValueError(
            f'precision must be between 1 and {_MOST_DIGITS}, or "exact", not {precision!r}'
        )
    return precision


def _all_default(options: dict[str, Any]) -> bool:
    return all(value is None for value in options.values())


def _check_options(kind: str, options: dict[str, Any]) -> None:
    for name, value in options.items():
        wanted = "vec" if name == "precision" else "ftz"
        if value is not None and kind != wanted:
            raise InputValueError(f"{name} goes with the format {wanted}, not {kind}")


def _copy(parts: Parts, data: memoryview, target: str) -> None:
    """Copy a quantised file: its codes are what another quantisation could only lose from."""
    with AtomicFile(target, len(data)) as copy:
        for start in range(0, len(data), _BLOCK):
            parts.check_unchanged()
            copy.write(data[start : start + _BLOCK])


def _write_text(source: Source, target: str, digits: int) -> None:
    """Write the words with their vectors as text, in the layout of the official program."""
    source.check_words(_SPACES, "vec")

    def lines(start: int, stop: int) -> bytes:
        ids = np.arange(start, stop, dtype=np.int32)
        words = source.entries(ids)
        return text_lines(words.text, words.offsets, source.vectors(ids), digits)

    with AtomicFile(target) as file:
        file.write(b"%d %d\n" % (source.word_count, source.dim))
        for block in source.blocks("words", lines, source.word_count):
            file.write(block)


def _write_word2vec(source: Source, target: str) -> None:
    """Write the layout of word2vec: a word, a space, its float32 numbers, a newline."""
    source.check_words(_SPACES, "word2vec")

    def lines(start: int, stop: int) -> memoryview:
        ids = np.arange(start, stop, dtype=np.int32)
        tails = np.empty((len(ids), 4 * source.dim + 2), np.uint8)
        tails[:, 0] = ord(" ")
        tails[:, 1:-1] = source.vectors(ids).view(np.uint8)
        tails[:, -1] = ord("\n")
        return source.entries(ids).with_tails(tails).data

    with AtomicFile(target, 4 * source.dim * source.word_count) as file:
        file.write(b"%d %d\n" % (source.word_count, source.dim))
        for block in source.blocks("words", lines, source.word_count):
            file.write(block)


def _vocabulary_file(target: str) -> str:
    return f"{target.removesuffix('.npy')}.vocab.txt"


def _write_npy(source: Source, target: str) -> None:
    """Write a NumPy array of the vectors, and the words beside it."""
    source.check_words(b"\n\r", "npy")
    ids = np.arange(source.word_count, dtype=np.int32)
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        header,
        {"descr": "<f4", "fortran_order": False, "shape": (source.word_count, source.dim)},
    )
    with (
        AtomicFile(target, 4 * source.dim * source.word_count) as array,
        AtomicFile(_vocabulary_file(target)) as words,
    ):
        array.write(header.getvalue())
        for block in source.blocks("words", lambda a, b: source.vectors(ids[a:b]), len(ids)):
            array.write(block.data)
        for entries in source.entry_blocks(ids):
            newlines = np.full((len(entries.counts), 1), ord("\n"), np.uint8)
            words.write(entries.with_tails(newlines).data)
