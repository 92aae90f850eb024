"""Labels by a vote of the nearest texts, and near duplicates."""

from __future__ import annotations

import numpy as np
import pytest

import fasttext_lite as ftl


def test_the_vote_is_weighted_by_the_scores(model, titles):
    labels = [("a", "b", None)[i % 3] for i in range(len(titles))]
    index = ftl.TextIndex.build(model, titles, labels=labels)
    for query in titles[:20]:
        hits = [hit for hit in index.search(query, len(titles)) if hit.label and hit.score > 0][:20]
        sums = {name: sum(hit.score for hit in hits if hit.label == name) for name in "ab"}
        vote = index.classify(query)
        assert vote.label == max(sums, key=sums.get)
        assert vote.share == pytest.approx(sums[vote.label] / sum(sums.values()))
    assert index.classify(titles[:5]) == [index.classify(title) for title in titles[:5]]
    assert index.classify("") == (None, 0.0)
    with pytest.raises(ftl.InputValueError, match="no labels"):
        ftl.TextIndex.build(model, titles).classify("one")


def components(vectors, threshold):
    """Groups by brute force."""
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    units = np.divide(vectors, norms, out=np.zeros_like(vectors), where=norms > 0)
    near = units @ units.T >= threshold
    left, groups = set(range(len(units))), []
    while left:
        group, edge = set(), {min(left)}
        while edge:
            group |= edge
            edge = {int(j) for i in edge for j in np.flatnonzero(near[i])} - group
        left -= group
        if len(group) > 1:
            groups.append(sorted(group))
    return sorted(groups)


@pytest.mark.parametrize("threshold", [0.3, 0.6, 0.95, 1])
def test_near_duplicates_are_connected_components(model, titles, threshold):
    texts = [*titles[:150], *titles[:10], "", titles[3], *["the same text"] * 40]
    index = ftl.TextIndex.build(model, texts, dtype="float32", graph=False)
    vectors = index._embedding.vectors(texts).astype(np.float64)
    groups = index.duplicates(threshold, approximate=False)
    assert [[hit.row for hit in group] for group in groups] == components(
        vectors, threshold - 1e-7 if threshold < 1 else 1 - 1e-7
    )
    for group in groups:
        assert all(hit.score >= threshold - 1e-6 for hit in group)


def test_wrong_thresholds_are_told(model):
    index = ftl.TextIndex.build(model, ["one"])
    assert index.duplicates() == []
    with pytest.raises(ftl.InputValueError, match="threshold must be above 0"):
        index.duplicates(0)
