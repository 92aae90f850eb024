"""Clusters: what they say of themselves, who joins, and what is refused."""

from __future__ import annotations

import pickle
import sys

import numpy as np
import pytest
from support import GOLDEN

import fasttext_lite as ftl


def blobs(count=40, groups=6, dim=16, noise=0.1, seed=0):
    """Points around some directions, and the number of the direction of each."""
    rng = np.random.default_rng(seed)
    centers = np.linalg.qr(rng.standard_normal((dim, dim)))[0][:groups]
    points = np.repeat(centers, count, axis=0) + noise * rng.standard_normal((count * groups, dim))
    return points.astype(np.float32), np.repeat(np.arange(groups), count)


@pytest.fixture(scope="module")
def clusters():
    return ftl.cluster("sample")


class TestWordsOfTheSample:
    def test_words_of_one_kind_are_together(self, clusters):
        for words in (
            ["winter", "summer", "autumn"],
            ["northern", "southern", "western", "eastern"],
            ["tomato", "butter", "sauce"],
        ):
            assert len({clusters.of(word) for word in words} - {-1}) == 1

    def test_labels_and_members_agree(self, clusters):
        labels = clusters.labels
        assert labels.dtype == np.int32
        assert len(labels) == len(clusters.words) == 7081
        assert clusters.sizes.tolist() == np.bincount(labels[labels >= 0]).tolist()
        assert (np.diff(clusters.sizes) <= 0).all()
        assert clusters.sizes.min() >= 2
        seen = []
        for number, cluster in enumerate(clusters):
            assert cluster.number == number
            assert cluster.size == len(cluster.members) == clusters.sizes[number]
            assert cluster.members == clusters.members(number)
            assert cluster.name == clusters.names[number]
            assert cluster.name in cluster.members[:10]
            assert cluster.members[0] == clusters.medoids[number]
            seen += cluster.members
        assert sorted(seen + clusters.noise) == sorted(clusters.words)
        assert all(clusters.of(word) == -1 for word in clusters.noise)
        assert len(clusters.noise) == np.count_nonzero(labels < 0)

    def test_centrality_and_tightness_are_mean_cosines(self, clusters):
        vectors = ftl.load("sample").word_vectors().astype(np.float64)
        units = vectors / np.linalg.norm(vectors, axis=1)[:, None]
        for number in (0, 7, len(clusters) - 1):
            rows = clusters.rows(number)
            cosines = units[rows] @ units[rows].T
            size = len(rows)
            pairs = (cosines.sum() - size) / (size * (size - 1))
            assert clusters.tightness[number] == pytest.approx(pairs, abs=1e-5)
            sums = cosines.sum(axis=1)
            assert sums[0] == pytest.approx(sums.max())
            assert (np.diff(clusters.centrality[rows]) <= 0).all()
        assert np.isnan(clusters.centrality[clusters.labels < 0]).all()

    def test_names_are_frequent_central_words(self, clusters):
        model = ftl.load("sample")
        for cluster in clusters:
            ids = [model.word_id(word) for word in cluster.members[:10]]
            assert model.word_id(cluster.name) == min(ids)

    def test_the_same_seed_gives_the_same_clusters(self, clusters):
        again = ftl.cluster(ftl.load("sample"), threads=1, graph=clusters.graph)
        assert (again.labels == clusters.labels).all()
        other = ftl.cluster("sample", seed=1, graph=clusters.graph)
        assert (other.labels != clusters.labels).any()

    def test_words_join_by_their_neighbors(self, clusters):
        some = list(clusters.words[::50])
        assert clusters.assign(some).tolist() == clusters.labels[::50].tolist()
        # Unknown words have vectors by their n-grams.
        assert clusters.assign("northernmost") == clusters.of("northern")
        vectors = ftl.load("sample").vectors(["northernmost", "tomatoe"])
        found = clusters.assign(vectors)
        assert found.dtype == np.int32
        assert found.tolist() == clusters.assign(["northernmost", "tomatoe"]).tolist()
        assert clusters.assign(np.zeros(40)) == -1
        assert clusters.assign([]).tolist() == []

    def test_vectors_of_members_join_their_own_cluster(self, clusters):
        vectors = ftl.load("sample").word_vectors()[:2000]
        joined = clusters.assign(vectors, threads=2)
        placed = clusters.labels[:2000] >= 0
        assert np.mean(joined[placed] == clusters.labels[:2000][placed]) > 0.9

    def test_they_travel_to_other_processes(self, clusters):
        assert clusters.assign("northernmost") >= 0
        again = pickle.loads(pickle.dumps(clusters))
        assert (again.labels == clusters.labels).all()
        assert again.of("winter") == clusters.of("winter")
        assert again.assign("northernmost") == clusters.assign("northernmost")
        assert again.names == clusters.names

    def test_their_repr_says_what_they_are(self, clusters):
        assert f"{len(clusters)} of 7,081" in repr(clusters)
        assert clusters.names[0] in repr(clusters)

    def test_arrays_are_read_only(self, clusters):
        for array in (clusters.labels, clusters.sizes, clusters.centrality, clusters.tightness):
            with pytest.raises(ValueError, match="read-only"):
                array[0] = 0

    def test_what_is_not_there(self, clusters):
        for call in (
            lambda: clusters.of("northernmost"),
            lambda: clusters.of(7081),
            lambda: clusters[len(clusters)],
            lambda: clusters[-1],
            lambda: clusters.members(-1),
            lambda: clusters.rows(-2),
            lambda: clusters.assign(np.ones(3)),
            lambda: clusters.assign(np.full(40, np.nan)),
        ):
            with pytest.raises(ftl.InputValueError):
                call()
        for call in (
            lambda: clusters.of(None),
            lambda: clusters["war"],
            lambda: clusters.assign(5),
        ):
            with pytest.raises(ftl.InputTypeError):
                call()


