"""The package as a whole: installed, importing downwards, its examples true."""

from __future__ import annotations

import ast
import doctest
import importlib
import os
import pkgutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import fasttext_lite
from fasttext_lite._core import cpu, rows

PACKAGE = Path(fasttext_lite.__file__).parent

# A module imports only from those that stand before it.
ORDER = [
    "errors",
    "_core.cpu",
    "_core.subwords",
    "_core.batch",
    "_core.vocabulary",
    "_core.ngrams",
    "_core.rows",
    "_core.embed",
    "_core.decimals",
    "_core.textrows",
    "_core.hashed",
    "_core.tokens",
    "_core.line",
    "_core.ordered",
    "_core.sentences",
    "_core.losses",
    "_core.huffman",
    "_core.predict",
    "_core.own",
    "_core.formatting",
    "_core.codes",
    "_core.nearest",
    "_core.queries",
    "_core.scan",
    "backing",
    "progress",
    "parts",
    "formats.binary",
    "formats.atomic",
    "formats.head",
    "formats.fasttext",
    "formats.safetensors",
    "formats.compact",
    "formats.gzipped",
    "formats.text",
    "formats",
    "parallel",
    "integrity",
    "neighbors",
    "words",
    "metrics",
    "classifier",
    "model",
    "weighting",
    "loading",
    "reduction",
    "conversion",
    "source",
    "quantization",
    "official",
    "exports",
    "compat",
    "compat.fasttext.FastText",
    "compat.fasttext.util",
    "compat.fasttext",
    "compat.gensim.lookup",
    "compat.gensim.similarity",
    "compat.gensim.spelling",
    "compat.gensim.files",
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
    repository = Path(__file__).parents[2]
    assert not PACKAGE.is_relative_to(repository / "fasttext_lite"), "run pytest, after pip install"


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
    for name in (b"tqdm", b"argparse", b"concurrent.futures.thread", b"multiprocessing"):
        assert name not in loaded.split()


def test_fnv1a_reads_bytes_as_signed():
    from fasttext_lite._core.subwords import fnv1a

    assert fnv1a(b"") == 2166136261
    assert fnv1a(b"a") == 0xE40C292C
    assert fnv1a(b"\xff") == ((2166136261 ^ 0xFFFFFFFF) * 16777619) % 2**32


@pytest.mark.parametrize("bucket", [1, 2, 3, 10, 2**20, 2_000_000, 2**31 - 1])
def test_the_row_of_an_ngram_is_its_hash_modulo_the_buckets(bucket):
    from fasttext_lite._core.subwords import Subwords, fnv1a

    subwords = Subwords(3, 6, bucket, 17)
    for number in range(2000):
        for ngram, row in subwords.ngrams(b"%d" % (number * 7919)):
            assert row == 17 + fnv1a(ngram) % bucket


def test_a_prune_index_finds_what_it_holds():
    from fasttext_lite._core.subwords import PruneIndex, Subwords, fnv1a

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


@pytest.mark.parametrize("kernels", cpu.runnable())
def test_every_kind_of_kernel_gives_the_same_bits(kernels):
    code = (
        "import sys, numpy as np, fasttext_lite as ftl\n"
        "from fasttext_lite._core import cpu, rows\n"
        "out = bytearray()\n"
        "for dim in (*range(1, 140), 300, 320, 321, 700):\n"
        "    random = np.random.default_rng(dim)\n"
        "    exact = random.standard_normal((20, dim))\n"
        "    exact *= 10.0 ** random.integers(-9, 5, (20, dim))\n"
        "    scales = random.random(20).astype('f4')\n"
        "    for dtype in ('float32', 'float16', 'int8'):\n"
        "        numbers = random.integers(-128, 128, (20, dim)) if dtype == 'int8' else exact\n"
        "        raw = numbers.astype(dtype).tobytes()\n"
        "        data = memoryview(b'x' * (dim % 7) + raw)[dim % 7 :]\n"
        "        total = np.zeros(dim, 'f4')\n"
        "        given = (data, 20, dim, dtype, scales if dtype == 'int8' else None)\n"
        "        matrix = rows.DenseRows(*given)\n"
        "        matrix.sum(random.integers(0, 20, 45), total)\n"
        "        out += total.tobytes()\n"
        "        vector = random.standard_normal(dim).astype('f4')\n"
        "        found = np.array(matrix.dots(np.arange(20), vector), 'f4')\n"
        "        exact_dots = numbers.astype(dtype).astype('f8') @ vector\n"
        "        exact_dots *= scales if dtype == 'int8' else 1\n"
        "        size = np.abs(numbers.astype(dtype).astype('f8')) @ np.abs(vector)\n"
        "        assert (np.abs(found - exact_dots) <= 1e-6 * (size + 1e-30)).all()\n"
        "        out += found.tobytes()\n"
        "sys.stdout.buffer.write(cpu.chosen().encode() + b'|' + out)\n"
    )
    chosen, sums = {}, {}
    for name in (kernels, "scalar"):
        environment = os.environ | {cpu.VARIABLE: name}
        done = subprocess.run(
            [sys.executable, "-I", "-c", code], capture_output=True, check=True, env=environment
        )
        chosen[name], _, sums[name] = done.stdout.partition(b"|")
    assert chosen[kernels].decode() == kernels
    assert sums[kernels] == sums["scalar"]


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


def test_kernels_that_the_cpu_lacks_are_refused():
    done = subprocess.run(
        [sys.executable, "-I", "-c", "import fasttext_lite"],
        capture_output=True,
        check=False,
        env=os.environ | {cpu.VARIABLE: "abacus"},
    )
    assert done.returncode
    assert b"'abacus'; this CPU can run" in done.stderr


def test_float16_and_int8_rows_are_widened_exactly():
    every = np.arange(1 << 16, dtype=np.uint16).view(np.float16)
    finite = every[~np.isnan(every)]
    total = np.zeros(len(finite), np.float32)
    rows.DenseRows(finite.data.cast("B"), 1, len(finite), "float16").sum(np.zeros(1, int), total)
    np.testing.assert_array_equal(total, finite.astype(np.float32))
    every = np.arange(-128, 128).astype(np.int8)
    total = np.zeros(256, np.float32)
    scales = np.array([0.3], np.float32)
    rows.DenseRows(every.data.cast("B"), 1, 256, "int8", scales).sum(np.zeros(1, int), total)
    np.testing.assert_array_equal(total, every * scales)
