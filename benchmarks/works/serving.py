"""The server under load: searches for titles on loopback, one a request.

The titles and their index, with the default options, are those of `benchmarks.titles`, and the
queries are titles with an edit in each word. The server has two workers; the client runs beside it
in the measured process, with 32 connections.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from benchmarks import load
from benchmarks.libraries import OURS
from benchmarks.titles import COUNT, index_of, misspelt
from benchmarks.work import Figure, Outcome, Task, Unit, Work

if TYPE_CHECKING:
    from collections.abc import Iterator

QUERIES = 2_000
WORKERS = 2
CONNECTIONS = 32
RATE = 2_000.0
SECONDS, QUICK_SECONDS = 10, 2


def _requests(titles: list[str], address: str) -> list[bytes]:
    host = urlsplit(address).netloc
    return [
        f"GET /search?query={quote(query)}&k=10 HTTP/1.1\r\nhost: {host}\r\n\r\n".encode()
        for _, query in misspelt(titles, 1, QUERIES)
    ]


@contextlib.contextmanager
def _serving(path: Path) -> Iterator[tuple[str, int]]:
    """Start the command; yield its address and the id of its first process."""
    command = [sys.executable, "-I", "-m", "fasttext_lite", "serve", str(path), "--json"]
    command += ["--port", "0", "--workers", str(WORKERS)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        try:
            line = process.stdout.readline() if process.stdout else b""
            if not line:
                raise RuntimeError("the server does not start")
            yield json.loads(line)["address"], process.pid
        finally:
            process.terminate()


def _workers(process: int) -> list[Path]:
    """Return the folders of the workers in ``/proc``; none where there is no such folder."""
    children = Path(f"/proc/{process}/task/{process}/children")
    found = (
        [Path("/proc", one) for one in children.read_text().split()] if children.exists() else []
    )
    return [one for one in found if b"spawn_main" in (one / "cmdline").read_bytes()]


def _seconds(workers: list[Path]) -> float:
    """Return the processor time of processes."""
    stats = [(one / "stat").read_text().rpartition(")")[2].split() for one in workers]
    return sum(int(stat[11]) + int(stat[12]) for stat in stats) / os.sysconf("SC_CLK_TCK")


def _private(workers: list[Path]) -> float:
    """Return the bytes that processes share with no file and no other process."""
    lines = [
        line
        for one in workers
        for line in (one / "status").read_text().splitlines()
        if line.startswith("RssAnon:")
    ]
    return 1024.0 * sum(int(line.split()[1]) for line in lines)


def _ours(task: Task) -> Outcome:
    path, titles = index_of(task)
    count = int((QUICK_SECONDS if task.quick else SECONDS) * RATE)
    values = {}
    with _serving(path) as (address, process):
        host, port = urlsplit(address).hostname or "", urlsplit(address).port or 0
        asked = _requests(titles, address)
        # The workers start, open the index, and learn how long a search takes.
        for _ in range(2):
            load.run(host, port, asked, QUERIES, CONNECTIONS)
        workers = _workers(process)
        used, private = _seconds(workers), _private(workers)
        full = load.run(host, port, asked, count, CONNECTIONS)
        used = _seconds(workers) - used
        steady = load.run(host, port, asked, count, CONNECTIONS, RATE)
        if workers:
            values["cpu"] = used / count
            values["private"] = _private(workers) / len(workers)
            values["growth"] = _private(workers) - private
    if full.failed or steady.failed:
        raise ValueError(f"{full.failed + steady.failed} requests failed")
    values["request"] = full.seconds / count
    values["median"], values["slow"] = steady.quantile(0.5), steady.quantile(0.99)
    rates = [f"{count / one.seconds:,.0f}" for one in (full, steady)]
    note = "{} requests a second as fast as they are answered, {} at the fixed rate"
    return Outcome(values, notes=[note.format(*rates)])


WORK = Work(
    title=f"Serving searches of {COUNT:,} titles, {WORKERS} workers",
    figures=(
        Figure(
            "request",
            f"a request to /search, {CONNECTIONS} connections as fast as they are answered",
            Unit.SECONDS,
            ceiling=1 / RATE,
            compared=False,
        ),
        Figure(
            "median", f"the median answer at {RATE:,.0f} requests a second", Unit.SECONDS,
            compared=False,
        ),
        Figure(
            "slow", "99 % of these answers came within", Unit.SECONDS, ceiling=0.02, compared=False
        ),
        Figure("cpu", "processor time of the server for a request", Unit.SECONDS, compared=False),
        Figure("private", "private memory of a worker", Unit.BYTES, compared=False),
        Figure(
            "growth", "what the load adds to the memory of all", Unit.BYTES, ceiling=8e6,
            compared=False,
        ),
    ),
    libraries={OURS: _ours},
    needs=("model",),
)  # fmt: skip
