"""What this CPU has, and which of the loops over numbers run on it."""

from __future__ import annotations

from dataclasses import dataclass

from fasttext_lite._core.kernels import cpu

__all__ = ["CpuFeatures", "cpu_features"]


@dataclass(frozen=True)
class CpuFeatures:
    """What kernels are chosen by, and which they are.

    Attributes
    ----------
    features : tuple of str
        What the CPU has and the system lets programs use, of what a kernel asks for, as Linux
        spells it.
    kernels : tuple of str
        The kernels that can run here, best first; the last is ``"scalar"``, the reference.
    chosen : str
        Those in use.
    variable : str
        The environment variable that names others; it is read when the package is imported.
    """

    features: tuple[str, ...]
    kernels: tuple[str, ...]
    chosen: str
    variable: str


def cpu_features() -> CpuFeatures:
    """Say what this CPU has, and which kernels it can and does run.

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
