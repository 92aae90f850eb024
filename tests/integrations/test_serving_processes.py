"""Servers on sockets: processes, signals, and clients that are slow, many or hostile."""

from __future__ import annotations

import os
import signal
import socket
import struct
import sys
import threading
import time
from contextlib import ExitStack, suppress

import pytest
from support.servers import CONNECTIONS, Answer, alive, post, read_all, serving

from fasttext_lite.cli import main

pytest.importorskip("starlette")
pytest.importorskip("uvicorn")

posix = pytest.mark.skipif(os.name != "posix", reason="needs signals of POSIX")
linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
BOTH = pytest.mark.parametrize("parser", ["httptools", "h11"])
# Takes the fast parser away.
WITHOUT = {
    "httptools": "pass",
    "h11": "sys.modules['httptools'] = None",
}
# Slow clients are cut off after half a second.
IMPATIENT = f"{CONNECTIONS}; connections.SECONDS = 0.5"
GET = b"GET /vectors?word=king HTTP/1.1\r\nhost: localhost\r\n\r\n"
CLOSING = GET.replace(b"\r\n\r\n", b"\r\nconnection: close\r\n\r\n")


@pytest.fixture(scope="module", params=["httptools", "h11"])
def server(request):
    pytest.importorskip(request.param)
    with serving("sample", changes=WITHOUT[request.param]) as started:
        yield started


@pytest.fixture(scope="module")
def impatient():
    with serving("sample", changes=IMPATIENT) as started:
        yield started


def still_answers(server):
    assert server.get("/health").status == 200


@posix
@pytest.mark.parametrize("seconds", [0, 0.1, 0.3])
def test_an_interrupt_from_a_terminal_is_quiet(seconds):
    """It goes to all processes, also to workers that are just starting."""
    with serving("sample", "--workers", "2") as started:
        time.sleep(seconds)
        os.killpg(started.process.pid, signal.SIGINT)
        assert started.process.wait(30) == 130


def wait_until(condition):
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.1)


def test_a_server_answers(server):
    answer = server.get("/neighbors?word=king&k=1")
    assert answer.json()["neighbors"][0]["word"] == "queen"
    assert "server" not in answer.headers


def test_other_names_of_the_machine_are_refused(server):
    assert server.ask(CLOSING.replace(b"localhost", b"example.com")).status == 403
    assert server.ask(CLOSING.replace(b"localhost", b"[::1]:80")).status == 200


@posix
@pytest.mark.parametrize("workers", ["1", "2"])
@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_a_signal_ends_all_processes(workers, number, code):
    with serving("sample", "--workers", workers) as started:
        still_answers(started)
        processes = started.processes()
        assert len(processes) > 1 or workers == "1"
        started.process.send_signal(number)
        assert started.process.wait(30) == code
    assert not alive(processes)


# The first request of a slow model takes a second.
SLOW = (
    "import time; from fasttext_lite.model import Model; before = Model.neighbors; "
    "Model.neighbors = lambda *a, **k: (time.sleep(1), before(*a, **k))[1]"
)


@posix
def test_requests_are_answered_before_the_end():
    with serving("sample", changes=SLOW) as started, started.connect() as one:
        one.sendall(CLOSING.replace(b"vectors", b"neighbors"))
        time.sleep(0.3)
        started.process.send_signal(signal.SIGTERM)
        assert Answer.of(read_all(one)).status == 200
        assert started.process.wait(30) == 0


def test_long_requests_do_not_keep_others_waiting():
    with serving("sample", changes=SLOW) as started, started.connect() as one:
        one.sendall(CLOSING.replace(b"vectors", b"neighbors"))
        begin = time.monotonic()
        still_answers(started)
        assert time.monotonic() - begin < 0.9
        assert Answer.of(read_all(one)).status == 200


@posix
def test_workers_end_with_their_parent():
    # Its end is not the one that `serving` expects.
    with suppress(AssertionError), serving("sample", "--workers", "2") as started:
        still_answers(started)
        processes = started.processes()
        started.process.kill()
        started.process.wait(30)
    wait_until(lambda: not alive(processes))


@posix
def test_a_worker_that_dies_is_replaced():
    with serving("sample", "--workers", "2") as started:
        still_answers(started)
        first, second = started.workers()
        os.kill(first, signal.SIGKILL)
        wait_until(lambda: first not in started.workers() and len(started.workers()) == 2)
        assert second in started.workers()
        for _ in range(10):
            still_answers(started)


