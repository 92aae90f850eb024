"""The process that is measured: one work of one library.

Started by its path with the interpreter of the library, which need not know this package:

    python child.py probe MODULE DISTRIBUTION REPORT.json
    python child.py work WORK LIBRARY TASK.json OUTCOME.json ANSWERS.npz
"""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
import json
import platform
import sys
from pathlib import Path


def _adopt_benchmarks() -> None:
    """Make this folder importable as ``benchmarks`` without its parent.

    The parent holds the sources of our package too, which must not hide the installed one.
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


def _probe(module: str, distribution: str, report: str) -> None:
    importlib.import_module(module)
    providers = importlib.metadata.packages_distributions()
    name = providers.get(module.partition(".")[0], [distribution])[0]
    versions = {
        "package": f"{name} {importlib.metadata.version(name)}",
        "python": platform.python_version(),
        "numpy": importlib.metadata.version("numpy"),
    }
    Path(report).write_text(json.dumps(versions), encoding="utf-8")


def _work(name: str, library: str, task: str, values: str, answers: str) -> None:
    _adopt_benchmarks()
    import numpy as np

    from benchmarks.work import Task
    from benchmarks.works import WORKS

    settings = json.loads(Path(task).read_text(encoding="utf-8"))
    outcome = WORKS[name].libraries[library](Task(**settings))
    Path(values).write_text(json.dumps(outcome.values), encoding="utf-8")
    if outcome.answers:
        np.savez(answers, **outcome.answers)  # type: ignore[arg-type]


if __name__ == "__main__":
    command, *arguments = sys.argv[1:]
    if command == "probe":
        _probe(*arguments)
    else:
        _work(*arguments)
