"""The package as a whole: its installation, the order of its imports, and its examples."""

from __future__ import annotations

import ast
import doctest
import importlib
import importlib.metadata
import json
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from support import REPOSITORY

import fasttext_lite

PACKAGE = Path(fasttext_lite.__file__).parent
# Installed without them, or tested apart from them.
SOURCES = REPOSITORY / "fasttext_lite" / "_core"

# A module imports only from modules listed before it.
ORDER = [
    "errors",
    "arguments",
    "once",
    "texts",
    "_core.kernels.cpu",
    "_core.lookup.buckets",
    "_core.lookup.subwords",
    "_core.text.lock",
    "_core.text.utf8",
    "_core.text.arrow",
    "_core.text.columns",
    "_core.text.batch",
    "_core.lookup.vocabulary",
    "_core.lookup.dictionary",
    "_core.lookup.rows",
    "_core.lookup.incidence",
    "_core.lookup.mapped",
    "_core.lookup.embed",
    "_core.lookup.ngrams",
    "_core.files.numbers",
    "_core.files.rowparser",
    "_core.files.textrows",
    "_core.files.binaryrows",
    "_core.labels.tokens",
    "_core.labels.line",
    "_core.labels.features",
    "_core.labels.sentences",
    "_core.labels.losses",
    "_core.labels.flat",
    "_core.labels.huffman",
    "_core.labels.choice",
    "_core.labels.predict",
    "_core.files.word_rows",
    "_core.search.codes",
    "_core.search.nearest",
    "_core.search.queries",
    "_core.search.scan",
    "_core.search.graph",
    "_core.search.heaps",
    "_core.search.walk",
    "_core.search.whispers",
    "progress",
    "cpu",
    "formats.disk",
    "formats.stream",
    "formats.file",
    "parts",
    "formats.cursor",
    "cosines",
    "casting",
    "formats.atomic",
    "formats.foreign",
    "formats.head",
    "formats.fasttext",
    "formats.safetensors",
    "formats.compact",
    "formats.gzipped",
    "formats.compressed",
    "formats.text_layout",
    "formats.word_vectors",
    "formats.model2vec",
    "formats.text",
    "formats.floret",
    "formats.magnitude",
    "formats.archives",
    "formats.unpacking",
    "formats",
    "parallel",
    "arrays",
    "verify",
    "words",
    "vectors",
    "queries",
    "graph",
    "neighbors",
    "lines",
    "mapping",
    "predictions",
    "evaluate.labels",
    "layers",
    "keywords",
    "classifier",
    "model",
    "reduction",
    "weighting",
    "hub.transport",
    "hub.addresses",
    "hub.locks",
    "hub.fetching",
    "hub.cache",
    "hub.repositories",
    "hub",
    "hub.streams",
    "hub.ranges",
    "hub.sparse",
    "loading",
    "remote",
    "model_path",
    "columns",
    "frames",
    "annotator",
    "integrations",
    "integrations.polars",
    "integrations.duckdb",
    "integrations.datatrove",
    "integrations.nemo_curator",
    "integrations.shipping",
    "integrations.spark",
    "integrations.ray",
    "integrations.sklearn.estimator",
    "integrations.sklearn.vectorizer",
    "integrations.sklearn.classifier",
    "integrations.sklearn",
    "integrations.spacy.saved",
    "integrations.spacy.vectors",
    "integrations.spacy.language",
    "integrations.spacy",
    "annotation.pieces",
    "annotation.places",
    "annotation.records",
    "annotation.filters",
    "annotation.tables",
    "annotation.lines",
    "annotation",
    "source",
    "kept",
    "graph_building",
    "items",
    "graph_file",
    "neighbor_graph",
    "whispers",
    "cluster_files",
    "clusters",
    "clustering",
    "conversion",
    "downloading",
    "publishing",
    "spelling",
    "collection",
    "content",
    "formats.text_index",
    "text_embedding",
    "text_building",
    "ngram_fitting.least_squares",
    "ngram_fitting.blocks",
    "ngram_fitting.report",
    "ngram_fitting.words",
    "ngram_fitting",
    "quantization",
    "formats.fasttext_writer",
    "formats.text_writer",
    "formats.npy",
    "formats.model2vec_writer",
    "exporting",
    "integrations.torch.storage",
    "integrations.torch.bags",
    "integrations.torch.saving",
    "integrations.torch.state",
    "integrations.torch.embedding",
    "integrations.torch.texts",
    "integrations.torch",
    "compat",
    "compat.fasttext.text",
    "compat.fasttext.training",
    "compat.fasttext.derived",
    "compat.fasttext.meter",
    "compat.fasttext.binding",
    "compat.fasttext.FastText",
    "compat.fasttext.util",
    "compat.fasttext",
    "compat.gensim.identity",
    "compat.gensim.lookup",
    "compat.gensim.similarity",
    "compat.gensim.spelling",
    "compat.gensim.evaluation",
    "compat.gensim.word2vec",
    "compat.gensim.word_movers",
    "compat.gensim.conversion",
    "compat.gensim.files",
    "compat.gensim.in_memory",
    "compat.gensim.keyed_vectors",
    "compat.gensim.loading",
    "compat.gensim",
    "evaluate.lines",
    "evaluate.blocks",
    "evaluate.alignment",
    "evaluate.unknown",
    "evaluate.pairs",
    "evaluate.questions",
    "evaluate.comparison",
    "evaluate.recall",
    "evaluate",
    "text_search",
    "text_index",
    "maps.parts",
    "maps.layout",
    "maps.grouping",
    "maps.pages",
    "maps.drawing",
    "maps.tables",
    "maps",
    "",
    "integrations.serving.parameters",
    "integrations.serving.answers",
    "integrations.serving.application",
    "integrations.serving.connections",
    "integrations.serving.server",
    "integrations.serving",
    "cli.output",
    "cli.conversion",
    "cli.indexing",
    "cli.downloads",
    "cli.texts",
    "cli.fitting",
    "cli.evaluation",
    "cli.nearest",
    "cli.clustering",
    "cli.prediction",
    "cli.annotation",
    "cli.serving",
    "cli.maps",
    "cli",
    "__main__",
    "_pyinstaller",
    "_pyinstaller.hook-fasttext_lite",
]

