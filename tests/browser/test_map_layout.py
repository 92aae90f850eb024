"""The layout of maps, which needs openTSNE; and the code of the page about them."""

from __future__ import annotations

import json
import sys

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from support import GOLDEN

import fasttext_lite as ftl
from fasttext_lite.cli import main

pytestmark = [
    pytest.mark.browser,
    # The first words of the sample are mostly function words.
    pytest.mark.filterwarnings("ignore::fasttext_lite.ClusterWarning"),
]


@pytest.fixture(autouse=True)
def open_tsne():
    pytest.importorskip("openTSNE", reason="openTSNE is not installed")


@pytest.fixture(scope="module")
def model():
    return ftl.load("sample")


def groups(count=60, dim=8, seed=0):
    """Three groups of vectors, and the group of each."""
    random = np.random.default_rng(seed)
    group = np.arange(count) % 3
    centers = np.eye(dim, dtype=np.float32)[:3] * 3
    return centers[group] + random.normal(0, 0.3, (count, dim)).astype(np.float32), group


def purity(xy, group):
    """The share of points whose nearest point is of the same group."""
    away = np.linalg.norm(xy[:, None] - xy, axis=2)
    np.fill_diagonal(away, np.inf)
    return (group[away.argmin(axis=1)] == group).mean()


def test_groups_are_together(model):
    vectors, group = groups()
    found = ftl.map_words(vectors, [f"v{i}" for i in range(len(vectors))], of="texts")
    assert found.kind == "texts"
    assert found.xy.shape == (60, 2)
    assert found.xy.dtype == np.float32
    assert purity(found.xy, group) > 0.95
    assert found.xy.mean() == pytest.approx(0, abs=1e-3)


def test_the_same_seed_gives_the_same_map(model):
    one, two, other = (
        ftl.map_words(model, 300, seed=seed, threads=threads)
        for seed, threads in ((1, 1), (1, 2), (2, 1))
    )
    assert_array_equal(one.xy, two.xy)
    assert_array_equal(one.labels, two.labels)
    assert (one.xy != other.xy).any()


def test_neighbors_and_counts_are_those_of_the_model(model):
    found = ftl.map_words(model, 400, k=5, clusters=False)
    assert found.words == list(model.words[:400])
    assert_array_equal(found.counts, model.counts[:400])
    near = [one.word for one in model.neighbors(found.words[7], 5, max_words=400)]
    assert [found.words[i] for i in found.neighbors[7]] == near
    assert (found.labels == -1).all()
    assert not found.names
    assert found.clusters is None


def test_clusters_may_come_from_elsewhere(model):
    clusters = ftl.cluster(model, 500)
    found = ftl.map_words(model, 300, clusters=clusters)
    assert found.clusters is clusters
    for word, label in zip(found.words, found.labels.tolist(), strict=True):
        number = clusters.of(word)
        assert (label == -1) if number < 0 else found.names[label] == clusters.names[number]
    sizes = np.bincount(found.labels[found.labels >= 0])
    assert (np.diff(sizes) <= 0).all()
    vectors, group = groups()
    given = ["", None, *(f"g{i}" for i in group[2:])]
    found = ftl.map_words(vectors, None, clusters=given)
    assert found.labels[:2].tolist() == [-1, -1]
    assert sorted(found.names) == ["g0", "g1", "g2"]


def test_clusters_may_be_given_by_word(model):
    found = ftl.map_words(model, ["war", "peace", "winter"], clusters={"war": "a", "peace": "a"})
    assert found.labels.tolist() == [0, 0, -1]
    assert found.names == ["a"]


def test_further_words_stand_between_their_neighbors(model):
    laid = ftl.map_words(model, 1000)
    found = ftl.map_words(model, 1000, placed=300)
    assert found.words == list(model.words[:1300])
    assert_array_equal(found.xy[:1000], laid.xy)
    assert_array_equal(found.counts, model.counts[:1300])
    assert (found.neighbors[1000:] < 1000).all()
    low, high = (
        found.xy[found.neighbors[1000:]].min(axis=1),
        found.xy[found.neighbors[1000:]].max(axis=1),
    )
    assert ((found.xy[1000:] >= low - 1e-4) & (found.xy[1000:] <= high + 1e-4)).all()
    assert len(ftl.map_words(model, 500, placed="all", clusters=False)) == len(model)


def test_unknown_words_take_part(model, tmp_path):
    words = ["winter", "summer", "wintery", "qqqq", "government", "governmental"]
    found = ftl.map_words(model, words, clusters=False)
    assert found.words == words
    (tmp_path / "words.txt").write_text("\n".join(words))
    assert ftl.map_words(model, tmp_path / "words.txt", clusters=False).words == words
    ftl.export("sample", tmp_path / "model.vec")
    with pytest.raises(ftl.UnknownWordError, match="'qqqq'"):
        ftl.map_words(tmp_path / "model.vec", words)


def test_labels_are_mapped_by_the_output_layer():
    for name in ("softmax.bin", "hs.bin", "pruned.ftz"):
        model = ftl.load(GOLDEN / name)
        found = ftl.map_words(model, of="labels")
        assert found.words == [label.removeprefix("__label__") for label in model.labels]
        assert found.kind == "labels"
        assert_array_equal(found.counts, model.label_counts)
    with pytest.raises(ftl.ModelKindError, match="no labels"):
        ftl.map_words("sample", of="labels")


