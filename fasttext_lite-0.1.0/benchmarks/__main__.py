"""The command line of the benchmarks."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import report, synthetic
from benchmarks.libraries import LIBRARIES, OFFICIAL, OURS, PEERS
from benchmarks.measure import ChildError, DisagreementError, Measured, machine, measure, probe
from benchmarks.work import Task
from benchmarks.works import WORKS

if TYPE_CHECKING:
    from collections.abc import Sequence

WORDS = 20_000
QUICK_RUNS = 3
RUNS = 5

FLOOR_MISSED = 1
COULD_NOT_RUN = 2


def _interpreter(text: str) -> tuple[str, str]:
    name, _, path = text.partition("=")
    if name not in LIBRARIES or not path:
        raise argparse.ArgumentTypeError(
            f"expected NAME=PATH with a NAME of {', '.join(LIBRARIES)}, not {text!r}"
        )
    return name, path


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError(text)
    return number


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "--size", choices=synthetic.SIZES, default="small", help="size of the model"
    )
    parser.add_argument(
        "--dir",
        type=Path,
        default=synthetic.default_folder(),
        metavar="FOLDER",
        help="where the models are kept (default: %(default)s)",
    )
    parser.add_argument(
        "--only",
        nargs="+",
        choices=WORKS,
        default=list(WORKS),
        metavar="WORK",
        help=", ".join(WORKS),
    )
    parser.add_argument(
        "--peers", nargs="*", choices=PEERS, default=PEERS, metavar="PEER", help=", ".join(PEERS)
    )
    parser.add_argument("--runs", type=_positive, help=f"rounds (default: {RUNS})")
    parser.add_argument(
        "--peer-runs",
        type=_positive,
        help="rounds of the peers (default: as ours; with the full size, 1)",
    )
    parser.add_argument(
        "--python",
        type=_interpreter,
        action="append",
        default=[],
        metavar="NAME=PATH",
        help="interpreter of a library (default: this one)",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every run there")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write the table there")
    parser.add_argument(
        "--quick",
        action="store_true",
        help="small model, only the official package, three rounds;"
        f" exit with {FLOOR_MISSED} where a floor is missed",
    )
    return parser


def _progress(line: str) -> None:
    print(line, file=sys.stderr)


def _version(library: str, python: str) -> dict[str, str] | None:
    """Return the versions of a library; None, and a word about it, for a peer that is missing."""
    try:
        return probe(library, python)
    except (ChildError, OSError) as error:
        if library == OURS:
            raise
        _progress(f"without {library}: {error}")
        return None


def _read_through(path: Path) -> None:
    """Bring the file into the page cache, so that no library pays for the disk."""
    buffer = bytearray(16 * 1024 * 1024)
    with path.open("rb", buffering=0) as file:
        while file.readinto(buffer):
            pass


def _task(size: str, folder: Path) -> Task:
    path = synthetic.ensure(size, folder)
    known, unknown = synthetic.word_lists(synthetic.SIZES[size], WORDS)
    _read_through(path)
    return Task(str(path.resolve()), known, unknown)


def _missed(results: dict[str, Measured]) -> list[str]:
    return [
        f"{name}, {figure.title}: {measured.ratio(figure, OFFICIAL):.2f} × the official package,"
        f" the floor is {figure.floor:g} ×"
        for name, measured in results.items()
        for figure in measured.work.figures
        if report.floor_met(measured, figure) is False
    ]


def _run(options: argparse.Namespace) -> int:
    size = "small" if options.quick else options.size
    peers = [OFFICIAL] if options.quick else options.peers
    runs = options.runs or (QUICK_RUNS if options.quick else RUNS)
    peer_runs = options.peer_runs or (1 if size == "full" else runs)
    interpreters = dict(options.python)
    candidates = {name: interpreters.get(name, sys.executable) for name in [OURS, *peers]}
    found = {name: _version(name, python) for name, python in candidates.items()}
    versions = {name: version for name, version in found.items() if version}
    if options.quick and OFFICIAL not in versions:
        _progress("there is nothing to compare with")
        return COULD_NOT_RUN
    pythons = {name: candidates[name] for name in versions}
    works = {name: WORKS[name] for name in options.only}
    needs_model = any(work.needs_model for work in works.values())
    task = _task(size, options.dir) if needs_model else Task()
    results = {
        name: measure(name, work, task, pythons, runs=runs, peer_runs=peer_runs, progress=_progress)
        for name, work in works.items()
    }
    where = machine()
    table = report.markdown(list(results.values()), versions, where, size)
    print(table, end="")
    if options.markdown:
        options.markdown.write_text(table, encoding="utf-8")
    if options.json:
        text = json.dumps(report.document(results, versions, where, size), indent=1)
        options.json.write_text(text + "\n", encoding="utf-8")
    if options.quick and any(OFFICIAL in measured.failures for measured in results.values()):
        _progress("the official package failed, so its floors are not checked")
        return COULD_NOT_RUN
    missed = _missed(results)
    for line in missed:
        _progress(line)
    return FLOOR_MISSED if options.quick and missed else 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmarks.

    Returns
    -------
    int
        0; 1 where our answers differ from the official ones, or with ``--quick`` where a floor
        is missed; 2 where something could not run.
    """
    options = _parser().parse_args(arguments)
    try:
        return _run(options)
    except DisagreementError as error:
        _progress(str(error))
        return FLOOR_MISSED
    except (ChildError, OSError) as error:
        _progress(str(error))
        return COULD_NOT_RUN


if __name__ == "__main__":
    sys.exit(main())