class TestArrays:
    def test_points_around_directions(self):
        points, groups = blobs()
        found = ftl.cluster(points)
        for number in range(6):
            labels = found.labels[groups == number]
            assert np.bincount(labels[labels >= 0]).max() > 20
        for cluster in found:
            assert len(set(groups[cluster.members].tolist())) == 1

    def test_rows_without_names_are_numbers(self):
        points, _ = blobs()
        found = ftl.cluster(points)
        assert found.words == range(240)
        assert found.members(0) == found.rows(0).tolist()
        assert found.of(int(found.medoids[0])) == 0
        assert found.names[0] == str(found.medoids[0])
        assert found.assign(points[3]) == found.labels[3]
        with pytest.raises(ftl.InputTypeError, match="array"):
            found.assign("war")
        with pytest.raises(ftl.InputValueError, match="not clustered"):
            found.of("war")

    def test_rows_may_have_names(self):
        points, _ = blobs()
        found = ftl.cluster(points, [f"document {i}" for i in range(240)])
        assert found.of("document 3") == found.labels[3]
        assert found.of(b"document 3") == found.of(3)
        assert found.names[0] == found.medoids[0]

    def test_rows_far_from_all_are_noise(self):
        points, _ = blobs()
        far = -points[::40].sum(axis=0)
        found = ftl.cluster(np.vstack([points, far, np.zeros(16)]))
        assert found.labels[-2:].tolist() == [-1, -1]
        assert set(found.noise) >= {240, 241}

    def test_copies_of_a_vector_are_together(self):
        points, _ = blobs(1, 5)
        found = ftl.cluster(np.repeat(points, 50, axis=0))
        assert found.sizes.tolist() == [50] * 5
        assert np.allclose(found.tightness, 1)

    def test_vectors_of_zeros_are_noise(self):
        found = ftl.cluster(np.zeros((30, 3)))
        assert len(found) == 0
        assert found.largest_share == 0
        assert len(found.noise) == 30
        assert found.assign(np.ones(3)) == -1
        assert "none" in repr(found)

    def test_other_numbers(self):
        points, _ = blobs()
        whole = (points * 100).astype(np.int16)
        assert (
            ftl.cluster(whole).labels == ftl.cluster(whole.astype(np.float64)[:, ::1]).labels
        ).all()
        assert (ftl.cluster(whole.tolist()).labels == ftl.cluster(whole).labels).all()


class TestWordLists:
    def test_each_word_counts_once(self):
        words = ["war", "peace", "war", "winter", "summer", "spring", b"peace"]
        found = ftl.cluster("sample", words, k=2)
        assert found.words == ["war", "peace", "winter", "summer", "spring"]

    # Three hundred common words have few clusters.
    @pytest.mark.filterwarnings("ignore::fasttext_lite.ClusterWarning")
    def test_unknown_words_take_part_through_their_ngrams(self):
        words = [*ftl.load("sample").words[:300], "governmentish"]
        found = ftl.cluster("sample", words)
        assert found.of("governmentish") == found.labels[300]

    @pytest.mark.filterwarnings("ignore::fasttext_lite.ClusterWarning")
    def test_words_from_a_file(self, tmp_path):
        words = list(ftl.load("sample").words[:200])
        (tmp_path / "words.txt").write_text("\n".join(words))
        found = ftl.cluster("sample", tmp_path / "words.txt")
        assert found.words == words

    @pytest.mark.parametrize("name", ["softmax.bin", "pruned.ftz", "no_buckets.bin"])
    def test_models_of_every_kind(self, name):
        model = ftl.load(GOLDEN / name)
        found = ftl.cluster(model, k=5)
        assert len(found.labels) == len(model)
        assert found.assign(list(model.words[:3])).tolist() == found.labels[:3].tolist()


