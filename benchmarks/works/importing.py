"""Import a package in a fresh process, compared with an import of NumPy alone."""

from __future__ import annotations

import subprocess
import sys
from functools import partial
from statistics import median
from time import perf_counter

from benchmarks.libraries import LIBRARIES
from benchmarks.work import Figure, Outcome, Task, Unit, Work

PAIRS = 7


def _seconds(module: str) -> float:
    start = perf_counter()
    subprocess.run([sys.executable, "-I", "-c", f"import {module}"], check=True)
    return perf_counter() - start


def _import(library: str, task: Task) -> Outcome:
    module = LIBRARIES[library].module
    _seconds(module)
    pairs = [(_seconds("numpy"), _seconds(module)) for _ in range(PAIRS)]
    return Outcome(
        {
            "numpy": median(numpy for numpy, _ in pairs),
            "package": median(package for _, package in pairs),
            "excess": median(package - numpy for numpy, package in pairs),
        }
    )


WORK = Work(
    title="Importing",
    figures=(
        Figure("numpy", "a process that imports numpy", Unit.SECONDS, compared=False),
        Figure("package", "a process that imports the package", Unit.SECONDS),
        Figure(
            "excess",
            "what the package adds to numpy",
            Unit.SECONDS,
            ceiling=0.015,
            compared=False,
            headline="import, over NumPy's own",
        ),
    ),
    libraries={name: partial(_import, name) for name, library in LIBRARIES.items() if library.open},
    needs=(),
)
