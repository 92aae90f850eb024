"""Run works in separate processes, the libraries alternating, and collect the runs."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.files import read_through
from benchmarks.libraries import OFFICIAL, OURS
from benchmarks.work import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from benchmarks.work import Figure, Task, Work

CHILD = Path(__file__).resolve().with_name("child.py")

# How long an interrupted process may take to clean up.
FAREWELL_SECONDS = 30

Answers = dict[str, NDArray[Any]]


class ChildError(Exception):
    """A measured process ended with an error; the text is the last line of its stderr."""


class DisagreementError(Exception):
    """Our answers differ from the official ones, so timings are not comparable."""


def _child(python: str, arguments: Sequence[str], folder: Path) -> None:
    """Run the child script, isolated from the environment and from the current folder."""
    with subprocess.Popen(
        [python, "-I", str(CHILD), *arguments],
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
    ) as process:
        try:
            _, errors = process.communicate()
        except KeyboardInterrupt:
            # The child was interrupted as well, and removes its unfinished files.
            try:
                process.wait(FAREWELL_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
            raise
    if process.returncode != 0:
        said = errors.strip().splitlines() or [f"exit status {process.returncode}"]
        raise ChildError(said[-1])


def probe(library: str, python: str) -> dict[str, str]:
    """Return the versions of a library, of its interpreter and of its NumPy.

    Raises
    ------
    ChildError
        The interpreter can't import the library.
    OSError
        The interpreter does not exist.
    """
    versions: dict[str, str] = _ask(python, ["probe", library])
    return versions


def find_file(python: str, module: str, file: str) -> str:
    """Return the path of a file in a package of an interpreter; empty if there is none.

    Raises
    ------
    ChildError, OSError
        The interpreter can't be run.
    """
    path: str = _ask(python, ["find", module, file])
    return path


def _ask(python: str, question: Sequence[str]) -> Any:
    with tempfile.TemporaryDirectory() as name:
        report = Path(name) / "report.json"
        _child(python, [*question, str(report)], Path(name))
        return json.loads(report.read_text(encoding="utf-8"))


def _run_once(
    work: str, library: str, python: str, task: Path, folder: Path
) -> tuple[Outcome, Answers]:
    report, answers = folder / "outcome.json", folder / "answers.npz"
    answers.unlink(missing_ok=True)
    _child(python, ["work", work, library, str(task), str(report), str(answers)], folder)
    outcome = Outcome(**json.loads(report.read_text(encoding="utf-8")))
    if not answers.exists():
        return outcome, {}
    with np.load(answers) as arrays:
        return outcome, dict(arrays)


@dataclass
class Measured:
    """The runs of one work.

    Attributes
    ----------
    work : Work
        The measured work.
    runs : dict of str to list
        By library, the values of each round; None for a round without the library.
    agreement : dict of str to str
        By library, how its answers compare with the official ones, in words.
    failures : dict of str to str
        By peer, the error of its failed run.
    notes : dict of str to list of str
        By library, remarks for the report.
    """

    work: Work
    runs: dict[str, list[dict[str, float] | None]]
    agreement: dict[str, str] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)
    notes: dict[str, list[str]] = field(default_factory=dict)

    def _values(self, figure: Figure, library: str) -> list[float | None]:
        keys = (figure.key, *figure.stand_ins)
        values = []
        for run in self.runs.get(library, []):
            found = (run[key] for key in keys if run and key in run)
            values.append(next(found, None))
        return values

    def median(self, figure: Figure, library: str) -> float | None:
        """Return the median of a figure over the runs of a library."""
        values = [value for value in self._values(figure, library) if value is not None]
        return median(values) if values else None

    def stands_in(self, figure: Figure, library: str) -> bool:
        """Return whether another figure is shown, since the library has no such call."""
        return not any(run and figure.key in run for run in self.runs.get(library, []))

    def ratio(self, figure: Figure, library: str) -> float | None:
        """Return how many times better than a peer our figure is.

        This is the median of the ratios of the rounds in which both ran.
        """
        if not figure.compared:
            return None
        pairs = zip(self._values(figure, OURS), self._values(figure, library), strict=False)
        ratios = [
            ours / peer if figure.unit.more_is_better else peer / ours
            for ours, peer in pairs
            if ours and peer
        ]
        return median(ratios) if ratios else None


def compare(work: Work, answers: Mapping[str, Answers]) -> dict[str, str]:
    """Compare the answers of the libraries with those of the official one.

    Returns
    -------
    dict of str to str
        By library, how its answers compare, in words.

    Raises
    ------
    DisagreementError
        An answer of ours breaks the rule of the work.
    """
    if work.rule is None:
        return {}
    if OFFICIAL not in answers:
        return dict.fromkeys(answers, "not compared: the official package did not answer")
    reference = next(iter(answers[OFFICIAL].values()))
    agreement = {}
    for library, own in answers.items():
        if library == OFFICIAL:
            continue
        verdicts = {
            name: work.rules.get(name, work.rule)(answer, reference) for name, answer in own.items()
        }
        wrong = [
            f"{name}: {verdict.words}" for name, verdict in verdicts.items() if not verdict.agrees
        ]
        if wrong and library == OURS:
            raise DisagreementError(
                f"{work.title}: our answers and the official ones: {'; '.join(wrong)}"
            )
        agreement[library] = "; ".join(dict.fromkeys(v.words for v in verdicts.values()))
    return agreement


def measure(
    name: str,
    work: Work,
    task: Task,
    pythons: Mapping[str, str],
    *,
    runs: int,
    peer_runs: int,
    progress: Callable[[str], None],
) -> Measured:
    """Run a work with each library, one process at a time, the libraries alternating.

    Parameters
    ----------
    name : str
        Name of the work in `WORKS`.
    work : Work
        The work.
    task : Task
        The input of every process.
    pythons : mapping of str to str
        The interpreter of each library to measure.
    runs, peer_runs : int
        Number of rounds, and the number of first rounds in which the peers run.
    progress : callable
        Called with a line of text before each process.

    Returns
    -------
    Measured
        All runs. A peer that fails is noted and left out of the later rounds.

    Raises
    ------
    DisagreementError
        Our answers differ from those of the official package.
    ChildError
        Our package fails.
    """
    libraries = [library for library in pythons if library in work.libraries]
    measured = Measured(work, {library: [] for library in libraries})
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        task_file = folder / "task.json"
        task_file.write_text(json.dumps(asdict(task)), encoding="utf-8")
        for number in range(min(runs, work.rounds or runs)):
            # Every other round goes backwards, so that no library always runs after the same one.
            order = libraries if number % 2 == 0 else libraries[::-1]
            answers: dict[str, Answers] = {}
            for library in order:
                sits_out = library in measured.failures or (library != OURS and number >= peer_runs)
                if sits_out:
                    measured.runs[library].append(None)
                    continue
                progress(f"{name}: {library}, run {number + 1}")
                if task.model and "model" in work.needs:
                    # A peer that filled the memory may have evicted the pages of the model.
                    read_through(task.model)
                try:
                    outcome, own = _run_once(name, library, pythons[library], task_file, folder)
                except ChildError as error:
                    if library == OURS:
                        raise
                    measured.failures[library] = str(error)
                    measured.runs[library].append(None)
                    continue
                measured.runs[library].append(outcome.values)
                if outcome.notes:
                    measured.notes[library] = outcome.notes
                if own:
                    answers[library] = own
            if number == 0 and answers:
                measured.agreement = compare(work, answers)
    return measured


def _processor() -> str:
    information = Path("/proc/cpuinfo")
    if information.exists():
        for line in information.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _memory_size() -> str:
    if sys.platform == "win32":
        return "memory unknown"
    size = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return f"{size / 2**30:.1f} GiB of memory"


def machine() -> dict[str, str]:
    """Describe the machine, with the date of today."""
    return {
        "processor": _processor(),
        "cores": f"{os.cpu_count()} cores",
        "memory": _memory_size(),
        "system": platform.platform(),
        "date": datetime.now(timezone.utc).date().isoformat(),
    }
