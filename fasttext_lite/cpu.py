"""The features of this CPU, and the level of kernels that the process runs."""

from __future__ import annotations

from dataclasses import dataclass

from fasttext_lite._core.kernels import cpu

__all__ = ["CpuFeatures", "cpu_features"]


@dataclass(frozen=True)
class CpuFeatures:
    """The features of this CPU, and the levels of kernels that it can run.

    Kernels are the loops over the numbers of rows. They exist in versions for several instruction
    sets; a level is one set of versions. Vectors and predictions have the same bits at every level.

    Attributes
    ----------
    features : tuple of str
        The CPU features that a level may require and that the CPU and the operating system
        support, in the spelling of Linux.
    kernels : tuple of str
        The levels that this CPU can run, best first; the last is ``"scalar"``, the reference.
    chosen : str
        The level in use.
    variable : str
        The environment variable that selects another level, read when the package is imported.
    """

    features: tuple[str, ...]
    kernels: tuple[str, ...]
    chosen: str
    variable: str


def cpu_features() -> CpuFeatures:
    """Return the features of this CPU, and the levels of kernels that it can run and is running.

    Returns
    -------
    CpuFeatures

    Examples
    --------
    >>> import fasttext_lite as ftl
    >>> found = ftl.cpu_features()
    >>> found.chosen in found.kernels
    True
    """
    return CpuFeatures(tuple(cpu.features()), tuple(cpu.runnable()), cpu.chosen(), cpu.VARIABLE)