# What examples need besides what their module needs.
LIBRARIES = {
    "fasttext_lite.annotation.lines": "pyarrow",
    "fasttext_lite.annotation.tables": "pyarrow",
    "fasttext_lite.evaluate.alignment": "scipy",
    "fasttext_lite.integrations.duckdb": "duckdb",
}


def module_names():
    found = pkgutil.walk_packages([str(PACKAGE)], "fasttext_lite.")
    # A hook is run by PyInstaller, and not imported.
    return ["fasttext_lite", *(one.name for one in found if not re.search("__main__|-", one.name))]


def is_installed_from(repository: Path) -> bool:
    """Whether the environment has the package as an editable install of these sources."""
    for distribution in importlib.metadata.distributions(name="fasttext-lite"):
        origin = json.loads(distribution.read_text("direct_url.json") or "{}")
        if origin.get("url") == repository.as_uri() and origin["dir_info"].get("editable"):
            return True
    return False


def test_the_installed_package_is_tested():
    """Not the source folder that hides it, unless that is installed in place."""
    # The environment itself may be in the repository.
    sources = (REPOSITORY / "fasttext_lite").resolve()
    assert PACKAGE.resolve() != sources or is_installed_from(REPOSITORY), (
        "run pytest, after pip install"
    )


def imported_module(module: str, name: str = "") -> str | None:
    """Which module of ORDER `from module import name` imports, if one of the package."""
    if module.split(".")[0] != "fasttext_lite":
        return None
    module = module.removeprefix("fasttext_lite").lstrip(".")
    inner = f"{module}.{name}".lstrip(".")
    return inner if inner in ORDER else module


def python_imports(code: str):
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.ImportFrom):
            yield from (imported_module(node.module or "", name.name) for name in node.names)
        elif isinstance(node, ast.Import):
            yield from (imported_module(name.name) for name in node.names)


CYTHON_IMPORT = re.compile(
    r"^[ \t]*(?:from[ \t]+([\w.]+)[ \t]+)?c?import[ \t]+(\([^)]*\)|[^\n#]+)", re.MULTILINE
)


