"""Sockets, processes and signals of a server."""

from __future__ import annotations

import errno
import ipaddress
import multiprocessing
import os
import signal
import socket
import sys
import threading
import time
from contextlib import ExitStack, contextmanager
from multiprocessing import connection
from typing import TYPE_CHECKING, NamedTuple

import uvicorn

from fasttext_lite.arguments import whole
from fasttext_lite.errors import FileError, InputTypeError
from fasttext_lite.integrations.serving.application import HEAD, application
from fasttext_lite.integrations.serving.connections import Connection
from fasttext_lite.integrations.serving.parameters import Limits
from fasttext_lite.model import Model
from fasttext_lite.text_index import TextIndex, opened

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from multiprocessing.context import SpawnProcess
    from types import FrameType

    from fasttext_lite.arguments import PathType

__all__ = ["is_loopback", "serve"]

# Seconds for requests to finish when the server stops.
_GRACE = 10
_BACKLOG = 1024


def serve(
    target: TextIndex | Model | PathType,
    *,
    host: str = "127.0.0.1",
    port: int = 8000,
    workers: int = 1,
    hosts: Iterable[str] | None = None,
    limits: Limits | None = None,
    ready: Callable[[str], object] | None = None,
) -> None:
    """Answer requests until the process is interrupted.

    ``SIGTERM`` ends the function, and ``SIGINT`` (Ctrl+C) raises `KeyboardInterrupt`, both after
    the answers to the requests that are there.

    Parameters
    ----------
    target : TextIndex, Model, str, bytes or os.PathLike
        An index of texts or a model, or the path of one.
    host : str
        The address or name to listen at. There are no passwords: others than loopback addresses
        are open to everyone who can reach this machine.
    port : int
        0 chooses a free one.
    workers : int
        Number of processes; they share the pages of the file. A script that asks for more than one
        needs ``if __name__ == "__main__":``, as everywhere with `multiprocessing`.
    hosts : iterable of str, optional
        Names that requests may have in the header ``Host``, besides those of this machine: see
        `application`. Without it, all names are accepted if `host` is no loopback address.
    limits : Limits, optional
        The most that a request may ask for.
    ready : callable, optional
        Called with the address, such as ``http://127.0.0.1:8000``, when requests are accepted.

    Raises
    ------
    InputTypeError, InputValueError
        An argument has the wrong type, or is out of range.
    FileError, FormatError
        The file cannot be opened, as for `TextIndex.open` and `fasttext_lite.load`; nothing can
        listen at this address; or a worker cannot start.
    """
    if not isinstance(host, str):
        raise InputTypeError(f"host must be str, not {type(host).__name__}")
    port = whole("port", port, least=0, most=65535)
    workers = whole("workers", workers, least=1, most=1024)
    found = target if isinstance(target, (TextIndex, Model)) else opened(target)
    names = None
    if hosts is not None or is_loopback(host):
        names = ("localhost", "127.0.0.1", "::1", host.strip("[]"), *(hosts or ()))
    job = _Job(found, names, limits or Limits())
    with ExitStack() as stack:
        sockets = [stack.enter_context(one) for one in _listening(host, port)]
        server = _server(job) if workers == 1 else None
        stopped = stack.enter_context(_signals(server))
        if ready is not None:
            ready(_address(sockets[0]))
        if server is None:
            _supervise(job, sockets, workers, stopped)
        else:
            server.run(sockets)
    if signal.SIGINT in stopped:
        raise KeyboardInterrupt


def is_loopback(host: str) -> bool:
    """Return whether an address or name is one that only this machine can reach.

    Examples
    --------
    >>> is_loopback("127.0.0.1"), is_loopback("localhost"), is_loopback("0.0.0.0")
    (True, True, False)
    """
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


class _Job(NamedTuple):
    """What each process does; a target pickles as its path."""

    target: TextIndex | Model
    hosts: tuple[str, ...] | None
    limits: Limits


def _server(job: _Job) -> uvicorn.Server:
    app = application(job.target, hosts=job.hosts, limits=job.limits)
    return uvicorn.Server(
        uvicorn.Config(
            app,
            # uvloop is no faster here, and raises errors where a client has gone.
            loop="asyncio",
            http=Connection,
            ws="none",
            lifespan="off",
            log_config=None,
            log_level="error",
            access_log=False,
            proxy_headers=False,
            server_header=False,
            backlog=_BACKLOG,
            h11_max_incomplete_event_size=HEAD,
            timeout_graceful_shutdown=_GRACE,
        )
    )


