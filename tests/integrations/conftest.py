"""A limit on the time of tests that wait for other processes."""

from __future__ import annotations

import signal

import pytest

SECONDS = 240


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item):
    """Interrupt a test after some minutes: a cluster may wait forever for a process that died."""
    if not item.get_closest_marker("engines") or not hasattr(signal, "SIGALRM"):
        return (yield)

    def interrupt(*_):
        raise TimeoutError(f"{item.nodeid} took more than {SECONDS} s")

    before = signal.signal(signal.SIGALRM, interrupt)
    signal.alarm(SECONDS)
    try:
        return (yield)
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
