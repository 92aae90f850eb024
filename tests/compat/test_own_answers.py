"""What the compatibility layers return belongs to the caller: changing it changes nothing else."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from numpy.testing import assert_equal
from support.builders import CBOW, SUPERVISED, build

from fasttext_lite import convert
from fasttext_lite.compat import fasttext, gensim

if TYPE_CHECKING:
    from collections.abc import Callable

COMMON: dict[str, Any] = {
    "words": [b"</s>", b"one", b"two", b"three", b"four"], "minn": 2, "maxn": 3, "bucket": 50,
}  # fmt: skip
LABELS = [b"__label__a", b"__label__b"]

FASTTEXT: dict[str, Callable[[Any], Any]] = {
    "predict": lambda model: model.predict("one two", 2),
    "predict many": lambda model: model.predict(["one", "two", "one"], 2),
    "f.predict": lambda model: model.f.predict("one two\n", 2, 0.0, "strict"),
    "f.multilinePredict": lambda model: model.f.multilinePredict(
        ["one\n", "two"], 2, 0.0, "strict"
    ),
    "word vector": lambda model: model.get_word_vector("one"),
    "item": lambda model: model["two"],
    "unknown word": lambda model: model["unheard"],
    "sentence vector": lambda model: model.get_sentence_vector("one two"),
    "input vector": lambda model: model.get_input_vector(1),
    "input matrix": lambda model: model.get_input_matrix(),
    "output matrix": lambda model: model.get_output_matrix(),
    "words": lambda model: model.get_words(),
    "words and counts": lambda model: model.get_words(True),
    "labels": lambda model: model.get_labels(),
    "labels and counts": lambda model: model.get_labels(True),
    "subwords": lambda model: model.get_subwords("one"),
    "neighbors": lambda model: model.get_nearest_neighbors("one", 3),
    "analogies": lambda model: model.get_analogies("one", "two", "three", 3),
    "line": lambda model: model.get_line("one two"),
    "vocabulary": lambda model: model.f.getVocab("strict"),
    "arguments": lambda model: vars(model.f.getArgs()),
}
GENSIM: dict[str, Callable[[Any], Any]] = {
    "item": lambda vectors: vectors["one"],
    "unknown word": lambda vectors: vectors["unheard"],
    "items": lambda vectors: vectors[["one", "two"]],
    "get_vector": lambda vectors: vectors.get_vector("one"),
    "norm": lambda vectors: vectors.get_vector("one", norm=True),
    "normed vectors": lambda vectors: vectors.get_normed_vectors(),
    "mean": lambda vectors: vectors.get_mean_vector(["one", "two"]),
    "most similar": lambda vectors: vectors.most_similar("one", topn=3),
    "all similarities": lambda vectors: vectors.most_similar("one", topn=None),
    "similar by vector": lambda vectors: vectors.similar_by_vector(vectors["one"], topn=3),
    "distances": lambda vectors: vectors.distances("one"),
    "closer": lambda vectors: vectors.closer_than("one", "two"),
    "rank": lambda vectors: vectors.rank_by_centrality(["one", "two", "three"]),
}  # fmt: skip


def spoil(answer: Any) -> None:
    """Change an answer, and all within it, as far as it can be."""
    if isinstance(answer, np.ndarray):
        # gensim gives the vector of a word read-only, too.
        if answer.flags.writeable:
            answer[...] = 7
    elif isinstance(answer, dict):
        answer.clear()
    elif isinstance(answer, (list, tuple)):
        for one in answer:
            spoil(one)
        if isinstance(answer, list):
            answer.clear()


def check(model: Any, ask: Callable[[Any], Any], others: dict[str, Callable[[Any], Any]]) -> None:
    before = {name: copy.deepcopy(other(model)) for name, other in others.items()}
    spoil(ask(model))
    for name, other in others.items():
        assert_equal(other(model), before[name], err_msg=name)


@pytest.fixture(scope="module")
def classifier(tmp_path_factory: pytest.TempPathFactory) -> Any:
    path = tmp_path_factory.mktemp("classifier") / "model.bin"
    path.write_bytes(build(**COMMON, labels=LABELS, model=SUPERVISED))
    return fasttext.load_model(path)


@pytest.fixture(scope="module", params=["rows", "vectors"])
def vectors(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A file that holds rows to sum, or one that holds the vectors of words."""
    path = tmp_path_factory.mktemp("vectors") / "model.bin"
    path.write_bytes(build(**COMMON, model=CBOW))
    if request.param == "vectors":
        compact = path.with_suffix(".safetensors")
        convert(path, compact)
        path = compact
    return gensim.load_facebook_vectors(path)


@pytest.mark.parametrize("ask", FASTTEXT.values(), ids=FASTTEXT)
def test_answers_of_the_fasttext_layer(ask: Callable[[Any], Any], classifier: Any) -> None:
    check(classifier, ask, FASTTEXT)


@pytest.mark.parametrize("ask", GENSIM.values(), ids=GENSIM)
def test_answers_of_the_gensim_layer(ask: Callable[[Any], Any], vectors: Any) -> None:
    check(vectors, ask, GENSIM)


def test_the_probabilities_of_one_text_do_not_change_those_of_another(classifier: Any) -> None:
    expected = [copy.deepcopy(one) for one in classifier.predict(["one", "two"], 2)[1]]
    _, probabilities = classifier.predict(["one", "two"], 2)
    probabilities[0][:] = np.round(probabilities[0])
    assert_equal(probabilities[1], expected[1])
