"""DBSCAN of scikit-learn and Leiden of scikit-network over our graph of neighbors."""

from __future__ import annotations

import numpy as np
import pytest

import fasttext_lite as ftl

pytestmark = pytest.mark.frameworks


@pytest.fixture(scope="module")
def points():
    rng = np.random.default_rng(0)
    centers = np.linalg.qr(rng.standard_normal((16, 16)))[0][:6]
    return np.repeat(centers, 40, axis=0) + 0.1 * rng.standard_normal((240, 16))


def test_dbscan_is_that_of_the_distances(points):
    cluster = pytest.importorskip("sklearn.cluster")
    metrics = pytest.importorskip("sklearn.metrics")
    graph = ftl.nearest_graph(points, 239)
    units = points / np.linalg.norm(points, axis=1)[:, None]
    distances = (1 - units @ units.T).clip(0)
    for threshold in (0.5, 0.8, 0.85):
        found = ftl.cluster(points, threshold=threshold, method="dbscan", graph=graph)
        theirs = cluster.DBSCAN(eps=1 - threshold, min_samples=5, metric="precomputed")
        wanted = theirs.fit_predict(distances)
        assert ((found.labels < 0) == (wanted < 0)).all()
        assert metrics.adjusted_rand_score(wanted, found.labels) == 1


def test_dbscan_of_words():
    pytest.importorskip("sklearn.cluster")
    found = ftl.cluster("sample", method="dbscan", threshold=0.8)
    assert found.recipe.passes == 0
    assert found.recipe.method == "dbscan"
    assert found.of("northern") == found.of("southern") >= 0


def test_leiden_finds_the_groups(points):
    pytest.importorskip("sknetwork.clustering")
    groups = np.repeat(np.arange(6), 40)
    found = ftl.cluster(points, method="leiden")
    again = ftl.cluster(points, method="leiden")
    assert (found.labels == again.labels).all()
    for cluster in found:
        assert len(set(groups[cluster.members].tolist())) == 1
    assert ftl.cluster("sample", method="leiden", resolution=5.0).largest_share < 0.2
