"""The package as a whole: its installation, the order of its imports, and its examples."""

from __future__ import annotations

import ast
import doctest
import importlib
import pkgutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from support import REPOSITORY

import fasttext_lite

PACKAGE = Path(fasttext_lite.__file__).parent

# A module imports only from modules listed before it.
ORDER = [
    "errors",
    "arguments",
    "once",
    "_core.kernels.cpu",
    "_core.lookup.buckets",
    "_core.lookup.subwords",
    "_core.text.utf8",
    "_core.text.arrow",
    "_core.text.batch",
    "_core.lookup.vocabulary",
    "_core.lookup.dictionary",
    "_core.lookup.ngrams",
    "_core.lookup.rows",
    "_core.lookup.embed",
    "_core.files.numbers",
    "_core.files.textrows",
    "_core.labels.tokens",
    "_core.labels.line",
    "_core.labels.sentences",
    "_core.labels.losses",
    "_core.labels.huffman",
    "_core.labels.predict",
    "_core.files.word_rows",
    "_core.search.codes",
    "_core.search.nearest",
    "_core.search.queries",
    "_core.search.scan",
    "progress",
    "cpu",
    "formats.file",
    "parts",
    "formats.cursor",
    "cosines",
    "casting",
    "formats.atomic",
    "formats.head",
    "formats.fasttext",
    "formats.safetensors",
    "formats.compact",
    "formats.gzipped",
    "formats.compressed",
    "formats.stream",
    "formats.text",
    "formats",
    "parallel",
    "verify",
    "words",
    "vectors",
    "queries",
    "neighbors",
    "lines",
    "predictions",
    "evaluate.labels",
    "layers",
    "classifier",
    "model",
    "reduction",
    "weighting",
    "loading",
    "source",
    "kept",
    "conversion",
    "quantization",
    "formats.fasttext_writer",
    "formats.text_writer",
    "formats.npy",
    "exporting",
    "compat",
    "compat.fasttext.text",
    "compat.fasttext.training",
    "compat.fasttext.meter",
    "compat.fasttext.FastText",
    "compat.fasttext.util",
    "compat.fasttext",
    "compat.gensim.lookup",
    "compat.gensim.similarity",
    "compat.gensim.spelling",
    "compat.gensim.evaluation",
    "compat.gensim.word2vec",
    "compat.gensim.word_movers",
    "compat.gensim.keyed_vectors",
    "compat.gensim.loading",
    "compat.gensim",
    "evaluate.lines",
    "evaluate.blocks",
    "evaluate.pairs",
    "evaluate.questions",
    "evaluate.comparison",
    "evaluate",
    "",
    "cli.output",
    "cli.conversion",
    "cli.evaluation",
    "cli.nearest",
    "cli.prediction",
    "cli",
    "__main__",
]


def module_names():
    found = pkgutil.walk_packages([str(PACKAGE)], "fasttext_lite.")
    return ["fasttext_lite", *(module.name for module in found if "__main__" not in module.name)]


def test_the_installed_package_is_tested():
    assert not PACKAGE.is_relative_to(REPOSITORY / "fasttext_lite"), "run pytest, after pip install"


def imports_of(source: Path):
    for node in ast.walk(ast.parse(source.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("fasttext_lite"):
            for name in node.names:
                module = (node.module or "").removeprefix("fasttext_lite").lstrip(".")
                inner = f"{module}.{name.name}".lstrip(".")
                yield inner if inner in ORDER else module


def test_imports_go_down_only():
    seen = 0
    for source in PACKAGE.rglob("*.py"):
        name = ".".join(source.relative_to(PACKAGE).with_suffix("").parts)
        name = name.removesuffix("__init__").rstrip(".")
        for imported in imports_of(source):
            assert ORDER.index(imported) < ORDER.index(name), f"{name} imports {imported}"
            seen += 1
    assert seen > 30


@pytest.mark.parametrize("name", module_names())
def test_examples_in_docstrings_are_true(name):
    module = importlib.import_module(name)
    assert doctest.testmod(module).failed == 0


def test_all_names_exist_and_are_documented():
    for name in fasttext_lite.__all__:
        assert getattr(fasttext_lite, name).__doc__


def test_what_is_not_needed_is_not_imported():
    code = "import sys, fasttext_lite; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-I", "-c", code], capture_output=True, check=True
    ).stdout
    unneeded = ["tqdm", "argparse", "concurrent.futures.thread", "multiprocessing"]
    unneeded += [
        f"fasttext_lite.{name}"
        for name in ("neighbors", "predictions", "classifier", "evaluate", "_core.search.scan")
    ]
    for name in unneeded:
        assert name.encode() not in loaded.split()


def test_fnv1a_reads_bytes_as_signed():
    from fasttext_lite._core.lookup.subwords import fnv1a

    assert fnv1a(b"") == 2166136261
    assert fnv1a(b"a") == 0xE40C292C
    assert fnv1a(b"\xff") == ((2166136261 ^ 0xFFFFFFFF) * 16777619) % 2**32


@pytest.mark.parametrize("bucket", [1, 2, 3, 10, 2**20, 2_000_000, 2**31 - 1])
def test_the_row_of_an_ngram_is_its_hash_modulo_the_buckets(bucket):
    from fasttext_lite._core.lookup.subwords import Subwords, fnv1a

    subwords = Subwords(3, 6, bucket, 17)
    for number in range(2000):
        for ngram, row in subwords.ngrams(b"%d" % (number * 7919)):
            assert row == 17 + fnv1a(ngram) % bucket


def test_a_prune_index_finds_what_it_holds():
    from fasttext_lite._core.lookup.buckets import PruneIndex
    from fasttext_lite._core.lookup.subwords import Subwords, fnv1a

    random = np.random.default_rng(1)
    for limit, size in ((10, 10), (1000, 3), (2**31 - 1, 5000), (5000, 0)):
        buckets = np.sort(random.choice(limit, size, replace=False)).astype(np.int32)
        rows = random.permutation(size).astype(np.int32)
        where = dict(zip(buckets.tolist(), rows.tolist(), strict=True))
        pruned = Subwords(1, 4, limit, 0, PruneIndex(buckets, rows, limit))
        whole = Subwords(1, 4, limit, 0)
        for number in range(300):
            word = b"%d" % (number * 7919)
            expected = [
                (ngram, where[fnv1a(ngram) % limit])
                for ngram, _ in whole.ngrams(word)
                if fnv1a(ngram) % limit in where
            ]
            assert pruned.ngrams(word) == expected


@pytest.mark.parametrize(
    ("change", "found"),
    [("byteorder = 'big'", "big-endian Python of 64 bits"), ("maxsize = 2**31 - 1", "of 32 bits")],
)
def test_other_machines_are_refused_before_anything_else(change, found):
    code = (
        f"import sys; sys.{change}\n"
        "try: import fasttext_lite\n"
        "except ImportError as error: print(error, 'numpy' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, check=True)
    assert b"needs a 64-bit little-endian machine" in done.stdout
    assert done.stdout.decode().rstrip().endswith(f"{found} False")
