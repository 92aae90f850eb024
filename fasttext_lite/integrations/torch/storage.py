"""The matrices of a model as tensors: mapped, in memory, or in a file that processes share."""

from __future__ import annotations

import errno
import mmap
import os
import shutil
import tempfile
import weakref
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, NamedTuple

import numpy as np
import torch

from fasttext_lite._core.lookup.rows import DenseRows
from fasttext_lite.errors import FileError, InputValueError
from fasttext_lite.formats.disk import open_regular, reporting
from fasttext_lite.parallel import chunks_in_order

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray
    from torch import Tensor

    from fasttext_lite._core.lookup.rows import Rows
    from fasttext_lite.formats.file import ModelFile

__all__ = [
    "Changes",
    "Options",
    "SharedFile",
    "Stored",
    "ZeroRows",
    "is_aligned",
    "read",
    "rows_of",
]

# Bytes of float32 rows that are read, compared or written in one go.
_BLOCK = 1 << 21


class Changes(NamedTuple):
    """Rows that were written to: their numbers, int64, and their content."""

    rows: Tensor
    values: Tensor


class Options(NamedTuple):
    """How matrices become tensors.

    Attributes
    ----------
    trained : bool
        Whether tensors will be written to.
    widen : bool
        Whether to decode all rows to float32.
    shared : bool
        Whether other processes see what is written.
    folder : str or None
        Where files are made if need be; None for the folder of temporary files.
    """

    trained: bool
    widen: bool
    shared: bool
    folder: str | None


class SharedFile:
    """A file that is mapped as a tensor, and deleted when the object is dropped.

    It pickles as its path. On Linux the name is removed at once, so that a process that is killed
    leaves no file behind, and the path is that of the open file of the process that made it.

    Parameters
    ----------
    folder : str or None
        None for that of temporary files.
    size : int
        In bytes. They are zeros, which take no space on most disks until they are written.

    Raises
    ------
    FileError
        The file cannot be made.
    """

    def __init__(self, folder: str | None, size: int) -> None:
        folder = tempfile.gettempdir() if folder is None else folder
        with reporting(folder):
            free = shutil.disk_usage(folder).free
            if free < size:
                # Writing to the map would end the process.
                raise FileError(
                    f"the weight needs {size:,} bytes, but only {free:,} are free in this folder: "
                    "name another one as shared=FOLDER, or set TMPDIR",
                    folder,
                    errno.ENOSPC,
                )
            descriptor, self.path = tempfile.mkstemp(".weight", "fasttext-lite-", folder)
        opened = f"/proc/{os.getpid()}/fd/{descriptor}"
        file = os.fdopen(descriptor, "r+b")
        if os.path.exists(opened):  # noqa: PTH110
            weakref.finalize(self, file.close)
            os.unlink(self.path)  # noqa: PTH108
            self.path = opened
        else:
            weakref.finalize(self, _delete, self.path, os.getpid())
        with reporting(self.path):
            # An empty file cannot be mapped.
            file.truncate(max(size, 1))
        self._name = os.path.realpath(self.path)
        if self.path != opened:
            file.close()

    def fill(self, rows: Rows, kind: str) -> None:
        """Write all rows of a matrix."""
        with self._opened() as file:
            for _, block in _blocks(rows):
                file.write(block.astype(kind, copy=False).data)

    def map(self, *, shared: bool) -> mmap.mmap:
        """Map the file; what is written reaches it, and other processes, only if `shared`."""
        with self._opened() as file:
            access = mmap.ACCESS_WRITE if shared else mmap.ACCESS_COPY
            return mmap.mmap(file.fileno(), 0, access=access)

    @contextmanager
    def _opened(self) -> Iterator[IO[bytes]]:
        with reporting(self.path), open(self.path, "r+b") as file:  # noqa: PTH123
            # The numbers of processes and of their files are used again, unlike random names.
            if os.path.realpath(self.path) != self._name:
                raise FileError("the process that made this weight has closed it", self.path)
            yield file

    def tensor(self, shape: tuple[int, int], kind: str, *, shared: bool) -> Tensor:
        """Map the file as a tensor."""
        return torch.from_numpy(np.ndarray(shape, kind, self.map(shared=shared)))