def cython_imports(code: str):
    for module, names in CYTHON_IMPORT.findall(re.sub(r"\\\n|#.*", " ", code)):
        for name in re.sub(r"[()]|\bas\s+\w+", " ", names).replace(",", " ").split():
            yield imported_module(module, name) if module else imported_module(name)


def check_downward(name: str, imported):
    """Check the imports of a module; return how many are of the package."""
    places = [ORDER.index(module) for module in imported if module is not None]
    upward = [ORDER[place] for place in places if place >= ORDER.index(name)]
    assert not upward, f"{name} imports {upward}"
    return len(places)


def module_name(source: Path, package: Path):
    name = ".".join(source.relative_to(package).with_suffix("").parts)
    return name.removesuffix("__init__").rstrip(".")


def test_imports_go_down_only():
    assert (
        sum(
            check_downward(module_name(source, PACKAGE), python_imports(source.read_text()))
            for source in PACKAGE.rglob("*.py")
        )
        > 300
    )


@pytest.mark.skipif(not SOURCES.is_dir(), reason="the sources are not there")
def test_imports_of_the_compiled_modules_go_down_only():
    sources = [*SOURCES.rglob("*.pyx"), *SOURCES.rglob("*.pxd")]
    assert len(sources) > 30
    for source in sources:
        name = module_name(source, SOURCES.parent)
        # Its declarations are its own.
        imported = [module for module in cython_imports(source.read_text()) if module != name]
        check_downward(name, imported)


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("from fasttext_lite._core.search.scan cimport Search", ["_core.search.scan"]),
        ("    from fasttext_lite.model import Model  # late", ["model"]),
        (
            "from fasttext_lite._core.search cimport (\n    codes,\n    scan as s,\n)",
            ["_core.search.codes", "_core.search.scan"],
        ),
        ("cimport fasttext_lite._core.search.scan as scan", ["_core.search.scan"]),
        ("from fasttext_lite import \\\n    cli", ["cli"]),
        ("from libc.math cimport exp", [None]),
        ("# from fasttext_lite.model import Model", []),
    ],
)
def test_imports_are_found_in_cython_code(line, found):
    assert list(cython_imports(line)) == found


@pytest.mark.parametrize("name", module_names())
def test_examples_in_docstrings_are_true(name):
    if name in LIBRARIES:
        pytest.importorskip(LIBRARIES[name])
    try:
        module = importlib.import_module(name)
    except fasttext_lite.MissingExtraError as error:
        pytest.skip(str(error))
    assert doctest.testmod(module).failed == 0


def test_all_names_exist_and_are_documented():
    for name in fasttext_lite.__all__:
        value = getattr(fasttext_lite, name)
        if isinstance(value, str):
            # Its documentation is that of all texts.
            assert name in ("SAMPLE", "__version__")
        else:
            assert value.__doc__, name
    assert re.fullmatch(r"\d+\.\d+\.\d+", fasttext_lite.__version__)
    assert fasttext_lite.load(fasttext_lite.SAMPLE)


def test_what_is_not_needed_is_not_imported():
    code = "import sys, numpy; before = set(sys.modules); import fasttext_lite; "
    code += "print(*sys.modules.keys() - before)"
    done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, check=True)
    imported = set(done.stdout.decode().split())
    needed = [
        *("errors", "arguments", "once", "parallel", "progress", "parts", "verify", "words"),
        *("vectors", "queries", "model", "loading", "formats", "formats.disk", "formats.file"),
        *("formats.cursor", "formats.head", "formats.fasttext", "texts"),
    ]
    ours = {f"fasttext_lite.{name}" for name in ORDER if name}
    core = ("kernels", "text", "lookup")
    needed += [name for name in ORDER if name.startswith(tuple(f"_core.{part}." for part in core))]
    assert ours & imported <= {f"fasttext_lite.{name}" for name in needed}
    assert "fasttext_lite.model" in imported
    for name in ("tqdm", "argparse", "concurrent", "dataclasses", "gzip", "json", "multiprocessing",
                 "random", "shutil", "tempfile", "zlib"):  # fmt: skip
        assert name not in imported


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
