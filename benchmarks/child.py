"""The measured process: one work of one library.

It is started by its path with the interpreter of the library, which need not have this package:

    python child.py probe LIBRARY REPORT.json
    python child.py find MODULE FILE REPORT.json
    python child.py work WORK LIBRARY TASK.json OUTCOME.json ANSWERS.npz
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
import platform
import sys
from pathlib import Path


def _adopt_benchmarks() -> None:
    """Make this folder importable as ``benchmarks`` without its parent.

    The parent also holds the sources of our package, which must not hide the installed one.
    """
    folder = Path(__file__).resolve().parent
    spec = importlib.util.spec_from_file_location(
        "benchmarks", folder / "__init__.py", submodule_search_locations=[str(folder)]
    )
    if spec is None or spec.loader is None:
        raise ImportError(f"cannot import {folder}")
    module = importlib.util.module_from_spec(spec)
    sys.modules["benchmarks"] = module
    spec.loader.exec_module(module)


def _probe(library: str, report: str) -> None:
    from benchmarks.libraries import LIBRARIES

    versions = {
        "package": LIBRARIES[library].version(),
        "python": platform.python_version(),
        "numpy": importlib.metadata.version("numpy"),
    }
    Path(report).write_text(json.dumps(versions), encoding="utf-8")


def _find(module: str, file: str, report: str) -> None:
    """Report the path of a file in an installed package; empty if it does not exist."""
    spec = importlib.util.find_spec(module)
    path = Path(spec.origin).parent / file if spec and spec.origin else None
    found = str(path) if path and path.exists() else ""
    Path(report).write_text(json.dumps(found), encoding="utf-8")


def _work(name: str, library: str, task: str, outcome: str, answers: str) -> None:
    import numpy as np

    from benchmarks.work import Task
    from benchmarks.works import WORKS

    settings = json.loads(Path(task).read_text(encoding="utf-8"))
    done = WORKS[name].libraries[library](Task.of(settings))
    report = {"values": done.values, "notes": done.notes}
    Path(outcome).write_text(json.dumps(report), encoding="utf-8")
    if done.answers:
        np.savez(answers, **done.answers)  # type: ignore[arg-type]


if __name__ == "__main__":
    _adopt_benchmarks()
    command, *arguments = sys.argv[1:]
    {"probe": _probe, "find": _find, "work": _work}[command](*arguments)
