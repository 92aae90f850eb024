"""The filters for datatrove, beside its own with the official package on the same model."""

from __future__ import annotations

import copy
import json
import pickle
import random
import re
from types import SimpleNamespace

import numpy as np
import pytest
from support import GOLDEN
from support.builders import SOFTMAX, SUPERVISED, build
from support.text import labelled_texts, language_lines
from support.training import train_official

import fasttext_lite as ftl

pytest.importorskip("datatrove", reason="datatrove is not installed")
pytest.importorskip("fasteners", reason="datatrove downloads with fasteners")
pytest.importorskip("orjson", reason="datatrove reads and writes JSON with orjson")
pytest.importorskip("regex", reason="datatrove splits texts with regex")

import datatrove.io
import datatrove.pipeline.filters as own
import datatrove.pipeline.filters.fasttext_filter
import datatrove.utils._import_utils
import datatrove.utils.lid
from datatrove.data import Document
from datatrove.executor.local import LocalPipelineExecutor
from datatrove.pipeline.readers import JsonlReader
from datatrove.pipeline.writers import JsonlWriter

from fasttext_lite.integrations.datatrove import ClassifierFilter, LanguageFilter

pytestmark = pytest.mark.engines

SCRIPTS = {"ru": "Cyrl", "ar": "Arab", "el": "Grek", "hi": "Deva"}


def documents():
    """Documents in many scripts: lines, paragraphs, spaces, and some without any text."""
    source = random.Random(1)
    texts = labelled_texts(90)
    joined = ["\n".join(source.sample(texts, 3)) for _ in range(20)]
    joined += ["\n\n".join(source.sample(texts, 4)) + "\n" for _ in range(20)]
    odd = ["", " \n ", "\u3000\u00a0 word\n", "__label__ru", "a\r\nb\tc", "\n\n", "x" * 5000]
    return [
        Document(text, str(i), metadata={"n": i}) for i, text in enumerate(texts + joined + odd)
    ]


def close(found, expected):
    """Compare documents: all but floats are equal, and these within 1e-5."""
    assert [doc["id"] for doc in found] == [doc["id"] for doc in expected]
    for one, other in zip(found, expected, strict=True):
        assert one.get("text") == other.get("text")  # not written if empty
        assert list(one["metadata"]) == list(other["metadata"])
        for key, value in other["metadata"].items():
            same = pytest.approx(value, abs=1e-5) if isinstance(value, float) else value
            assert one["metadata"][key] == same, (one["id"], key)
            assert type(one["metadata"][key]) is type(value)


def outcome(step, folder, docs=None):
    """What is kept, what is dropped, and the counts."""
    step.exclusion_writer = JsonlWriter(str(folder), compression=None)
    kept = [
        {"id": doc.id, "text": doc.text, "metadata": doc.metadata}
        for doc in step.run(iter(documents() if docs is None else docs))
    ]
    files = sorted(folder.glob("*.jsonl"))
    dropped = [json.loads(line) for file in files for line in file.read_text().splitlines()]
    counts = {name: stat.total for name, stat in step.stats.stats.items() if name != "batches"}
    return kept, dropped, counts


def alike(ours, theirs, folder):
    """Compare both steps on all documents; return how many are kept and dropped."""
    found, expected = outcome(ours, folder / "ours"), outcome(theirs, folder / "theirs")
    close(found[0], expected[0])
    close(found[1], expected[1])
    assert found[2] == expected[2]
    assert (ours.name, ours.type, str(ours)) == (theirs.name, theirs.type, str(theirs))
    return len(found[0]), len(found[1])


@pytest.fixture
def official(monkeypatch):
    """Let datatrove's own filters accept any distribution of the official package."""
    package = pytest.importorskip("fasttext")
    # It asks NumPy for an array that is no copy of a list, which NumPy 2 refuses.
    names = vars(np) | {"array": lambda x, copy=None: np.asarray(x)}
    monkeypatch.setattr(package.FastText, "np", SimpleNamespace(**names))
    utils = datatrove.utils._import_utils
    monkeypatch.setattr(utils, "_is_distribution_available", lambda name: True)
    for module in (datatrove.utils.lid, datatrove.pipeline.filters.fasttext_filter):
        monkeypatch.setattr(module, "cached_asset_path_or_download", lambda path, **_: path)

    def use(model):
        monkeypatch.setattr(datatrove.utils.lid.FT176LID, "MODEL_URL", str(model))
        return own

    return use