def test_a_collection_of_texts_is_mapped(model, tmp_path):
    texts = [f"{word} and {other}" for word in model.words[50:60] for other in model.words[60:63]]
    index = ftl.TextIndex.build(model, texts)
    found = ftl.map_words(index)
    assert found.words == texts
    assert found.kind == "texts"
    assert found.counts is None
    assert ftl.map_words(index, 7, clusters=index.labels[:7]).words == texts[:7]
    index.save(tmp_path / "texts.safetensors")
    assert ftl.map_words(tmp_path / "texts.safetensors", clusters=False).words == texts
    with pytest.raises(ftl.InputTypeError, match="the number of texts"):
        ftl.map_words(index, ["a"])


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 6, 17])
def test_few_vectors_are_laid_out(count):
    found = ftl.map_words(groups(count)[0], None)
    assert found.xy.shape == (count, 2)
    assert np.isfinite(found.xy).all()
    assert found.neighbors.shape == (count, min(15, count - 1))


def test_equal_vectors_are_laid_out():
    found = ftl.map_words(np.ones((30, 4), np.float32), None, clusters=False)
    assert np.isfinite(found.xy).all()
    assert len(np.unique(found.xy, axis=0)) > 1


def test_vectors_of_zeros_are_left_out():
    vectors, _ = groups(20)
    vectors[3] = 0
    given = [str(i % 2) for i in range(20)]
    with pytest.warns(ftl.MapWarning, match="1 words are left out .* zeros: 'v3'"):
        found = ftl.map_words(vectors, [f"v{i}" for i in range(20)], clusters=given)
    assert "v3" not in found.words
    assert len(found) == 19
    assert [found.names[i] for i in found.labels] == given[:3] + given[4:]
    with pytest.raises(ftl.InputValueError, match="all vectors are zeros"):
        ftl.map_words(vectors * 0, None)


@pytest.mark.parametrize(
    ("arguments", "error", "said"),
    [
        ({"words": 0}, ftl.InputValueError, "words must be at least 1"),
        ({"words": []}, ftl.InputValueError, "empty"),
        ({"words": "missing.txt"}, ftl.MissingFileError, "missing.txt"),
        ({"words": 10, "k": 10}, ftl.InputValueError, "k must be below the number of words, 10"),
        ({"words": 10, "k": 0}, ftl.InputValueError, "k must be at least 1"),
        ({"of": "letters"}, ftl.InputValueError, "'words', 'texts', 'labels'"),
        ({"seed": -1}, ftl.InputValueError, "seed"),
        ({"seed": 1.5}, ftl.InputTypeError, "seed"),
        ({"words": 10, "placed": "some"}, ftl.InputValueError, "placed"),
        ({"words": ["war", "peace"], "placed": 3}, ftl.InputValueError, "placed needs"),
        ({"words": 10, "clusters": "yes"}, ftl.InputTypeError, "clusters must be"),
        ({"words": 10, "clusters": ["a"]}, ftl.InputValueError, "1 labels, but 10"),
        ({"words": 2, "clusters": [1.5, 2]}, ftl.InputTypeError, "not float"),
        ({"words": 10, "threads": 0}, ftl.InputValueError, "threads"),
        ({"progress": 2}, ftl.InputTypeError, "progress"),
    ],
)
def test_wrong_arguments_are_named(model, arguments, error, said):
    with pytest.raises(error, match=said):
        ftl.map_words(model, **arguments)


def test_vectors_without_numbers_are_refused(tmp_path):
    vectors, _ = groups(20)
    vectors[5, 1] = np.nan
    with pytest.raises(ftl.InputValueError, match="row 5"):
        ftl.map_words(vectors, None)
    with pytest.raises(ftl.InputValueError, match="vectors is empty"):
        ftl.map_words(np.empty((0, 4)), None)


class TestCommand:
    def test_files_show_one_map(self, tmp_path, monkeypatch, capfdbinary):
        monkeypatch.chdir(tmp_path)
        files = ["map.html", "map.tsv"]
        arguments = ["-o", files[0], "-o", files[1], "--words", "200", "--placed", "50"]
        assert main(["map", "sample", *arguments, "--json"]) == 0
        told = json.loads(capfdbinary.readouterr().out)
        assert told["files"] == files
        assert told["words"] == 250
        assert len((tmp_path / "map.tsv").read_text().splitlines()) == 251
        assert main(["map", "sample", "--words", "60", "--no-clusters", "--title", "<Title>"]) == 0
        assert b"60 words, 0 clusters: map.html" in capfdbinary.readouterr().out
        assert "&lt;Title&gt;" in (tmp_path / "map.html").read_text()

    def test_clusters_in_a_file(self, tmp_path, monkeypatch, capfdbinary):
        monkeypatch.chdir(tmp_path)
        assert main(["cluster", "sample", "--max-words", "300", "-o", "clusters.tsv"]) == 0
        clusters = ftl.cluster("sample", 300)
        arguments = ["--words", "300", "--clusters", "clusters.tsv", "-o", "map.tsv"]
        assert main(["map", "sample", *arguments]) == 0
        rows = [line.split("\t") for line in (tmp_path / "map.tsv").read_text().splitlines()[1:]]
        for word, _, _, _, name, _ in rows:
            number = clusters.of(word)
            assert name == ("" if number < 0 else clusters.names[number])

    def test_labels_and_lists(self, tmp_path, monkeypatch, capfdbinary):
        monkeypatch.chdir(tmp_path)
        assert main(["map", str(GOLDEN / "softmax.bin"), "--labels"]) == 0
        (tmp_path / "list.txt").write_text("war\npeace\nwinter\n")
        assert main(["map", "sample", "--words", "list.txt", "-o", "list.tsv"]) == 0
        assert (tmp_path / "list.tsv").read_text().count("\n") == 4


def test_the_missing_library_is_named(monkeypatch, model):
    monkeypatch.setitem(sys.modules, "openTSNE", None)
    with pytest.raises(ftl.MissingExtraError, match=r"openTSNE.*fasttext-lite\[map\]"):
        ftl.map_words(model)
