"""Ray Data: the texts of a column, labelled by a pool of actors."""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fasttext_lite.errors import MissingExtraError
from fasttext_lite.formats.atomic import AtomicFile
from fasttext_lite.formats.disk import reporting
from fasttext_lite.integrations.shipping import at, file_of, tried

try:
    import ray
    from filelock import FileLock  # which Ray requires
    from ray.data import ActorPoolStrategy
except ImportError:
    raise MissingExtraError("Ray Data", "ray") from None

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow as pa
    from numpy.typing import NDArray
    from ray.data import Dataset

    from fasttext_lite.annotator import Annotator
    from fasttext_lite.arguments import PathType

__all__ = ["FOLDER", "annotate"]

# Within the folder for temporary files; of this user, where the system has users.
FOLDER = f"fasttext-lite-{os.getuid()}" if hasattr(os, "getuid") else "fasttext-lite"
# Bytes of a file per object in the object store.
_BLOCK = 1 << 26


def annotate(
    ds: Dataset,
    path: PathType,
    column: str = "text",
    *,
    ship: bool = False,
    compute: ActorPoolStrategy | None = None,
    batch_size: int | None = None,
    num_cpus: float | None = None,
    **options: Any,
) -> Dataset:
    """Add the labels and vectors of texts to a dataset.

    Parameters
    ----------
    ds : ray.data.Dataset
    path : str, bytes or os.PathLike
        The file of the model. Each actor maps it, so that the actors of a machine share one copy.
    column : str
        The name of the column of texts.
    ship : bool
        False expects the file under this path on all machines, for instance on a shared disk. True
        sends it from this machine through the object store. On each machine the first actor writes
        it into the folder for temporary files, where later actors and jobs find it by its SHA-256.
    compute, batch_size, num_cpus
        As for `ray.data.Dataset.map_batches`. By default Ray chooses the number of actors.
    **options
        As for `fasttext_lite.Annotator`.

    Returns
    -------
    ray.data.Dataset
        With all columns of `ds` and the added ones. It is as lazy as `ds`.

    Raises
    ------
    InputTypeError, InputValueError
        An option has the wrong type or value. What is wrong with the column is found by the actors,
        since a dataset knows its columns only when it runs.
    MissingFileError
        With ``ship=True``: there is no such file on this machine. Otherwise the actors look for it,
        and an actor that does not find it, or finds another one than there is here, raises an error
        that names the machine.
    """
    annotator = tried(path, column, ship, options)
    return ds.map_batches(
        _Actor,
        fn_constructor_args=(annotator, _Shipped(annotator) if ship else None),
        batch_format="pyarrow",
        batch_size=batch_size,
        compute=compute or ActorPoolStrategy(),
        num_cpus=num_cpus,
    )


class _Actor:
    """What runs in an actor: an annotator for the file on its machine."""

    def __init__(self, annotator: Annotator, shipped: _Shipped | None) -> None:
        self._annotator, self._shipped = annotator, shipped

    def __call__(self, table: pa.Table) -> pa.Table:
        # Not at the start of the actor, which Ray would start again and again after an error.
        if self._shipped is not None:
            self._annotator, self._shipped = self._shipped.placed(self._annotator), None
        return self._annotator(table)


class _Shipped:
    """The file of a model in the object store, in blocks."""

    def __init__(self, annotator: Annotator) -> None:
        file, self._member = file_of(annotator)
        self._name, self._size = Path(file).name, Path(file).stat().st_size
        digest, self._blocks = hashlib.sha256(), []
        for block in _blocks(file):
            digest.update(block.data)
            self._blocks.append(ray.put(block))
        self._sha256 = digest.hexdigest()

    def placed(self, annotator: Annotator) -> Annotator:
        """Return an annotator for the file on this machine, which is written there if need be."""
        folder = Path(tempfile.gettempdir(), FOLDER, self._sha256)
        target = folder / self._name
        with reporting(str(target)):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with FileLock(folder / "lock"):
                if not target.exists():
                    with AtomicFile(str(target), self._size) as written:
                        for block in self._blocks:
                            written.write(ray.get(block).data)
        # Each actor checks the SHA-256, for others may write to a folder for temporary files.
        return at(annotator, f"{target}{self._member}", self._sha256)


def _blocks(file: str) -> Iterator[NDArray[np.uint8]]:
    with reporting(file), open(file, "rb") as disk:  # noqa: PTH123
        while len(block := np.fromfile(disk, np.uint8, _BLOCK)):
            yield block