@pytest.fixture(scope="module")
def scripts(tmp_path_factory):
    """The path of a model whose labels are languages with scripts, as those of GlotLID."""
    pytest.importorskip("fasttext")
    lines = []
    for line in language_lines(300):
        label, rest = line.split(" ", 1)
        lines.append(f"{label}_{SCRIPTS.get(label[-2:], 'Latn')} {rest}")
    path = tmp_path_factory.mktemp("model") / "glot.bin"
    train_official(
        path, lines, model="supervised", dim=12, minn=2, maxn=4, bucket=500, lr=0.5, epoch=20
    )
    return path


LANGUAGE = {
    "model": "supervised", "text": "language", "minn": 2, "maxn": 3, "bucket": 900, "dim": 10,
    "lr": 0.5, "epoch": 20,
}  # fmt: skip
LANGUAGES = [
    {},
    {"languages": "ru", "language_threshold": 0.3},
    {"languages": ["de", "en", "xx"], "language_threshold": 0.2},
    {"languages": []},
    {"languages": ["fr", "es"], "keep_top_pairs_threshold": 0.05},
    {"language_threshold": 0.4, "keep_top_pairs_threshold": 0.02},
    {"language_threshold": 0.4, "label_only": True},
    {"languages": ["el"], "label_only": True, "keep_top_pairs_threshold": 0},
]


@pytest.mark.parametrize("options", LANGUAGES)
@pytest.mark.parametrize("loss", ["softmax", "hs", "ova"])
def test_the_same_languages_are_kept(loss, options, trained, official, tmp_path):
    model = trained(**LANGUAGE, loss=loss)
    ours = LanguageFilter(**options, model=model, batch_size=32)
    kept, dropped = alike(ours, official(model).LanguageFilter(**options), tmp_path)
    assert kept + dropped == len(documents())
    if not options.get("label_only"):
        assert dropped


@pytest.mark.parametrize(
    "options",
    [
        {"language_threshold": 0.2},
        {"languages": ["ru_Cyrl", "de_Latn"], "language_threshold": 0.2},
        {"language_threshold": 0.2, "keep_top_pairs_threshold": 0.01},
    ],
)
def test_languages_with_scripts_are_split(options, scripts, official, tmp_path):
    theirs = official(scripts).LanguageFilter(**options, backend="glotlid")
    theirs.model.MODEL_URL = str(scripts)
    ours = LanguageFilter(**options, backend="glotlid", model=str(scripts))
    kept, dropped = alike(ours, theirs, tmp_path)
    assert kept
    assert dropped


def test_of_languages_that_are_as_good_the_same_is_the_best(official, tmp_path):
    path = tmp_path / "zero.bin"
    labels = [b"__label__%d" % i for i in range(9)]
    built = build(
        model=SUPERVISED, loss=SOFTMAX, words=[b"</s>", b"a"], labels=labels, dim=4, minn=0, maxn=0,
        bucket=0, output_matrix=np.zeros((9, 4), np.float32),
    )  # fmt: skip
    path.write_bytes(built)
    theirs = official(path).LanguageFilter(language_threshold=0.1)
    alike(LanguageFilter(language_threshold=0.1, model=path), theirs, tmp_path)


# Labels without a threshold get the median of their probabilities.
CHOICES = [
    {},
    {"keep_labels": "ru"},
    {"keep_labels": ["de", "fr"], "newline_replacement": " "},
    {"remove_labels": ["en", "es"], "save_labels_in_metadata": False},
    {"keep_labels": ("ru", "el"), "filter_mode": "PARAGRAPH"},
    {"remove_labels": "ru", "filter_mode": "PARAGRAPH", "newline_replacement": " "},
    {"keep_labels": ["tr"], "save_labels_in_metadata": False, "filter_mode": "PARAGRAPH"},
    {"save_labels_in_metadata": False},
]


def with_thresholds(options, model):
    """Add thresholds that some texts reach and others do not, however the training went."""
    texts = [doc.text.replace("\n", " ") for doc in documents()]
    found = [
        dict(zip(one.labels, one.probabilities, strict=True))
        for one in ftl.load(model).predict(texts, k=-1)
    ]

    def threshold(label):
        return label, float(np.median([each.get(f"__label__{label}", 0) for each in found]))

    def chosen(name, value):
        if not name.endswith("labels"):
            return value
        return threshold(value) if isinstance(value, str) else type(value)(map(threshold, value))

    return {name: chosen(name, value) for name, value in options.items()}


