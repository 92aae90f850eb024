"""Models that are computed from another model: with fewer dimensions, or quantised."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from fasttext_lite.conversion import convert
from fasttext_lite.exporting import export
from fasttext_lite.formats import open_parts
from fasttext_lite.model import Model

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from fasttext_lite.parts import Parts

__all__ = ["DerivedModel", "quantized", "reduced"]


class DerivedModel(Model):
    """A model computed from another, in memory. Unpickling computes it again.

    Parameters
    ----------
    parts : Parts
    make : callable
        ``make(*arguments)`` returns the model again.
    arguments : tuple
    """

    def __init__(
        self, parts: Parts, make: Callable[..., DerivedModel], arguments: tuple[Any, ...]
    ) -> None:
        super().__init__(parts)
        self._recipe = make, arguments

    def __reduce__(self) -> tuple[Any, ...]:
        return self._recipe


@contextmanager
def _temporary(name: str) -> Iterator[Path]:
    with TemporaryDirectory() as directory:
        yield Path(directory, name)


def _read(file: Path, source: Model) -> Parts:
    """Read a temporary file into memory, under the path of the model it was computed from."""
    parts = open_parts(file, map_file=False)
    return parts.replace(info=parts.info._replace(path=source.info.path))


def reduced(model: Model, dim: int) -> DerivedModel:
    """Return a model with fewer dimensions, by `fasttext_lite.convert`."""
    with _temporary("reduced.safetensors") as file:
        convert(model, file, dim=dim)
        return DerivedModel(_read(file, model), reduced, (model, dim))


def quantized(
    model: Model, dsub: int, qnorm: bool, qout: bool, cutoff: int | None, threads: int | None
) -> DerivedModel:
    """Return a quantised model, by `fasttext_lite.export` to an ``.ftz`` file."""
    options = (dsub, qnorm, qout, cutoff)
    with _temporary("quantized.ftz") as file:
        export(model, file, dsub=dsub, qnorm=qnorm, qout=qout, cutoff=cutoff, threads=threads)
        return DerivedModel(_read(file, model), quantized, (model, *options, threads))
