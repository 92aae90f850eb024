"""The scripts in ``examples/`` run, and print something."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from support import REPOSITORY

SCRIPTS = sorted((REPOSITORY / "examples").glob("*.py"))

pytestmark = pytest.mark.frameworks


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_an_example_runs(script, tmp_path):
    assert len(script.read_text(encoding="utf-8").splitlines()) < 60
    done = subprocess.run(
        [sys.executable, "-I", script],
        check=False,
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=os.environ | {"HF_HUB_OFFLINE": "1", "PYTHONIOENCODING": "utf-8"},
        encoding="utf-8",
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("\n") >= 3
