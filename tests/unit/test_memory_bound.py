"""Opening a file and querying it allocates at most 16 times its size plus 64 MiB."""

from __future__ import annotations

import itertools
import json
import os
import random
import string
import subprocess
import sys

import pytest
from support.builders import HS, OVA, SUPERVISED, Quantizer, build, build_with_layout
from support.magnitude import SCHEMA, database, magnitude

import fasttext_lite as ftl

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="the limit on memory needs Linux"
)

# The queries run on one thread, so that malloc creates no arenas for others.
CHILD = """
import os, resource, sys
import numpy as np
import fasttext_lite as ftl

def ask(path, mmap):
    try:
        model = ftl.load(path, mmap=mmap)
        words = list(model.words[:3]) + ["unknown"]
        for word in words:
            model.get(word)
            model.subwords(word)
        model.vectors(words[:-1], threads=1)
        model.sentence_vector(" ".join(words))
        if model.info.kind == "supervised":
            model.predict("one two", k=2)
    except ftl.FastTextLiteError as error:
        return type(error).__name__
    return "answers"

sample, *paths = sys.argv[1:]
for path in (sample, "sample"):
    ask(path, True)
for path in paths:
    size = os.path.getsize(path)
    with open("/proc/self/statm") as file:
        now = int(file.read().split()[0]) * resource.getpagesize()
    for mmap in (True, False):
        most = now + size + 16 * size + (64 << 20)
        resource.setrlimit(resource.RLIMIT_AS, (most, resource.RLIM_INFINITY))
        try:
            print(os.path.basename(path), ask(path, mmap))
        except MemoryError:
            sys.exit(f"{path} takes more, mmap={mmap}")
"""