@pytest.mark.parametrize("options", CHOICES)
@pytest.mark.parametrize("loss", ["softmax", "hs", "ova"])
def test_the_same_documents_and_parts_are_kept(loss, options, trained, official, tmp_path):
    model = str(trained(**LANGUAGE, loss=loss))
    options = with_thresholds(options, model)
    ours = ClassifierFilter(model, **options, batch_size=32)
    # Its own filter fails without both.
    theirs = official(model).FastTextClassifierFilter(model, **{"remove_labels": []} | options)
    kept, dropped = alike(ours, theirs, tmp_path)
    assert kept
    assert dropped


def test_sentences_are_split_by_the_tokenizer_of_datatrove(
    trained, official, tmp_path, monkeypatch
):
    import datatrove.utils.word_tokenizers as tokenizers

    class Tokenizer:
        def span_tokenize(self, text):
            return [match.span() for match in re.finditer(r"\S+(?:\s+\S+){0,3}", text)]

    # That of English needs models, which spaCy downloads.
    monkeypatch.setattr(tokenizers, "load_word_tokenizer", lambda language: Tokenizer())
    model = str(trained(**LANGUAGE, loss="softmax"))
    options = {"keep_labels": ("ru", 0.3), "filter_mode": "SENTENCE"}
    ours = ClassifierFilter(model, **options)
    docs = [doc for doc in documents() if doc.text.strip()]
    found = outcome(ours, tmp_path / "ours", copy.deepcopy(docs))
    theirs = official(model).FastTextClassifierFilter(model, **options)
    expected = outcome(theirs, tmp_path / "theirs", copy.deepcopy(docs))
    close(found[0], expected[0])
    close(found[1], expected[1])
    assert found[2] == expected[2]
    assert found[2]["kept_span"] > 50


def pipeline(step, source, folder, tasks, workers, logs):
    step.exclusion_writer = JsonlWriter(str(folder / "dropped"), compression=None)
    LocalPipelineExecutor(
        [
            JsonlReader(str(source)),
            step,
            JsonlWriter(str(folder / "kept"), compression=None),
        ],
        tasks=tasks,
        workers=workers,
        logging_dir=str(logs),
    ).run()
    files = sorted(folder.rglob("*.jsonl"))
    return {
        str(file.relative_to(folder)): [json.loads(line) for line in file.read_text().splitlines()]
        for file in files
    }


@pytest.mark.parametrize("name", ["language", "classifier"])
def test_two_processes_write_what_their_own_filters_write(name, trained, official, tmp_path):
    model = str(trained(**LANGUAGE, loss="softmax"))
    source = tmp_path / "source"
    source.mkdir()
    docs = [doc for doc in documents() if doc.text]  # the reader drops the others
    for i in range(2):
        lines = [json.dumps({"text": doc.text, "id": doc.id}) + "\n" for doc in docs[i::2]]
        (source / f"{i}.jsonl").write_text("".join(lines))
    if name == "language":
        ours = LanguageFilter("ru", 0.2, model=model, batch_size=16)
        theirs = official(model).LanguageFilter("ru", 0.2)
    else:
        options = {"remove_labels": ("ru", 0.2), "filter_mode": "PARAGRAPH"}
        ours = ClassifierFilter(model, **options, batch_size=16)
        theirs = official(model).FastTextClassifierFilter(model, **options)
    found = pipeline(ours, source, tmp_path / "ours", 2, 2, tmp_path / "logs")
    # Patched in this process, so it runs here.
    expected = pipeline(theirs, source, tmp_path / "theirs", 2, 1, tmp_path / "other logs")
    assert list(found) == list(expected)
    assert len(found) == 4
    for file, wanted in expected.items():
        close(found[file], wanted)


@pytest.mark.parametrize("opened", [False, True])
def test_filters_pickle_as_a_path(opened):
    for step in (
        LanguageFilter(language_threshold=0, model=GOLDEN / "softmax.bin"),
        ClassifierFilter(GOLDEN / "softmax.bin"),
    ):
        if opened:
            assert step.model.info.kind == "supervised"
        assert len(pickle.dumps(step)) < 5000
        for twin in (pickle.loads(pickle.dumps(step)), copy.deepcopy(step)):
            docs = [Document("der alte Bäcker", "0")]
            twins = copy.deepcopy(docs)
            assert twin.filter_batch(twins) == step.filter_batch(docs) == [True]
            assert twins == docs
            assert twins[0].metadata


