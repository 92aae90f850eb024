"""The reader in JavaScript gives the answers of this package, and refuses damaged files."""

from __future__ import annotations

import json
import re
import shutil
import subprocess

import numpy as np
import pytest
from support import REPOSITORY
from support.builders import HS, NS, OVA, SOFTMAX, SUPERVISED, build
from support.compact_file import FILES
from support.compact_kinds import DTYPES, KINDS, LABELS, UNKNOWN
from support.ranges import Files, served
from support.text import labelled_texts

import fasttext_lite as ftl

READER = REPOSITORY / "js" / "fasttext-lite.js"
PROGRAMS = REPOSITORY / "tests" / "javascript"
NODE = shutil.which("node")
LOSSES = {"softmax": SOFTMAX, "hs": HS, "ova": OVA, "ns": NS}
WORDS = [b"one", b"two", b"</s>", b"", b"<", b"x", b"\xc3\xa9t\xc3\xa9", b"\xff\xfe", *LABELS]
SHORT = [word for word in UNKNOWN if len(word) < 60][:25]
TEXTS = ["", "one two", "three one </s> two", "__label__a onetwo", "__label__unknown three one"]

pytestmark = pytest.mark.skipif(
    NODE is None or not READER.exists(), reason="needs Node and the sources of the reader"
)


def run(program, *arguments):
    done = subprocess.run(
        [NODE, PROGRAMS / program, READER, *arguments],
        capture_output=True, text=True, encoding="utf-8", timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def vector(model, word):
    try:
        return np.asarray(model[word], "<f4").tobytes().hex()
    except ftl.UnknownWordError:
        return "UnknownWordError"


def questions(path):
    """Return what is asked of a file, with the answers of this package."""
    model = ftl.load(path)
    words = [
        *WORDS,
        *SHORT,
        *(word.encode(errors="surrogateescape") for word in list(model.words)[:10]),
    ]
    predictions, neighbors = [], []
    if model.info.kind == "supervised":
        for text in [*TEXTS, *labelled_texts(8)[3:]]:
            best = model.predict(text, k=-1)
            predictions.append(
                (
                    text,
                    [(x, float(p)) for x, p in zip(best.labels, best.probabilities, strict=True)],
                )
            )
    elif len(set(model.words)) == len(model.words):
        for word in [word for word in model.words if word.isprintable()][:3]:
            found = model.neighbors(word, k=5)
            neighbors.append((word, [(*one,) for one in found]))
    return {
        "file": str(path),
        "ranges": "float16" in path.name,
        "vectors": [(word.hex(), vector(model, word)) for word in words],
        "predictions": predictions,
        "neighbors": neighbors,
    }


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Compact files of every kind of model, dtype and loss."""
    folder = tmp_path_factory.mktemp("models")
    many = [b"__label__%d" % i for i in range(17)]
    kinds = KINDS | {
        f"labels, {name}": {
            "model": SUPERVISED, "loss": loss, "labels": many, "word_ngrams": 3, "dim": 7,
            "label_counts": [1 + (i * 7919) % 50 for i in range(17)], "bucket": 60,
        }
        for name, loss in LOSSES.items()
    }  # fmt: skip
    paths = []
    for i, options in enumerate(kinds.values()):
        (folder / "source.bin").write_bytes(build(**options))
        for dtype in DTYPES:
            paths.append(folder / f"{i}-{dtype}.safetensors")
            ftl.convert(folder / "source.bin", paths[-1], dtype)
    for i, (options, dtype, choice) in enumerate(FILES.values()):
        (folder / "source.bin").write_bytes(build(**options))
        paths.append(folder / f"chosen-{i}.safetensors")
        ftl.convert(folder / "source.bin", paths[-1], dtype, **choice)
    return paths


def test_the_answers_are_those_of_this_package(files, tmp_path):
    asked = [questions(path) for path in files]
    (tmp_path / "questions.json").write_text(json.dumps(asked), encoding="utf-8")
    found = run("answers.mjs", str(tmp_path / "questions.json"))
    assert found["differing"] == []
    assert found["asked"] > 2000


def test_damaged_files_are_refused_or_answer(files):
    for i, path in enumerate(path for path in files if "chosen" in path.name):
        found = run("hostile.mjs", str(path), str(i), "400")
        assert found["faults"] == []
        assert found["refused"] > 100
        assert found["answered"] > 20


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    path = tmp_path_factory.mktemp("sample") / "sample.safetensors"
    ftl.convert("sample", path, "float16")
    return path


def ask(files, *words):
    with served(files) as server:
        return run("ranges.mjs", f"{server.address}/model.safetensors", *words)


def expected(path, words):
    model = ftl.load(path)
    return [vector(model, word) for word in words]


def test_a_word_takes_few_ranges(sample):
    found = ask(Files({"/model.safetensors": sample.read_bytes()}), "government")
    assert found["vectors"] == expected(sample, ["government"])
    assert found["traffic"]["requests"] <= 5
    assert found["traffic"]["bytes"] <= 200_000


def test_many_words_take_few_ranges_too(sample):
    words = [*list(ftl.load(sample).words)[10:4000:40], "unknownish", "doomscrolling"]
    found = ask(Files({"/model.safetensors": sample.read_bytes()}), *words)
    assert found["vectors"] == expected(sample, words)
    assert found["traffic"]["requests"] <= 40


def test_a_server_without_ranges_sends_all_once(sample):
    files = Files({"/model.safetensors": sample.read_bytes()}, ranges=False)
    found = ask(files, "government", "unknownish")
    assert found["vectors"] == expected(sample, ["government", "unknownish"])
    assert [size for _, _, size in files.requests] == [sample.stat().st_size]


def changed(answer):
    answer.headers["ETag"] = '"another"'


def grown(answer):
    answer.headers["Content-Range"] = answer.headers["Content-Range"] + "0"


def cut(answer):
    answer.body = answer.body[:-1]


def moved(answer):
    answer.headers["Content-Range"] = "bytes 0-1/2"


def busy(answer):
    answer.status = 503


FAULTS = {
    changed: "has changed",
    grown: "has changed",
    cut: "206",
    moved: "206",
    busy: "503",
}


@pytest.mark.parametrize(("fault", "message"), FAULTS.items())
def test_a_server_that_answers_wrongly_is_an_error(sample, fault, message):
    def change(number, answer):
        if number:
            fault(answer)

    found = ask(Files({"/model.safetensors": sample.read_bytes()}, change=change), "government")
    assert found["error"].startswith("FetchError: http://127.0.0.1")
    assert message in found["error"]


def test_a_missing_file_is_an_error():
    assert "404" in ask(Files({}), "government")["error"]


def test_a_file_of_another_kind_is_an_error(sample):
    found = ask(Files({"/model.safetensors": b"<html>" * 100}), "government")
    assert found["error"].startswith("FormatError: header length")


def test_the_example_of_the_documentation_runs(sample, tmp_path):
    page = (REPOSITORY / "docs" / "javascript.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"^```js\n(.+?)^```$", page, re.MULTILINE | re.DOTALL)
    with served(Files({"/vectors.safetensors": sample.read_bytes()})) as server:
        example = example.replace("https://example.org", server.address)
        example = example.replace("./fasttext-lite.js", READER.as_uri())
        (tmp_path / "example.mjs").write_text(example, encoding="utf-8")
        subprocess.run([NODE, tmp_path / "example.mjs"], check=True, timeout=60)
    assert len(server.requests) > 1
