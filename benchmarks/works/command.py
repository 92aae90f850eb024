"""The commands that label a file of lines, from the start of the process to its end."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks import texts
from benchmarks.agreement import labels
from benchmarks.libraries import OFFICIAL, OURS
from benchmarks.timing import seconds
from benchmarks.work import Figure, Outcome, Task, Unit, Work

if TYPE_CHECKING:
    from numpy.typing import NDArray

LINES = 200_000
DISTINCT = 20_000

# The official package has no command, so this script replaces a missing official program.
SCRIPT = """
import sys, fasttext
model = fasttext.load_model(sys.argv[1])
with open(sys.argv[2], encoding="utf-8") as file:
    for line in file:
        print(model.f.predict(line, 1, 0.0, "strict")[0][1])
"""


def _measure(command: list[str], model: str) -> tuple[float, NDArray[Any]]:
    """Return the lines per second, and the labels of the first lines."""
    lines = texts.multilingual(DISTINCT, 50, 100) * (LINES // DISTINCT)
    with tempfile.TemporaryDirectory() as name:
        source, target = Path(name, "lines.txt"), Path(name, "labels.txt")
        source.write_text("\n".join(lines) + "\n", encoding="utf-8")

        def run() -> None:
            with target.open("wb") as output:
                subprocess.run([*command, model, str(source)], stdout=output, check=True)

        run()
        rate = LINES / seconds(run)
        found = target.read_text(encoding="utf-8").split()
    if len(found) != LINES:
        raise RuntimeError(f"{len(found)} labels for {LINES} lines")
    return rate, np.array(found[:DISTINCT])


def _outcome(command: list[str], task: Task, notes: list[str]) -> Outcome:
    rate, found = _measure(command, task.lid)
    return Outcome({"lines": rate}, {"labels": found}, notes)


def _ours(task: Task) -> Outcome:
    return _outcome([sys.executable, "-I", "-m", "fasttext_lite", "predict"], task, [])


def _official(task: Task) -> Outcome:
    if task.program:
        return _outcome([task.program, "predict"], task, ["the program in C++ was measured"])
    note = "no program in C++ was named, so a script with the package was measured"
    return _outcome([sys.executable, "-I", "-c", SCRIPT], task, [note])


WORK = Work(
    title="Predicting a file",
    figures=(
        Figure(
            "lines",
            f"the command, {LINES:,} lines of 50 to 100 bytes",
            Unit.LINES_PER_SECOND,
            floor=1.0,
            headline="the predict command, end to end",
        ),
    ),
    libraries={OURS: _ours, OFFICIAL: _official},
    rule=labels,
    needs=("lid",),
)