def test_a_port_in_use_is_said(server, capsys):
    port = server.address.rsplit(":", 1)[1]
    assert main(["serve", "--port", port, "sample"]) == 2
    assert "in use: choose another" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["sample", "--port", "-1"], "port must be at least 0"),
        (["sample", "--workers", "0"], "workers must be at least 1"),
        (["sample", "--host", "nowhere.invalid"], "cannot listen here"),
        (["sample", "another"], "remove 'another'"),
        (["nothing.bin"], "no such file"),
    ],
)
def test_wrong_options_are_said(options, said, capsys):
    assert main(["serve", *options]) == 2
    assert said in capsys.readouterr().err


HEAD = b" HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n"
NO_REQUESTS = [
    (b"\r\n\r\nnothing of HTTP\r\n\r\n", {400}),
    (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", {400}),
    (b"GET\r\n\r\n", {400}),
    (b"GET /" + HEAD + b"\r\n" + b"x", {200}),
    (b"GET /" + HEAD + b"name : value\r\n\r\n", {400}),
    (b"GET /" + HEAD + b"name: a\x00b\r\n\r\n", {400}),
    (b"GET / HTTP/1.1\r\nconnection: close\r\n\r\n", {400, 403}),
    (b"POST /vectors" + HEAD + b"content-length: -1\r\n\r\n", {400}),
    (b"POST /vectors" + HEAD + b"content-length: +9\r\n\r\n", {400}),
    (b"POST /vectors" + HEAD + b"content-length: 5\r\ncontent-length: 6\r\n\r\nabcdef", {400}),
    (b"POST /vectors" + HEAD + b"transfer-encoding: xchunked\r\n\r\n0\r\n\r\n", {400, 501}),
    (b"POST /vectors" + HEAD + b"transfer-encoding: chunked\r\n\r\n-1\r\nabc\r\n", {400}),
    (b"CONNECT localhost:80" + HEAD + b"\r\n", {400, 404, 405}),
    (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", {400, 403, 404, 405}),
    (b"GET /info" + HEAD.replace(b"close", b"upgrade") + b"upgrade: websocket\r\n\r\n", {200, 400}),
    (b"OPTIONS *" + HEAD + b"\r\n", {404, 405}),
]


@pytest.mark.parametrize(("request_", "statuses"), NO_REQUESTS)
def test_what_is_no_good_request_is_refused(server, request_, statuses):
    with server.connect() as one:
        one.sendall(request_)
        one.shutdown(socket.SHUT_WR)
        # A request that waits for more is dropped instead.
        received = read_all(one)
    if received:
        answer = Answer.of(received)
        assert answer.status in statuses
    still_answers(server)


def test_a_second_request_is_not_hidden_in_a_first(server):
    """A length and chunks together, which two programs may read in two ways."""
    hidden = b"0\r\n\r\nGET /info HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n"
    with server.connect() as one:
        one.sendall(
            b"POST /vectors HTTP/1.1\r\nhost: localhost\r\ncontent-length: %d\r\n"
            b"transfer-encoding: chunked\r\n\r\n" % len(hidden) + hidden
        )
        one.shutdown(socket.SHUT_WR)
        received = read_all(one)
    assert b"endpoints" not in received
    assert Answer.of(received).status == 400


def test_requests_in_a_row_are_answered_in_order(server):
    words = [b"king", b"queen", b"war"]
    sent = b"".join(GET.replace(b"king", word) for word in words)
    with server.connect() as one:
        one.sendall(sent + CLOSING)
        received = read_all(one)
    for word in [*words, b"king"]:
        answer = Answer.of(received)
        assert answer.json()["word"] == word.decode()
        received = answer.rest
    assert received == b""


def test_a_client_may_close_its_side_first(server):
    with server.connect() as one:
        one.sendall(GET.replace(b"vectors", b"neighbors"))
        one.shutdown(socket.SHUT_WR)
        assert Answer.of(read_all(one)).status == 200


def test_chunks_are_read(server):
    body = b'{"words": ["king"]}'
    chunks = b"".join(b"1\r\n%c\r\n" % byte for byte in body) + b"0\r\n\r\n"
    head = b"POST /vectors HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n"
    answer = server.ask(head + b"connection: close\r\n\r\n" + chunks)
    assert answer.json()["results"][0]["word"] == "king"


@pytest.mark.parametrize("chunked", [False, True])
def test_ten_megabytes_are_too_many(server, chunked):
    body = b" " * 10_000_000
    request = post("/vectors", body)
    if chunked:
        head = b"POST /vectors HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n"
        request = head + b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
    answer = server.ask(request)
    assert answer.status == 413
    assert "1,048,576 bytes at most" in answer.json()["error"]


def test_a_client_that_asks_first_sends_nothing(server):
    head = post("/vectors", b"", "expect: 100-continue")
    answer = server.ask(head.replace(b"content-length: 0", b"content-length: 10000000"))
    assert answer.status == 413
    request = post("/vectors", b'{"words": ["king"]}', "expect: 100-continue")
    with server.connect() as one:
        one.sendall(request[:-19])
        assert one.recv(100).startswith(b"HTTP/1.1 100 ")
        one.sendall(request[-19:])
        assert Answer.of(read_all(one)).status == 200


@pytest.mark.parametrize("size", [40_000, 200_000, 3_000_000])
def test_huge_heads_are_refused(server, size):
    for line in (b"x-long: %b", b"a:b\r\n" * (size // 5), b"%b"):
        filled = line % (b"a" * size) if b"%" in line else line
        with server.connect() as one:
            with suppress(ConnectionError):
                one.sendall(CLOSING[:-4] + b"\r\n" + filled + b"\r\n\r\n")
            # Or the connection was reset, since the rest was not read.
            with suppress(ConnectionError):
                assert Answer.of(read_all(one)).status in (400, 431)
    still_answers(server)


@pytest.mark.parametrize("part", [b"", b"GET /inf", CLOSING[:-2], post("/vectors", b"{}")[:-1]])
def test_slow_senders_are_cut_off(impatient, part):
    with impatient.connect() as one:
        one.sendall(part)
        received = read_all(one)
    answer = Answer.of(received)
    assert answer.status == 408
    assert answer.headers["connection"] == "close"
    still_answers(impatient)


@pytest.mark.parametrize("request_", [CLOSING, post("/vectors", b'{"words": ["a"]}' + b" " * 99)])
def test_senders_of_single_bytes_are_cut_off(impatient, request_):
    begin = time.monotonic()
    with impatient.connect() as one, suppress(ConnectionError):
        for byte in request_:
            one.sendall(bytes([byte]))
            time.sleep(0.05)
        read_all(one)
    assert time.monotonic() - begin < len(request_) * 0.05
    still_answers(impatient)


def test_a_second_request_is_as_slow_as_a_first(impatient):
    with impatient.connect() as one:
        one.sendall(GET)
        time.sleep(0.2)
        one.sendall(GET[:20])
        received = read_all(one)
    first = Answer.of(received)
    assert first.status == 200
    assert Answer.of(first.rest).status == 408


def test_clients_that_do_not_read_are_cut_off(impatient):
    words = b'{"words": [%b]}' % b", ".join([b'"king"'] * 1000)
    with impatient.connect() as one:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        request = post("/vectors", words).replace(b"connection: close\r\n", b"")
        with pytest.raises(ConnectionError):
            send_forever(one, request)
    still_answers(impatient)


def send_forever(one, request):
    while True:
        one.sendall(request)
        time.sleep(0.05)


def test_connections_that_are_cut_leave_nothing(impatient):
    for part in (b"", GET[:10], GET, post("/neighbors", b"{}")[:-1]):
        one = impatient.connect()
        one.sendall(part)
        # Sends a reset.
        one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        one.close()
    still_answers(impatient)


@linux
def test_a_thousand_connections_and_memory_that_stays():
    resource = pytest.importorskip("resource")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < 4096:
        pytest.skip("the system allows too few connections")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 4096), hard))
    try:
        with serving("sample", changes=f"{CONNECTIONS}; connections.SECONDS = 1") as started:
            sizes = []
            for _ in range(3):
                attack(started)
                sizes.append(started.resident())
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert sizes[2] < sizes[0] + (8 << 20), sizes


def attack(server):
    """Open 1,000 connections; send long and broken bodies in parallel; wait until all is over."""
    with ExitStack() as stack:
        opened = [stack.enter_context(server.connect()) for _ in range(1000)]
        for one in opened[::2]:
            with suppress(ConnectionError):
                one.sendall(GET[:30])
        threads = [threading.Thread(target=send_bodies, args=(server,)) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        answers = [status_of(one) for one in opened]
    assert {*answers} - {None} == {503, 408}
    # What was sent to a connection that is closed resets it.
    assert answers.count(503) > 200
    assert answers.count(503) + answers.count(None) > 450
    still_answers(server)


def status_of(one):
    """The status of an answer; None if the connection was closed."""
    try:
        received = read_all(one)
    except ConnectionError:
        return None
    return Answer.of(received).status if received else None


def send_bodies(server):
    for body in (b" " * 10_000_000, b"[" * 1_000_000, b'{"words": ["' + b"a" * 1_000_000 + b'"]}'):
        # There may be too many connections.
        with suppress(ConnectionError):
            server.ask(post("/neighbors", body))


def test_answers_are_sent_at_once():
    from fasttext_lite.integrations.serving.server import _listening

    # asyncio sets TCP_NODELAY only where the socket names its protocol.
    listening = _listening("127.0.0.1", 0)
    assert listening
    for one in listening:
        with one:
            assert one.proto == socket.IPPROTO_TCP
