"""The code in the README and the documentation runs.

The models and texts that it names are small ones here. In shell blocks the commands of the package
are run; the others install it, or take long.
"""

from __future__ import annotations

import gzip
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from contextlib import ExitStack
from importlib.util import find_spec

import pytest
from support import GOLDEN, REPOSITORY
from support.clusters import RAY_ENVIRONMENT, spark_environment, temporary_folder
from support.ranges import Answer, Files, served
from support.servers import serving

import fasttext_lite as ftl
from fasttext_lite.cli import main

PAGES = {
    page.name: page.read_text(encoding="utf-8")
    for page in [REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").glob("*.md"))]
}
# Their code starts an engine of several processes.
CLUSTERS = ("spark.md", "ray.md", "datasets.md", "datatrove.md", "nemo-curator.md")
# Their code needs what stands on top of vectors, and the modules that it needs.
FRAMEWORKS = {
    "other-libraries.md": ["gensim", "langchain_core", "txtai"],
    "scikit-learn.md": ["sklearn", "pandas"],
    "model2vec.md": ["model2vec", "sentence_transformers"],
    "spacy.md": ["spacy"],
    "torch.md": ["torch"],
}
# Pages whose Python code is tested with a marker.
ELSEWHERE = (*CLUSTERS, *FRAMEWORKS, "map.md")
# What the code of a page needs besides the package.
MAPS = ["openTSNE", "matplotlib", "pyarrow"]
LIBRARIES = {
    "annotate.md": ["pyarrow", "duckdb"],
    "data-frames.md": ["pandas", "polars", "pyarrow", "duckdb"],
    "datasets.md": ["datasets", "dask.dataframe"],
    "datatrove.md": ["datatrove", "fasteners", "orjson", "regex"],
    "nemo-curator.md": ["nemo_curator"],
    "server.md": ["starlette", "uvicorn"],
}
# The page of commands that run until they are interrupted.
SERVER = "server.md"


def blocks(page, language):
    """The blocks of a page, each at its lines, so that a traceback names the line of the page."""
    text = PAGES[page]
    code = ["\n"] * text.count("\n")
    for block in re.finditer(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        first = text[: block.start(1)].count("\n")
        lines = block[1].splitlines(keepends=True)
        code[first : first + len(lines)] = lines
    return "".join(code)


def shell_words(page):
    """The words of each line of the page's shell code."""
    code = blocks(page, "sh").replace("\\\n", " ")
    lines = [line for line in re.split(r"\n|&&", code) if line.strip()]
    return [shlex.split(line, comments=True) for line in lines]


def commands(page):
    """What the page asks the command line for, as lists of arguments."""
    return [arguments for name, *arguments in shell_words(page) if name == "fasttext-lite"]


def write_corpus(folder):
    from pyarrow import output_stream, parquet, table

    (folder / "corpus" / "en").mkdir(parents=True)
    parquet.write_table(table({"text": ["a text"]}), folder / "corpus" / "en" / "a.parquet")
    with output_stream(str(folder / "pages.jsonl.zst"), compression="zstd") as lines:
        lines.write(b'{"raw_content": "a text"}\n')


@pytest.fixture
def folder(tmp_path):
    if find_spec("pyarrow"):
        write_corpus(tmp_path)
    shutil.copy(ftl.load("sample").info.path, tmp_path / "cc.en.300.bin")
    shutil.copy(GOLDEN / "pruned.ftz", tmp_path / "lid.176.ftz")
    shutil.copy(GOLDEN / "softmax.bin", tmp_path / "model.bin")
    ftl.convert("sample", tmp_path / "cc.en.300.safetensors", max_words=100)
    ftl.export("sample", tmp_path / "cc.en.300.vec")
    shutil.copy(tmp_path / "cc.en.300.vec", tmp_path / "glove.6B.300d.txt")
    labels = ftl.load(GOLDEN / "softmax.bin").labels[0], ftl.load(GOLDEN / "pruned.ftz").labels[0]
    (tmp_path / "valid.txt").write_text("".join(f"{label} a line\n" for label in labels))
    (tmp_path / "texts.txt").write_text("a line of text\nanother line\n")
    (tmp_path / "wordsim353.tsv").write_text("king\tqueen\t8.5\nking\twar\t3\nwar\tpeace\t5\n")
    (tmp_path / "questions-words.txt").write_text(": family\nking queen man woman\n")
    return tmp_path


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    """Stand-ins of the servers that the page about them names."""
    model = (GOLDEN / "softmax.bin").read_bytes()
    commit = "c" * 40
    answer = Answer(200, {"X-Repo-Commit": commit, "ETag": '"1"'}, model)
    content = {
        "/supervised-models/lid.176.bin": model,
        "/vectors-crawl/cc.de.300.bin.gz": gzip.compress(model),
    }
    routes = {f"/cis-lmu/glotlid/resolve/{one}/model.bin": answer for one in ("main", commit)}
    with served(Files(content, routes=routes)) as server:
        monkeypatch.setenv("FASTTEXT_LITE_SITE", server.address)
        monkeypatch.setenv("HF_ENDPOINT", server.address)
        monkeypatch.setenv("FASTTEXT_LITE_CACHE", str(tmp_path / "cache"))
        monkeypatch.setenv("HF_HOME", str(tmp_path / "hub"))
        # The client reads its environment when it is imported.
        monkeypatch.setitem(sys.modules, "huggingface_hub", None)
        yield


def run_code(page, folder, *options, env=None):
    (folder / "page.py").write_text(blocks(page, "python"), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-I", "-W", "error", *options, "page.py"],
        check=False,
        capture_output=True,
        cwd=folder,
        env=env,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr.decode()


@pytest.mark.parametrize(
    "page",
    [page for page in PAGES if blocks(page, "python").strip() and page not in ELSEWHERE],
)
def test_python_code_of_a_page_runs(folder, page, elsewhere):
    for library in LIBRARIES.get(page, ()):
        pytest.importorskip(library)
    run_code(page, folder)


@pytest.mark.frameworks
@pytest.mark.parametrize("page", FRAMEWORKS)
def test_code_on_top_of_vectors(folder, page):
    for library in FRAMEWORKS[page]:
        pytest.importorskip(library, reason=f"{library} is not installed")
    run_code(page, folder, env=os.environ | {"HF_HUB_OFFLINE": "1"})


@pytest.mark.engines
class TestClusters:
    """The code of pages that start an engine of several processes."""

    def test_spark(self, folder, tmp_path_factory):
        pytest.importorskip("pyspark", reason="pyspark is not installed")
        pytest.importorskip("pandas", reason="Spark needs pandas for its Arrow functions")
        if not shutil.which("java"):
            pytest.skip("Java is not installed")
        environment = spark_environment(tmp_path_factory.mktemp("spark") / "home")
        # Spark warns of pandas 3.
        run_code("spark.md", folder, "-W", "ignore::FutureWarning", env=os.environ | environment)

    def test_ray(self, folder):
        pytest.importorskip("ray", reason="Ray is not installed")
        # Ray calls parts of itself that are deprecated.
        quiet = ("-W", "ignore::DeprecationWarning", "-W", "ignore::FutureWarning")
        with temporary_folder() as ray_folder:
            folders = {"RAY_TMPDIR": ray_folder, "TMPDIR": str(folder)}
            run_code("ray.md", folder, *quiet, env=os.environ | RAY_ENVIRONMENT | folders)
        assert list(folder.glob("fasttext-lite-*/*/lid.176.ftz"))

    @pytest.mark.parametrize("page", ["datasets.md", "datatrove.md", "nemo-curator.md"])
    def test_steps_of_other_pipelines(self, folder, page):
        for library in LIBRARIES[page]:
            pytest.importorskip(library, reason=f"{library} is not installed")
        # NeMo Curator calls parts of Ray that are deprecated.
        quiet = ("-W", "ignore::DeprecationWarning", "-W", "ignore::FutureWarning")
        run_code(page, folder, *quiet, env=os.environ | RAY_ENVIRONMENT | {"HF_HUB_OFFLINE": "1"})


@pytest.mark.browser
class TestMaps:
    """The page about maps, in the environment of their tests."""

    def test_python_code_runs(self, folder):
        for library in MAPS:
            pytest.importorskip(library)
        run_code("map.md", folder)

    def test_commands_run(self, folder, monkeypatch, capsysbinary):
        for library in MAPS:
            pytest.importorskip(library)
        run_commands("map.md", folder, monkeypatch, capsysbinary)


@pytest.mark.parametrize(
    "page", [page for page in PAGES if commands(page) and page not in (SERVER, "map.md")]
)
def test_commands_of_a_page_run(folder, page, elsewhere, monkeypatch, capsysbinary):
    for library in LIBRARIES.get(page, ()):
        pytest.importorskip(library)
    run_commands(page, folder, monkeypatch, capsysbinary)


def run_commands(page, folder, monkeypatch, capsysbinary):
    monkeypatch.chdir(folder)
    for arguments in commands(page):
        code = main(arguments)
        printed, errors = capsysbinary.readouterr()
        assert code == 0, errors.decode()
        assert printed or "convert" in arguments


def test_servers_of_a_page_answer_what_is_asked(folder, monkeypatch):
    for library in LIBRARIES[SERVER]:
        pytest.importorskip(library)
    curl = shutil.which("curl")
    if not curl:
        pytest.skip("curl is not installed")
    run_code(SERVER, folder)
    monkeypatch.chdir(folder)
    answered = 0
    with ExitStack() as stack:
        for name, *arguments in shell_words(SERVER):
            if name == "fasttext-lite":
                command, target, *options = arguments
                assert command == "serve"
                server = stack.enter_context(serving(target, *options, "--port", "0"))
                continue
            assert name == "curl"
            address = arguments[0].replace("http://127.0.0.1:8000", server.address)
            asked = [curl, "-s", "-f", address, *arguments[1:]]
            done = subprocess.run(asked, capture_output=True, check=True, timeout=60)
            answered += bool(json.loads(done.stdout))
    assert answered >= 5


def test_no_page_and_no_block_is_overlooked():
    assert {"README.md", "guide.md", "compat-fasttext.md", "compat-gensim.md"} <= set(PAGES)
    assert len(commands("README.md")) >= 5
    assert len(commands("guide.md")) >= 10
    for text in PAGES.values():
        opened = re.findall(r"^```(.+)$", text, re.MULTILINE)
        # test_javascript runs those of JavaScript.
        assert set(opened) <= {"python", "sh", "ini", "js"}
        assert len(opened) * 2 == len(re.findall(r"^```", text, re.MULTILINE))
