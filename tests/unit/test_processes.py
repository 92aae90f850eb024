"""Models in several processes, which run `tests/support/processes.py`."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import subprocess
import sys

import pytest
from support import TESTS

import fasttext_lite as ftl

METHODS = multiprocessing.get_all_start_methods()
forks = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")


@pytest.fixture
def path(tmp_path):
    """Return the path of a copy of the sample model."""
    return str(shutil.copy(ftl.load("sample").info.path, tmp_path / "sample.bin"))


@pytest.fixture
def compact_path(tmp_path):
    ftl.convert("sample", tmp_path / "sample.safetensors")
    return str(tmp_path / "sample.safetensors")


def run(task, *arguments):
    done = subprocess.run(
        [sys.executable, "-m", "support.processes", task, *arguments],
        check=False,
        capture_output=True,
        timeout=120,
        cwd=TESTS,
    )
    assert done.returncode == 0, done.stderr.decode()


@pytest.mark.parametrize("method", METHODS)
def test_workers_of_a_pool_open_the_file_themselves(path, method):
    run("pool", path, method)


@pytest.mark.parametrize("method", METHODS)
def test_a_worker_that_finds_another_file_says_so(path, method):
    run("other_file", path, method)


def test_joblib(path):
    pytest.importorskip("joblib")
    run("joblib", path)


@pytest.mark.parametrize("method", METHODS)
def test_workers_of_a_data_loader(path, method):
    pytest.importorskip("torch")
    run("torch", path, method)


@forks
def test_a_fork_has_what_was_made_before(path):
    run("inherited", path)


@forks
def test_a_fork_while_another_thread_builds_does_not_wait_for_it(path):
    run("building", path)


@forks
def test_a_server_that_forks_has_the_pages_once(compact_path):
    run("server", compact_path)