def ask_within_bound(paths, sample):
    """Open and query each file in a process with limited memory, and return the results."""
    done = subprocess.run(
        [sys.executable, "-I", "-c", CHILD, sample, *paths],
        capture_output=True,
        text=True,
        check=False,
        # Without threads of OpenBLAS, which allocate memory.
        env=os.environ | {"OPENBLAS_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr
    return dict(line.split() for line in done.stdout.splitlines())


@pytest.fixture
def sample(tmp_path):
    """Return a classifier, whose prediction makes Python's one-time allocations in advance."""
    path = tmp_path / "sample.bin"
    path.write_bytes(build(model=SUPERVISED, labels=[b"__label__a", b"__label__b"]))
    return path


def short_words(count):
    """Return distinct words of up to four bytes."""
    letters = string.ascii_letters + string.digits
    longest = itertools.product(letters, repeat=4)
    return [b"</s>", *("".join(word).encode() for word in itertools.islice(longest, count))]


def heaviest_files(folder):
    """Write for each format the file that needs the most memory for its size."""
    words = short_words(300_000)
    labels = [b"__label__" + word for word in words[:100_000]]
    thin = {"dim": 1, "bucket": 0, "words": words}
    classes = {"dim": 1, "model": SUPERVISED, "words": words[:3]}
    pairs = [(i, i) for i in range(300_000)]
    files = {
        "dictionary.bin": build(**thin),
        "labels.bin": build(**classes, bucket=10, labels=labels, loss=OVA),
        "huffman.bin": build(**classes, bucket=10, labels=labels, loss=HS),
        "pruned.ftz": build(
            **classes,
            bucket=2**31 - 1,
            labels=labels[:2],
            prune=pairs,
            input_quantizer=Quantizer(dsub=1),
        ),
        "quantiser.ftz": build(
            dim=2000, model=SUPERVISED, labels=labels[:2], input_quantizer=Quantizer(dsub=1)
        ),
        "head.vec": b"300001 1\n" + b"".join(b"%s 1\n" % word for word in words),
        "no_head.vec": b"".join(b"%s 1 1\n" % word for word in words),
        "binary.vec": b"300001 1\n" + b"".join(b"%s \0\0\x80?" % word for word in words),
        "repeats.vec": b"600000 1\n" + b"a 1\n" * 600_000,
        "table.floret": b"300000 1 3 6 4 2166136261 < >\n"
        + b"".join(b"%d 1\n" % i for i in range(300_000)),
        "floret.bin": build(**thin | {"floret": (2, 4), "bucket": 1}),
        "vectors.magnitude": magnitude([(word, (1,)) for word in words], 1),
        # A header of the maximum length, with the most memory as Python objects.
        "header.safetensors": (1 << 20).to_bytes(8, "little")
        + (b'{"a":[' + b"{}," * 349522 + b"{}]}").ljust(1 << 20),
    }
    for name, data in files.items():
        (folder / name).write_bytes(data)
    ftl.convert(folder / "dictionary.bin", folder / "compact.safetensors", dtype="int8")
    ftl.convert(folder / "pruned.ftz", folder / "pruned.safetensors")
    return [*files, "compact.safetensors", "pruned.safetensors"]


def test_the_heaviest_files_stay_within_the_bound(tmp_path, sample):
    names = heaviest_files(tmp_path)
    found = ask_within_bound([tmp_path / name for name in names], sample)
    assert found == dict.fromkeys(names, "answers") | {"header.safetensors": "FormatError"}


def lies_of_fasttext():
    """Yield files with a very large value in each number of the head and each later size."""
    for kind, options in {
        "dense": {},
        "quantised": {
            "model": SUPERVISED,
            "labels": [b"__label__a"],
            "prune": [(3, 0), (1, 1)],
            "input_quantizer": Quantizer(dsub=2, qnorm=True),
            "output_quantizer": Quantizer(dsub=2),
        },
        "empty": {"words": [], "bucket": 0},
        "floret": {"floret": (2, 4)},
    }.items():
        data, layout = build_with_layout(**options)
        for name, field in layout.fields.items():
            if field.format in ("i", "q"):
                for value in (2**31 - 1, 2**24, 2 ** (8 * field.size - 1) - 1):
                    yield f"{kind}.{name}.{value}", layout.patch(data, {name: value})


def lies_of_the_compact_file(data):
    """Yield files with a very large value in each number of the metadata and each shape."""
    size = int.from_bytes(data[:8], "little")
    original = json.loads(data[8 : 8 + size])

    def packed(header):
        text = json.dumps(header).encode()
        text += b" " * (-(len(text) + 8) % 64)
        return len(text).to_bytes(8, "little") + text + data[8 + size :]

    model = json.loads(original["__metadata__"]["model"])
    for name, value in model.items():
        if isinstance(value, int):
            header = json.loads(json.dumps(original))
            header["__metadata__"]["model"] = json.dumps(model | {name: 2**31 - 1})
            yield f"compact.{name}", packed(header)
    for name in set(original) - {"__metadata__"}:
        for axis in range(len(original[name]["shape"])):
            header = json.loads(json.dumps(original))
            header[name]["shape"][axis] = 2**40
            yield f"compact.{name}.{axis}", packed(header)


def lies_of_magnitude():
    """Yield files in which each setting is as large as possible, or a word claims much memory."""
    rows = [("one", (1, 2)), ("two", (3, 4))]
    for name in ("size", "dim", "precision", "version", "entropy"):
        for value in (2**31 - 1, 2**24, 2**63 - 1):
            yield f"magnitude.{name}.{value}", magnitude(rows, 2, {name: value})
    schema = [SCHEMA[0].replace("{dims}", "dim_0 AS (zeroblob(900000000)), dim_1"), SCHEMA[1]]
    yield "magnitude.computed", database(*schema)


def test_lies_about_sizes_allocate_nothing(tmp_path, sample):
    ftl.convert(sample, tmp_path / "compact")
    empty = tmp_path / "empty.bin"
    empty.write_bytes(build(words=[], bucket=0))
    ftl.convert(empty, tmp_path / "empty")
    lies = {
        **dict(lies_of_fasttext()),
        **dict(lies_of_the_compact_file((tmp_path / "compact").read_bytes())),
        **{
            f"empty.{name}": lie
            for name, lie in lies_of_the_compact_file((tmp_path / "empty").read_bytes())
        },
        "rows.vec": b"2147483647 2\na 1 2\n",
        "dim.vec": b"1 2147483647\na 1 2\n",
        "nothing.vec": b"0 16777216\n",
        "rows.floret": b"2147483647 2 3 6 2 2166136261 < >\n0 1 2\n",
        "dim.floret": b"1 16777216 3 6 2 2166136261 < >\n0 1 2\n",
        **dict(lies_of_magnitude()),
        "header.safetensors": (100_000_000).to_bytes(8, "little") + b'{"a"' + bytes(100),
    }
    folder = tmp_path / "lies"
    folder.mkdir()
    for name, data in lies.items():
        (folder / name).write_bytes(data)
    found = ask_within_bound([folder / name for name in lies], sample)
    assert set(found) == set(lies)
    for name in ("dense.dim.2147483647", "empty.dim.2147483647", "empty.compact.dim"):
        assert found[name] == "FormatError"
    for name in lies:
        if name.startswith("magnitude.") and "entropy" not in name:
            assert found[name] == "FormatError"
    for name in (
        "rows.vec", "dim.vec", "nothing.vec", "header.safetensors", "rows.floret", "dim.floret",
    ):  # fmt: skip
        assert found[name] == "FormatError"


CONVERTING = """
import resource, sys
import fasttext_lite as ftl

source, target = sys.argv[1:]
ftl.convert("sample", target, subwords="used", threads=1)
with open("/proc/self/statm") as file:
    now = int(file.read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (now + (64 << 20), resource.RLIM_INFINITY))
print(ftl.convert(source, target, subwords="used", threads=1).subword_rows)
"""


def test_the_ngrams_of_a_long_word_take_no_memory_in_a_conversion(tmp_path):
    source = tmp_path / "source.bin"
    word = random.Random(0).randbytes(1500).replace(b"\0", b"x").replace(b"\n", b"x")
    # A negative maxn sets no limit on the length: the text of all n-grams would take 500 MB.
    source.write_bytes(build(words=[word], bucket=2000, maxn=-1))
    done = subprocess.run(
        [sys.executable, "-I", "-c", CONVERTING, source, tmp_path / "target"],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"OPENBLAS_NUM_THREADS": "1"},
    )
    assert (done.stdout, done.stderr) == ("2000\n", "")