def _delete(path: str, process: int) -> None:
    # Forked processes have the object, too.
    if os.getpid() == process:
        try:
            os.unlink(path)  # noqa: PTH108
        except OSError:
            # Windows deletes no file that is mapped.
            return


class ZeroRows:
    """A matrix of zeros, read like those of a file.

    Parameters
    ----------
    count, dim : int
    """

    dtype = "float32"

    def __init__(self, count: int, dim: int) -> None:
        self.count, self.dim = count, dim

    def take(self, ids: NDArray[np.int64], out: NDArray[np.float32]) -> None:
        """Fill `out` with zeros."""
        out[: len(ids)] = 0


class Stored:
    """A matrix of a model as a tensor.

    Parameters
    ----------
    rows : Rows or ZeroRows
        The matrix.
    options : Options
    file : ModelFile, optional
        The file that holds it.
    made : SharedFile, optional
        The file that another process made for this matrix.

    Attributes
    ----------
    rows : Rows
    tensor : Tensor or None
        float32 or float16, shape (rows, dim); None if the rows have another format, in which they
        can be read but not trained.
    made : SharedFile or None
        The file that was made for the tensor, if any.
    version : int
        How often the tensor had been written to when it became a parameter; -1 if that is not
        known.

    Raises
    ------
    InputValueError
        The rows have a format that cannot be trained.
    FileError
        The file has changed, or a file cannot be made.
    """

    def __init__(
        self,
        rows: Rows | ZeroRows,
        options: Options,
        file: ModelFile | None = None,
        made: SharedFile | None = None,
    ) -> None:
        self.rows, self.made, self.version = rows, made, 0
        self._file, self._options = file, options
        own = getattr(rows, "dtype", "coded")
        kind = "float32" if options.widen else own
        self.tensor = None
        if kind != "float32" and (options.trained or options.shared):
            # PyTorch adds no sparse gradients of float16.
            raise InputValueError(
                f"the rows of this model are {own}, not float32, so they can be read but not "
                f"trained: widen=True decodes all of them, {4e-9 * rows.count * rows.dim:.2f} GB; "
                "or convert the model to float32 first"
            )
        if kind in ("float32", "float16"):
            self.tensor = self._open(file, options, kind, own)

    def _open(self, file: ModelFile | None, options: Options, kind: str, own: str) -> Tensor:
        rows, shape = self.rows, (self.rows.count, self.rows.dim)
        place = _place(file, rows) if kind == own else None
        if place is not None and not options.shared:
            tensor = _map_privately(file, place, shape, kind)
            # PyTorch may require alignment, which the official format does not have.
            if is_aligned(tensor) or not options.trained:
                return tensor
        if options.shared or place is not None:
            if self.made is None:
                size = shape[0] * shape[1] * np.dtype(kind).itemsize
                self.made = SharedFile(options.folder, size)
                if not isinstance(rows, ZeroRows):
                    self.made.fill(rows, kind)
            return self.made.tensor(shape, kind, shared=options.shared)
        if isinstance(rows, ZeroRows):
            # Memory that is not written to takes no space.
            return torch.from_numpy(np.zeros(shape, kind))
        whole = np.empty(shape, kind)
        for start, block in _blocks(rows):
            whole[start : start + len(block)] = block
        return torch.from_numpy(whole)

    def aligned(self) -> Stored:
        """Return the same matrix as a tensor that can be written to."""
        made = Stored(self.rows, self._options._replace(trained=True), self._file)
        made.version = -1
        return made

    def is_home(self, tensor: Tensor) -> bool:
        """Return whether this is still the tensor that was opened, not a copy on a device."""
        return self.tensor is not None and tensor.data_ptr() == self.tensor.data_ptr()

    def changes(self, tensor: Tensor) -> Changes:
        """Return the rows of a tensor that differ in any bit from those of the file."""
        found = [np.empty(0, np.int64)]
        for start, block in _blocks(self.rows):
            now = tensor[start : start + len(block)].detach().to("cpu", torch.float32).numpy()
            if not np.array_equal(now.view(np.uint32), block.view(np.uint32)):
                differ = (now.view(np.uint32) != block.view(np.uint32)).any(axis=1)
                found.append(np.flatnonzero(differ) + start)
        rows = torch.from_numpy(np.concatenate(found))
        return Changes(rows, tensor.detach()[rows.to(tensor.device)].cpu())

    def restore(self, tensor: Tensor, rows: Tensor) -> None:
        """Write rows of the file into a tensor."""
        values = torch.from_numpy(read(self.rows, rows.numpy()))
        with torch.no_grad():
            tensor[rows.to(tensor.device)] = values.to(tensor.device, tensor.dtype)


