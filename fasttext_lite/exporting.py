"""Export of a model to the file formats of other programs."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fasttext_lite.arguments import flag, path_name, whole
from fasttext_lite.errors import InputValueError
from fasttext_lite.formats.atomic import AtomicFile, check_target, is_replaceable
from fasttext_lite.formats.fasttext_writer import Agreement, write_bin, write_ftz
from fasttext_lite.formats.model2vec_writer import check_folder, write_folder
from fasttext_lite.formats.npy import words_file, write_npy
from fasttext_lite.formats.text_writer import write_text, write_word2vec
from fasttext_lite.loading import load
from fasttext_lite.model import Model
from fasttext_lite.source import Source

if TYPE_CHECKING:
    from typing import BinaryIO

    from fasttext_lite.arguments import PathType
    from fasttext_lite.parts import Info

__all__ = ["FORMATS", "Agreement", "Exported", "export"]

FORMATS = ("bin", "ftz", "vec", "word2vec", "npy", "model2vec")
_SUFFIXES = {".bin": "bin", ".ftz": "ftz", ".vec": "vec", ".txt": "vec", ".npy": "npy"}
# Significant digits that the official program writes, and that distinguish every float32.
_DIGITS = 5
_MOST_DIGITS = 9
_BLOCK = 1 << 22


@dataclass(frozen=True, slots=True)
class Exported:
    """Summary of an export.

    Attributes
    ----------
    target, format : str
    word_count, dim : int
    size : int
        Size in bytes; for npy and model2vec the total of all files.
    seconds : float
        Duration.
    agreement : Agreement or None
        For bin: how near the vectors of known words come in the official program, if the source has
        vectors and not rows.
    """

    target: str
    format: str
    word_count: int
    dim: int
    size: int
    seconds: float
    agreement: Agreement | None = None


def export(
    model: Model | PathType | BinaryIO,
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
    """Write a model in the file format of another program.

    ``docs/export.md`` describes what each format keeps. The file or folder replaces the target when
    it is complete; an export that fails or is interrupted leaves the target as it was.

    Parameters
    ----------
    model : Model, path or file object
        A model, or any file that `fasttext_lite.load` opens.
    dst : path
    format : {"bin", "ftz", "vec", "word2vec", "npy", "model2vec"}, optional
        The official dense or quantised format; word vectors as text; the binary format of
        word2vec; a NumPy array, with the words in ``*.vocab.txt``, one per line; or a folder that
        model2vec and sentence-transformers open. By default the suffix decides: ``.bin``, ``.ftz``,
        ``.vec`` and ``.txt``, ``.npy``.
    precision : int or "exact", optional
        For vec: significant digits, 1 to 9, by default 5 as in the official program; or "exact"
        for the fewest digits that read back as the same float32.
    dsub : int, optional
        For ftz: number of columns that share a code; 2 by default.
    qnorm : bool, optional
        For ftz: quantise the norms of the rows separately, one byte per row; True by default.
    qout : bool, optional
        For ftz: also quantise the output matrix; False by default.
    cutoff : int, optional
        For ftz and supervised models: number of rows to keep, those with the greatest norms.
    threads : int, optional
        Number of threads; by default one per core available to this process.
    progress : bool
        Show a progress bar on stderr, if stderr is a terminal.

    Returns
    -------
    Exported

    Raises
    ------
    FileError, FormatError
        The source cannot be read, or the target is the source or cannot be written.
    InputTypeError, InputValueError
        An option is invalid or belongs to another format, or the format cannot hold this model.
    MissingExtraError
        ftz requires faiss: ``pip install 'fasttext-lite[quantize]'``.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> target = pathlib.Path(tempfile.mkdtemp(), "sample.vec")
    >>> export("sample", target, precision="exact").dim
    40
    """
    started = time.perf_counter()
    qnorm = None if qnorm is None else flag("qnorm", qnorm)
    qout = None if qout is None else flag("qout", qout)
    progress = flag("progress", progress)
    target = path_name(dst)
    kind = _format(target, format)
    quantizing = {"dsub": dsub, "qnorm": qnorm, "qout": qout, "cutoff": cutoff}
    digits = _digits(precision)
    _check_options(kind, quantizing | {"precision": precision})
    parts = (model if isinstance(model, Model) else load(model, progress=progress))._parts
    if kind == "model2vec":
        check_folder(parts.info.path, target)
    else:
        check_target(parts.info.path, target)
    if kind == "npy":
        if not is_replaceable(target):
            raise InputValueError(f"{target}: npy writes two files, so it needs a regular file")
        check_target(parts.info.path, words_file(target))
    if parts.info.word_count == 0:
        raise InputValueError(
            f"{parts.info.path}: this model has no words, and other formats cannot hold n-grams "
            "alone"
        )
    source = Source(parts, threads, progress=progress)
    data = parts.file.data if parts.file else None
    agreement = None
    word_count = source.word_count
    if kind == "bin":
        size, agreement = write_bin(source, target)
    elif kind == "vec":
        size = write_text(source, target, digits)
    elif kind == "word2vec":
        size = write_word2vec(source, target)
    elif kind == "npy":
        size = write_npy(source, target)
    elif kind == "model2vec":
        size, word_count = write_folder(source, target)
    elif _is_ftz(parts.info) and data and _all_default(quantizing):
        size = _copy(source, data, target)
    else:
        size = write_ftz(
            source,
            target,
            dsub=2 if dsub is None else dsub,
            qnorm=True if qnorm is None else qnorm,
            qout=bool(qout),
            cutoff=cutoff,
        )
    return Exported(
        target=target,
        format=kind,
        word_count=word_count,
        dim=source.dim,
        size=size,
        seconds=time.perf_counter() - started,
        agreement=agreement,
    )


def _format(target: str, name: str | None) -> str:
    if name is not None:
        if name not in FORMATS:
            raise InputValueError(f"format must be one of {', '.join(FORMATS)}, not {name!r}")
        return name
    lower = target.lower()
    if lower.endswith(".safetensors"):
        raise InputValueError("export does not write .safetensors files: use convert")
    if lower.endswith((".w2v.bin", ".word2vec.bin")):
        raise InputValueError(
            "both word2vec and the official program use the suffix .bin: set "
            'format="word2vec" or format="bin"'
        )
    found = _SUFFIXES.get(Path(lower).suffix)
    if found is None:
        raise InputValueError(
            f"{target}: the suffix does not name a format; end it with "
            f"{', '.join(_SUFFIXES)}, or set format= to one of {', '.join(FORMATS)}"
        )
    return found


def _digits(precision: int | str | None) -> int:
    """Return the number of digits to write, 0 for the fewest that are exact."""
    if precision is None:
        return _DIGITS
    if precision == "exact":
        return 0
    if isinstance(precision, str):
        raise InputValueError(f'precision must be an int or "exact", not {precision!r}')
    return whole("precision", precision, least=1, most=_MOST_DIGITS)


def _all_default(options: dict[str, Any]) -> bool:
    return all(value is None for value in options.values())


def _check_options(kind: str, options: dict[str, Any]) -> None:
    for name, value in options.items():
        wanted = "vec" if name == "precision" else "ftz"
        if value is not None and kind != wanted:
            raise InputValueError(f"{name} is an option of the format {wanted}, not of {kind}")


def _is_ftz(info: Info) -> bool:
    """Return whether the file is an official quantised one; those of floret have another head."""
    return info.quantized_input and info.format.startswith("fastText binary")


def _copy(source: Source, data: memoryview, target: str) -> int:
    """Copy a quantised file, since quantising it again could only lose precision."""
    with AtomicFile(target, len(data)) as copy:
        for start in range(0, len(data), _BLOCK):
            source.check()
            copy.write(data[start : start + _BLOCK])
    return copy.written