def _listening(host: str, port: int) -> list[socket.socket]:
    """Return sockets that listen at each address of a name.

    Raises
    ------
    FileError
        The name is unknown, or nothing can listen there.
    """
    where = f"{host}:{port}"
    sockets: list[socket.socket] = []
    try:
        found = socket.getaddrinfo(
            host.strip("[]") or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
        for family, _, _, _, address in dict.fromkeys(found):
            # asyncio sends at once (TCP_NODELAY) only where a socket names its protocol. Otherwise
            # the second part of an answer waits 40 ms for the first to be acknowledged.
            one = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
            sockets.append(one)
            if os.name == "posix":
                # So that a server can be started anew at once.
                one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            # A free port that was chosen for the first address is also that of the others.
            one.bind((address[0], port, *address[2:]))
            port = one.getsockname()[1]
            one.listen(_BACKLOG)
    except OSError as error:
        for one in sockets:
            one.close()
        reason = error.strerror or str(error)
        if error.errno == errno.EADDRINUSE:
            reason = "this port is in use: choose another, or 0 for a free one"
        raise FileError(f"cannot listen here: {reason}", where, error.errno or 0) from None
    return sockets


def _address(one: socket.socket) -> str:
    host, port = one.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


@contextmanager
def _signals(server: uvicorn.Server | None) -> Iterator[set[int]]:
    """Collect the signals that ask to stop, and stop a server that does not run yet.

    A server that runs handles them itself, and then raises those that it got, which come here.
    """
    stopped: set[int] = set()

    def note(number: int, frame: FrameType | None) -> None:
        del frame
        stopped.add(number)
        if server is not None:
            server.should_exit = True

    if threading.current_thread() is not threading.main_thread():
        yield stopped
        return
    before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stopped
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _interrupts_later() -> Iterator[None]:
    """Block SIGINT, which a terminal sends to processes that are just starting, too."""
    if os.name != "posix":
        yield
        return
    from multiprocessing import resource_tracker

    # Its start, otherwise that of the first process, would end the block.
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _work(job: _Job, sockets: Sequence[socket.socket], started: connection.Connection) -> None:
    """Answer requests, as one of several processes."""
    server = _server(job)

    def stop_with_parent() -> None:
        parent = multiprocessing.parent_process()
        assert parent is not None  # noqa: S101 - for mypy
        connection.wait([parent.sentinel])
        server.should_exit = True

    threading.Thread(target=stop_with_parent, daemon=True).start()
    with _signals(server):
        if os.name == "posix":
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
        started.send_bytes(b"started")
        server.run(list(sockets))


class _Worker:
    """One of several processes."""

    def __init__(self, job: _Job, sockets: Sequence[socket.socket]) -> None:
        context = multiprocessing.get_context("spawn")
        self._started, sender = context.Pipe(duplex=False)
        self.process: SpawnProcess = context.Process(target=_work, args=(job, sockets, sender))
        with _interrupts_later():
            self.process.start()
        sender.close()

    def has_started(self) -> bool:
        """Return whether it has accepted requests; asked once, when it has ended."""
        try:
            return self._started.poll() and bool(self._started.recv_bytes())
        except EOFError:
            return False


def _supervise(job: _Job, sockets: Sequence[socket.socket], count: int, stopped: set[int]) -> None:
    """Keep so many processes running until a signal comes.

    Raises
    ------
    FileError
        A process ended by an error before it had started.
    """
    workers = [_Worker(job, sockets) for _ in range(count)]
    try:
        while not stopped:
            # A signal does not end this call.
            ended = connection.wait([worker.process.sentinel for worker in workers], timeout=0.2)
            for i, worker in enumerate(workers):
                if worker.process.sentinel not in ended or stopped:
                    continue
                worker.process.join()
                code = worker.process.exitcode
                # Those that were killed have negative codes.
                if code and code > 0 and not worker.has_started():
                    path = job.target.info.path or "<TextIndex>"
                    raise FileError(f"a worker ended with code {code} before it had started", path)
                message = f"fasttext-lite: a worker ended with code {code}; another starts"
                print(message, file=sys.stderr)
                workers[i] = _Worker(job, sockets)
    finally:
        _stop([worker.process for worker in workers])


def _stop(processes: Sequence[SpawnProcess]) -> None:
    """End processes, after the answers to the requests that are there."""
    end = time.monotonic() + _GRACE + 5
    for process in processes:
        # Windows has no such signal; there Ctrl+C reaches all processes of a terminal.
        if os.name == "posix":
            process.terminate()
    for process in processes:
        process.join(max(end - time.monotonic(), 0))
        if process.exitcode is None:
            process.kill()
            process.join()