def is_aligned(tensor: Tensor) -> bool:
    """Return whether a tensor begins at a multiple of the size of its numbers."""
    return int(tensor.data_ptr()) % int(tensor.element_size()) == 0


def rows_of(tensor: Tensor) -> DenseRows:
    """Return a matrix over the memory of a tensor on the CPU, float32 or float16."""
    numbers = tensor.detach().numpy()
    data = numbers.reshape(-1).view(np.uint8).data.toreadonly()
    return DenseRows(data, len(numbers), numbers.shape[1], str(numbers.dtype))


def _place(file: ModelFile | None, rows: Rows | ZeroRows) -> int | None:
    """Return where the rows begin in the mapped file; None if they are not mapped."""
    if file is None or file.map is None or file.packing or not isinstance(rows, DenseRows):
        return None
    assert file.data is not None  # noqa: S101 - the file is mapped
    whole, part = (np.frombuffer(data, np.uint8) for data in (file.data, rows.data))
    return int(part.ctypes.data - whole.ctypes.data) if part.size else None


def _map_privately(file: ModelFile | None, place: int, shape: tuple[int, int], kind: str) -> Tensor:
    """Map rows of the file once more: pages that are written become memory of this process."""
    assert file is not None  # noqa: S101
    assert file.path is not None  # noqa: S101
    start = place - place % mmap.ALLOCATIONGRANULARITY
    size = place - start + shape[0] * shape[1] * np.dtype(kind).itemsize
    with reporting(file.name), open_regular(file.path, file.path) as disk:
        if not file.is_current():
            raise FileError("the file has changed since it was opened: open it again", file.name)
        if os.name == "nt":
            mapped = mmap.mmap(disk.fileno(), size, access=mmap.ACCESS_COPY, offset=start)
        else:
            # Memory is needed for written pages only: none is reserved for the others.
            flags = mmap.MAP_PRIVATE | getattr(mmap, "MAP_NORESERVE", 0)
            rights = mmap.PROT_READ | mmap.PROT_WRITE
            mapped = mmap.mmap(disk.fileno(), size, flags, rights, offset=start)
    return torch.from_numpy(np.ndarray(shape, kind, mapped, place - start))


def _blocks(rows: Rows | ZeroRows) -> Iterator[tuple[int, NDArray[np.float32]]]:
    step = max(_BLOCK // (4 * max(rows.dim, 1)), 1)

    def take(start: int, stop: int) -> tuple[int, NDArray[np.float32]]:
        return start, read(rows, np.arange(start, stop))

    return chunks_in_order(take, rows.count, None, step)


def read(rows: Rows | ZeroRows, ids: NDArray[np.int64]) -> NDArray[np.float32]:
    """Return rows of the file: float32, shape (n, dim)."""
    out = np.empty((len(ids), rows.dim), np.float32)
    rows.take(ids, out)
    return out