def test_a_process_that_finds_another_model_says_so(tmp_path):
    path = tmp_path / "model.bin"
    path.write_bytes((GOLDEN / "softmax.bin").read_bytes())
    sent = pickle.dumps(LanguageFilter(model=path))
    path.write_bytes((GOLDEN / "hs.bin").read_bytes())
    with pytest.raises(ftl.FileError, match=r"this is another file on .* than where"):
        assert pickle.loads(sent).model


def test_an_address_is_downloaded_once_to_the_cache_of_datatrove(tmp_path, monkeypatch):
    import fsspec

    with fsspec.open("memory://models/lid.bin", "wb") as file:
        file.write((GOLDEN / "softmax.bin").read_bytes())
    folders = []

    def cache(*, library_name, namespace, subfolder):
        folders.append((library_name, namespace, subfolder))
        return str(tmp_path)

    monkeypatch.setattr(datatrove.io, "cached_assets_path", cache)
    doc = Document("der alte Bäcker", "0")
    assert LanguageFilter(language_threshold=0, model="memory://models/lid.bin").filter(doc)
    fsspec.filesystem("memory").rm("/models/lid.bin")
    assert ClassifierFilter("memory://models/lid.bin").filter(doc)
    assert folders == [("datatrove", "lid", "ft176"), ("datatrove", "filters", "fasttext")]
    assert doc.metadata["language"] in ftl.load(GOLDEN / "softmax.bin").labels[0]


def test_without_a_model_the_address_is_that_of_the_backend():
    for backend, lid in (
        ("ft176", own.language_filter.FT176LID),
        ("glotlid", datatrove.utils.lid.GlotLID),
    ):
        assert LanguageFilter(backend=backend)._address == lid().MODEL_URL


def test_a_document_without_any_label_is_dropped(tmp_path):
    path = tmp_path / "model.bin"
    built = build(
        model=SUPERVISED, loss=SOFTMAX, words=[b"a"], labels=[b"__label__x", b"__label__y"], dim=4,
        minn=0, maxn=0, bucket=0,
    )  # fmt: skip
    path.write_bytes(built)
    for backend, options in (("ft176", {}), ("ft176", {"languages": ["x"]}), ("glotlid", {})):
        docs = [Document("unheard of", "0")]
        assert LanguageFilter(**options, backend=backend, model=path).filter_batch(docs) == [False]
        assert docs[0].metadata == {"language": None, "language_score": 0.0}
    assert ClassifierFilter(path, keep_labels=("x", 0)).filter(docs[0]) is False
    assert ClassifierFilter(path, remove_labels=("x", 0)).filter(Document("unheard", "0")) is True


def test_no_documents_give_no_results():
    for step in (
        LanguageFilter(model=GOLDEN / "softmax.bin"),
        LanguageFilter(["de"], model=GOLDEN / "softmax.bin", keep_top_pairs_threshold=0.1),
        ClassifierFilter(GOLDEN / "softmax.bin"),
    ):
        assert step.filter_batch([]) == []
        assert list(step.run(iter([]))) == []


def test_wrong_input_is_named(tmp_path):
    model = GOLDEN / "softmax.bin"
    with pytest.raises(ftl.InputValueError, match='backend must be "ft176" or "glotlid", not'):
        LanguageFilter(backend="cld3")
    with pytest.raises(ftl.InputValueError, match="keep_labels and remove_labels exclude"):
        ClassifierFilter(model, keep_labels=("a", 1), remove_labels=("b", 1))
    with pytest.raises(ftl.InputValueError, match="has no label 'math'; its labels are"):
        ClassifierFilter(model, keep_labels=("math", 0.5)).filter(Document("a", "0"))
    with pytest.raises(ftl.MissingFileError, match="there is no such file"):
        LanguageFilter(model=tmp_path / "none.bin").filter(Document("a", "0"))
    with pytest.raises(ftl.ModelKindError):
        LanguageFilter(model="sample").filter(Document("a", "0"))
    with pytest.raises(ftl.InputTypeError, match=r"texts\[1\]"):
        LanguageFilter(model=model).filter_batch([Document("a", "0"), Document(None, "1")])
    with pytest.raises(ftl.InputValueError, match="newline"):
        ClassifierFilter(model, newline_replacement="\n").filter(Document("a\nb", "0"))


def test_labels_without_a_prefix_are_no_languages(tmp_path):
    path = tmp_path / "model.bin"
    path.write_bytes(build(model=SUPERVISED, loss=SOFTMAX, words=[b"a"], labels=[b"__de", b"__en"]))
    with pytest.raises(
        ftl.InputValueError, match="the label '__de' does not begin with '__label__'"
    ):
        LanguageFilter(model=path).filter(Document("a", "0"))
