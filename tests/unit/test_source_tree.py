"""The source folder without its compiled modules."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import fasttext_lite


def test_sources_without_compiled_modules_say_what_to_do(tmp_path):
    shutil.copytree(
        Path(fasttext_lite.__file__).parent,
        tmp_path / "fasttext_lite",
        ignore=shutil.ignore_patterns("*.so", "*.pyd", "__pycache__", "data"),
    )
    done = subprocess.run(
        [sys.executable, "-c", "import fasttext_lite"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    message = done.stderr.splitlines()[-1]
    assert message.startswith("ImportError: ")
    assert str(tmp_path / "fasttext_lite") in message
    assert "start Python in another folder" in message
    assert "python -m pip install -e ." in message