class TestOptions:
    def test_a_graph_that_collapses_is_named(self):
        points = np.random.default_rng(0).standard_normal((300, 5))
        with pytest.warns(
            ftl.ClusterWarning, match="mutual neighbors only, raise threshold above 0.20"
        ) as all_:
            found = ftl.cluster(points, threshold=0.2, mutual=False)
        assert found.largest_share > 0.2
        assert all_[0].filename == __file__
        assert found.recipe.threshold == pytest.approx(0.2)

    def test_a_threshold_is_chosen_at_which_the_graph_does_not_collapse(self):
        graph = ftl.nearest_graph("sample")
        options = {"weighting": "cosine", "graph": graph}
        found = ftl.cluster("sample", **options)
        assert found.largest_share < 0.1
        # Tukey's fence, at which it collapses.
        first, third = np.quantile(graph.cosines[:, 0], [0.25, 0.75])
        fence = float(first - 1.5 * (third - first))
        assert found.recipe.threshold > fence
        with pytest.warns(ftl.ClusterWarning):
            assert ftl.cluster("sample", threshold=fence, **options).largest_share > 0.2

    def test_a_threshold_is_chosen_that_keeps_groups_whole(self):
        points, groups = blobs(count=30, groups=6, noise=0.03)
        found = ftl.cluster(points)
        assert len(found) == 6
        assert len(found.noise) == 0
        assert all(len(set(found.labels[groups == i].tolist())) == 1 for i in range(6))

    def test_a_higher_threshold_leaves_more_noise(self):
        graph = ftl.nearest_graph("sample")
        noise = [
            len(ftl.cluster("sample", threshold=threshold, graph=graph).noise)
            for threshold in (0.65, 0.7, 0.8, 0.9)
        ]
        assert noise == sorted(noise)
        assert noise[0] < noise[-1]

    @pytest.mark.parametrize(
        ("options", "error"),
        [
            ({"k": 240}, ftl.InputValueError),
            ({"k": 0}, ftl.InputValueError),
            ({"k": 2.5}, ftl.InputTypeError),
            ({"threshold": "high"}, ftl.InputValueError),
            ({"threshold": np.nan}, ftl.InputValueError),
            ({"threshold": 2}, ftl.InputValueError),
            ({"threshold": None}, ftl.InputTypeError),
            ({"weighting": "square"}, ftl.InputValueError),
            ({"weighting": 1}, ftl.InputTypeError),
            ({"method": "kmeans"}, ftl.InputValueError),
            ({"seed": -1}, ftl.InputValueError),
            ({"seed": 2**32}, ftl.InputValueError),
            ({"mutual": "yes"}, ftl.InputTypeError),
            ({"min_samples": 0}, ftl.InputValueError),
            ({"resolution": -1}, ftl.InputValueError),
            ({"graph": 5}, ftl.InputTypeError),
            ({"threads": 0}, ftl.InputValueError),
            ({"words": 17}, ftl.InputTypeError),
        ],
    )
    def test_wrong_options(self, options, error):
        points, _ = blobs()
        with pytest.raises(error):
            ftl.cluster(points, **options)

    @pytest.mark.parametrize(
        ("method", "library"), [("dbscan", "scikit-learn"), ("leiden", "scikit-network")]
    )
    def test_a_missing_library_is_named_before_the_search(self, monkeypatch, method, library):
        for name in ("sklearn.cluster", "sknetwork.clustering"):
            monkeypatch.setitem(sys.modules, name, None)
        monkeypatch.setattr("fasttext_lite.clustering.read_items", None)
        with pytest.raises(ftl.MissingExtraError, match=rf"{library}.*fasttext-lite\[cluster\]"):
            ftl.cluster("sample", method=method)

    def test_a_graph_of_other_rows(self):
        points, _ = blobs()
        with pytest.raises(ftl.InputValueError, match="240 rows, but there are 200"):
            ftl.cluster(points[:200], graph=ftl.nearest_graph(points))
