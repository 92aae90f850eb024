"""Evaluation: word similarity, analogies, and the comparison of two models."""

from __future__ import annotations

import random
from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from support.builders import SOFTMAX, SUPERVISED, build

import fasttext_lite as ftl
from fasttext_lite.evaluate import blocks, questions
from fasttext_lite.evaluate.pairs import spearman


@pytest.fixture
def write(tmp_path):
    """Write bytes to a new file and return its path."""

    def write_bytes(data):
        path = tmp_path / f"{len(list(tmp_path.iterdir()))}.txt"
        path.write_bytes(data)
        return path

    return write_bytes


@pytest.fixture
def vectors(write):
    """Open a model that holds these words and vectors."""

    def make(rows):
        lines = [f"{word} {' '.join(map(repr, row))}\n" for word, row in rows.items()]
        dim = len(next(iter(rows.values())))
        return ftl.load(write(f"{len(rows)} {dim}\n{''.join(lines)}".encode()))

    return make


@pytest.fixture
def small_blocks(monkeypatch):
    monkeypatch.setattr(blocks, "_BLOCK", 3)
    monkeypatch.setattr(questions, "_BATCH", 2)


def random_rows(count, dim=6, seed=0):
    numbers = np.random.default_rng(seed).standard_normal((count, dim)).astype(np.float32)
    return {f"w{i}": row.tolist() for i, row in enumerate(numbers)}


class TestSpearman:
    def test_ranks_count_and_not_values(self):
        a = np.array([1.0, 2.0, 3.0, 4.0])
        assert spearman(a, np.exp(a)) == pytest.approx(1)
        assert spearman(a, -(a**3)) == pytest.approx(-1)

    def test_ties_have_their_mean_rank(self):
        # Ranks 1, 2.5, 2.5, 4 and 1.5, 1.5, 3.5, 3.5: a covariance of 4 over the root of 4.5 * 4.
        rho = spearman(np.array([1.0, 5.0, 5.0, 9.0]), np.array([0.0, 0.0, 2.0, 2.0]))
        assert rho == pytest.approx(3 / np.sqrt(4.5 * 4))

    @pytest.mark.parametrize("values", [[], [1.0], [2.0, 2.0, 2.0]])
    def test_it_is_none_where_it_is_not_defined(self, values):
        values = np.array(values)
        assert spearman(values, np.arange(len(values), dtype=float)) is None


ROWS = {"sun": [1.0, 0.0], "day": [0.9, 0.1], "cup": [0.0, 1.0], "tea": [0.2, 0.9], "Sun": [0.5, 1]}
# In the order of their cosines; the last two scores are in reverse order.
PAIRS = [("sun", "day", 9.5), ("cup", "tea", 8.5), ("sun", "tea", 0.5), ("day", "cup", 1.25)]
LAYOUTS = {
    "tabs": "".join(f"{a}\t{b}\t{score}\n" for a, b, score in PAIRS),
    "commas with a header": "Word 1,Word 2,Human (mean)\n"
    + "".join(f"{a},{b},{score}\n" for a, b, score in PAIRS),
    "commas, quotes and more numbers behind": "Word 1,Word 2,Human (mean),1,2\n"
    + "".join(f'"{a}",{b},{score},3,4\n' for a, b, score in PAIRS),
    "spaces": "".join(f"{a} {b}  {score} \n" for a, b, score in PAIRS),
    "semicolons": "".join(f"{a};{b};{score}\n" for a, b, score in PAIRS),
    "a part of speech before the score": "word1\tword2\tPOS\tSimLex999\tconc(w1)\n"
    + "".join(f"{a}\t{b}\tN\t{score}\t{-score}\n" for a, b, score in PAIRS),
    "comments, blank lines, CRLF and a BOM": "\ufeff# pairs\r\n\r\n"
    + "".join(f"{a}\t{b}\t{score}\r\n\r\n" for a, b, score in PAIRS),
    "no last line feed": "\n".join(f"{a}\t{b}\t{score}" for a, b, score in PAIRS),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_pairs_are_read_from_each_layout(vectors, write, layout):
    result = ftl.evaluate.word_similarity(vectors(ROWS), write(LAYOUTS[layout].encode()))
    assert (result.pairs, result.unknown, result.left_out) == (4, 0, 0)
    assert result.rho == pytest.approx(0.8)


def test_one_pair_alone_needs_no_second_line(vectors, write):
    result = ftl.evaluate.word_similarity(vectors(ROWS), write(b"sun day 3\n"))
    assert (result.pairs, result.rho) == (1, None)


def test_words_may_be_looked_up_in_lower_case(vectors, write):
    path = write(b"Sun day 3\nSUN tea 1\nsun cup 0\n")
    model = vectors(ROWS)
    as_they_are = ftl.evaluate.word_similarity(model, path)
    lower = ftl.evaluate.word_similarity(model, path, lowercase=True)
    assert (as_they_are.unknown, lower.unknown) == (1, 0)
    assert as_they_are.left_out == 1
    assert lower.rho == pytest.approx(1)


def test_pairs_with_unknown_words_are_counted_and_made_of_ngrams(write):
    path = write(b"king queen 9\nkingish queen 8\nkingish queenish 1\nking queenish 2\n")
    model = ftl.load("sample")
    result = ftl.evaluate.word_similarity(model, path)
    assert (result.pairs, result.unknown, result.left_out) == (4, 3, 0)
    known = ftl.evaluate.word_similarity(model, path, known_only=True)
    assert (known.pairs, known.unknown, known.left_out, known.rho) == (4, 3, 3, None)


def test_pairs_without_vectors_are_left_out(vectors, write):
    model = vectors(ROWS | {"zero": [0.0, 0.0]})
    path = write(b"sun day 3\nsun moon 2\nsun zero 1\nsun cup 0\n")
    result = ftl.evaluate.word_similarity(model, path)
    assert (result.pairs, result.unknown, result.left_out, result.rho) == (4, 1, 2, 1.0)


@pytest.mark.parametrize(
    ("data", "field", "offset", "match"),
    [
        (b"", "line 1", 0, "no word pairs"),
        (b"# none\n\n", "line 1", 0, "no word pairs"),
        (b"sun day\nsun cup\n", "line 2", 8, "no number after the two words"),
        (b": family\nboy girl man woman\n", "line 2", 9, "files of analogies begin with"),
        (b"sun day 3\nsun cup x\n", "line 2", 10, "no number after"),
        (b"sun day 3\nsun tea 2\nsun cup x\n", "line 3", 20, "column 3.* holds no number"),
        (b"sun day 3\nsun tea 2\nsun cup\n", "line 3", 20, "column 3"),
        (b"sun day 3\nsun tea 2\nsun cup nan\n", "line 3", 20, "column 3"),
        (b"sun,day,3\nsun,,2\n", "line 2", 10, "a word is empty"),
        (b"sun day 3\n\0\n", "file", 10, "holds a NUL byte"),
    ],
)
def test_what_is_no_file_of_pairs_is_refused(vectors, write, data, field, offset, match):
    with pytest.raises(ftl.FormatError, match=match) as caught:
        ftl.evaluate.word_similarity(vectors(ROWS), write(data))
    assert (caught.value.field, caught.value.offset) == (field, offset)
    assert caught.value.path


def test_a_missing_file_of_pairs_is_a_file_error(vectors, tmp_path):
    with pytest.raises(ftl.MissingFileError):
        ftl.evaluate.word_similarity(vectors(ROWS), tmp_path / "none")


FAMILY = {
    "man": [1.0, 0.0, 0.0],
    "woman": [1.0, 1.0, 0.0],
    "king": [1.0, 0.0, 1.0],
    "queen": [1.0, 1.0, 1.0],
    "apple": [-1.0, 0.3, 0.2],
    "boy": [0.5, 0.05, -0.5],
}


def test_an_analogy_is_answered_by_the_nearest_word_but_those_given(vectors, write):
    path = write(
        b": family\nman woman king queen\nman woman king apple\n: odd\nman woman man king\n"
    )
    result = ftl.evaluate.analogies(vectors(FAMILY), path)
    family, odd = result.sections
    assert (family.name, family.correct, family.asked, family.accuracy) == ("family", 1, 2, 0.5)
    # Without man and woman, which are excluded, king is nearest to woman - man + man.
    assert (odd.name, odd.correct, odd.asked) == ("odd", 0, 1)
    assert result.total == replace(family, name="total", correct=1, asked=3, accuracy=1 / 3)


def test_unknown_words_of_questions_are_counted(vectors, write):
    path = write(b"man woman king queen\nman woman prince queen\nman woman king princess\n")
    total = ftl.evaluate.analogies(vectors(FAMILY), path).total
    assert (total.correct, total.asked, total.unknown, total.left_out) == (1, 1, 2, 2)


def test_unknown_words_of_questions_are_made_of_ngrams_unless_only_known_ones_count(write):
    path = write(
        b": a\nwar wars nation nations\nwarx wars nationx nations\nwar wars nation nationszz\n"
    )
    model = ftl.load("sample")
    total = ftl.evaluate.analogies(model, path).total
    assert (total.asked, total.unknown, total.left_out) == (2, 2, 1)
    total = ftl.evaluate.analogies(model, path, known_only=True).total
    assert (total.asked, total.unknown, total.left_out) == (1, 2, 2)


def test_answers_are_looked_for_among_the_first_words(vectors, write):
    path = write(b": a\nman woman king queen\n")
    model = vectors(FAMILY)
    total = ftl.evaluate.analogies(model, path, max_words=3).total
    assert (total.asked, total.unknown, total.left_out, total.accuracy) == (0, 0, 1, None)
    for all_words in (4, 1000, None):
        assert ftl.evaluate.analogies(model, path, max_words=all_words).total.correct == 1


def test_questions_may_be_looked_up_in_lower_case(vectors, write):
    path = write(b": a\nMan Woman King Queen\n")
    model = vectors(FAMILY)
    assert ftl.evaluate.analogies(model, path).total.unknown == 1
    assert ftl.evaluate.analogies(model, path, lowercase=True).total.correct == 1


def test_a_word_that_is_twice_in_a_file_is_no_answer_to_itself(write):
    model = ftl.load(
        write(b"5 2\nman 1 0\nwoman 1 1\nking 2 .1\nqueen 0 1\nwoman 1 1\n"),
    )
    total = ftl.evaluate.analogies(model, write(b"man woman king queen\n")).total
    assert total.correct == 1


def test_many_questions_are_answered_as_one_by_one(vectors, write, small_blocks):
    rows = random_rows(23)
    model = vectors(rows)
    words = list(rows)
    source = random.Random(3)
    matrix = np.array(list(rows.values()))
    matrix /= np.linalg.norm(matrix, axis=1, keepdims=True)
    lines, right = [": random"], 0
    for _ in range(60):
        a, b, c = source.sample(range(len(words)), 3)
        scores = matrix @ (matrix[b] - matrix[a] + matrix[c])
        scores[[a, b, c]] = -np.inf
        best = int(np.argmax(scores))
        d = source.choice([best, source.randrange(len(words))])
        right += d == best
        lines.append(" ".join(words[i] for i in (a, b, c, d)))
    total = ftl.evaluate.analogies(model, write("\n".join(lines).encode())).total
    assert (total.correct, total.asked) == (right, 60)
    assert 20 < right < 50


@pytest.mark.parametrize(
    ("data", "field", "offset", "match"),
    [
        (b": only\n", "line 1", 0, "no questions"),
        (b": a\nman woman king\n", "line 2", 4, "this line has 3"),
        (b": a\nman woman king queen x\n", "line 2", 4, "this line has 5"),
    ],
)
def test_what_is_no_file_of_questions_is_refused(vectors, write, data, field, offset, match):
    with pytest.raises(ftl.FormatError, match=match) as caught:
        ftl.evaluate.analogies(vectors(FAMILY), write(data))
    assert (caught.value.field, caught.value.offset) == (field, offset)


@pytest.mark.parametrize("value", [0, -1, 1.5, True, "3"])
def test_an_impossible_number_of_words_is_refused(vectors, write, value):
    with pytest.raises((ftl.InputTypeError, ftl.InputValueError), match="max_words"):
        ftl.evaluate.analogies(vectors(FAMILY), write(b"a b c d\n"), max_words=value)


class TestCompare:
    def test_a_model_is_equal_to_itself(self):
        found = ftl.evaluate.compare("sample", ftl.load("sample"), sample=50)
        sample = ftl.load("sample")
        assert found.common_words == found.known.words == len(sample)
        assert (found.known.mean, found.known.percentile_1, found.known.worst) == (1, 1, 1)
        assert (found.unknown.words, found.unknown.worst) == (50, 1)
        assert (found.neighbors.words, found.neighbors.k, found.neighbors.mean) == (50, 10, 1)
        assert found.labels is None
        for side in (found.a, found.b):
            assert (side.path, side.file_size) == (sample.info.path, sample.info.file_size)
            assert (side.words, side.dim) == (len(sample), sample.dim)
            assert side.words_per_second > 0

    def test_all_figures_are_those_of_a_plain_computation(self, vectors, small_blocks):
        a, b = random_rows(25, seed=1), random_rows(25, seed=2)
        b = {word: b[word] for word in list(b)[5:]} | {"new": [1.0] * 6}
        found = ftl.evaluate.compare(vectors(a), vectors(b), k=4)
        common = list(a)[5:]
        x, y = (np.array([rows[word] for word in common]) for rows in (a, b))
        x /= np.linalg.norm(x, axis=1, keepdims=True)
        y /= np.linalg.norm(y, axis=1, keepdims=True)
        cosines = (x * y).sum(axis=1)
        assert (found.common_words, found.known.words) == (20, 20)
        assert found.known.mean == pytest.approx(cosines.mean())
        assert found.known.percentile_1 == pytest.approx(np.percentile(cosines, 1))
        assert found.known.worst == pytest.approx(cosines.min())
        assert found.known.worst_word == common[cosines.argmin()]
        nearest = []
        for unit in (x, y):
            scores = unit @ unit.T
            np.fill_diagonal(scores, -np.inf)
            nearest.append(np.argsort(-scores, axis=1)[:, :4])
        same = [len(set(one) & set(other)) for one, other in zip(*nearest, strict=True)]
        assert found.neighbors.words == 20
        assert found.neighbors.mean == pytest.approx(np.mean(same) / 4)
        assert 0 < found.neighbors.mean < 1
        # Neither has n-grams, so there are no unknown words to compare.
        assert found.unknown is None
        assert (found.a.words, found.b.words) == (25, 21)

    def test_blocks_change_nothing(self, vectors, monkeypatch):
        a, b = vectors(random_rows(40, seed=1)), vectors(random_rows(40, seed=2))
        results = []
        for block in (1, 7, 8192):
            monkeypatch.setattr(blocks, "_BLOCK", block)
            found = ftl.evaluate.compare(a, b, sample=13)
            assert found.neighbors.words == 13
            results.append((found.known, found.neighbors))
        for known, neighbors in results[1:]:
            assert known.mean == pytest.approx(results[0][0].mean)
            assert known.worst_word == results[0][0].worst_word
            assert neighbors == results[0][1]

    def test_only_the_named_words_are_compared(self, tmp_path):
        small = tmp_path / "small.safetensors"
        sample = ftl.load("sample")
        ftl.convert(sample.info.path, small, "int8", max_words=3000)
        words = ["king", b"queen", "queen", sample.words[3500], "kingqueen", "queenking"]
        found = ftl.evaluate.compare(sample, small, words=words)
        assert (found.common_words, found.known.words, found.unknown.words) == (3000, 2, 2)
        assert found.neighbors.words == 2
        assert 0.999 < found.known.worst < 1

    def test_the_same_seed_draws_the_same_words(self, tmp_path):
        small = tmp_path / "small.safetensors"
        sample = ftl.load("sample")
        ftl.convert(sample.info.path, small, "int8")
        found = [ftl.evaluate.compare(sample, small, sample=40, seed=seed) for seed in (1, 1, 2)]
        assert found[0].unknown == found[1].unknown != found[2].unknown
        assert found[0].neighbors == found[1].neighbors

    def test_a_model_of_subwords_alone_is_compared_by_unknown_words(self, tmp_path):
        only = tmp_path / "only.safetensors"
        sample = ftl.load("sample")
        ftl.convert(sample.info.path, only, subwords="only")
        for pair in ((sample, only), (only, sample)):
            found = ftl.evaluate.compare(*pair, sample=30)
            assert (found.common_words, found.known, found.neighbors) == (0, None, None)
            assert (found.unknown.words, found.unknown.worst) == (30, 1)
            assert found.a.words_per_second is None

    def test_other_dimensions_leave_neighbours_to_compare(self, tmp_path):
        fewer = tmp_path / "fewer.safetensors"
        sample = ftl.load("sample")
        ftl.convert(sample.info.path, fewer, dim=30)
        found = ftl.evaluate.compare(sample, fewer, sample=30)
        assert found.known is None
        assert found.unknown is None
        assert 0.5 < found.neighbors.mean < 1

    def test_zeros_are_like_zeros_and_unlike_all_else(self, vectors):
        zeros, ones = [0.0, 0.0], [1.0, 1.0]
        a = vectors({"both": zeros, "one": zeros, "none": ones})
        b = vectors({"both": zeros, "one": ones, "none": ones})
        found = ftl.evaluate.compare(a, b)
        assert found.known.mean == pytest.approx(2 / 3)
        assert (found.known.worst, found.known.worst_word) == (0, "one")

    def test_nan_is_like_nothing(self, write):
        model = ftl.load(write(b"2 2\none nan 1\ntwo 1 1\n"))
        assert ftl.evaluate.compare(model, model).known.mean == 0.5

    def test_fewer_words_than_nearest_ones_are_all_of_them(self, vectors):
        found = ftl.evaluate.compare(vectors(FAMILY), vectors(FAMILY))
        assert (found.neighbors.k, found.neighbors.mean) == (5, 1)
        one = vectors({"one": [1.0]})
        assert ftl.evaluate.compare(one, one).neighbors is None
        assert ftl.evaluate.compare(one, one, sample=0).neighbors is None

    def test_labels_are_compared_given_text(self, write):
        labels = [b"__label__a", b"__label__b", b"__label__c"]
        options = {"model": SUPERVISED, "loss": SOFTMAX, "labels": labels, "dim": 6}
        a, b = (ftl.load(write(build(**options, seed=seed))) for seed in (1, 2))
        words = list(a.words)
        source = random.Random(0)
        texts = [" ".join(source.choices(words, k=3)) for _ in range(3000)]
        found = ftl.evaluate.compare(a, b, texts=iter(texts)).labels
        same = sum(a.predict(line).labels == b.predict(line).labels for line in texts)
        assert (found.texts, found.share) == (3000, same / 3000)
        assert 0 < found.share < 1
        assert ftl.evaluate.compare(a, a, texts=["nothing of that", ""]).labels.share == 1

    def test_labels_need_supervised_models_and_text(self, write):
        with pytest.raises(ftl.ModelKindError):
            ftl.evaluate.compare("sample", "sample", texts=["a"])
        model = ftl.load(write(build(model=SUPERVISED, loss=SOFTMAX, labels=[b"__label__a"])))
        with pytest.raises(ftl.InputValueError, match="texts is empty"):
            ftl.evaluate.compare(model, model, texts=[])

    @pytest.mark.parametrize(
        ("options", "match"),
        [
            ({"sample": -1}, "sample must be at least 0"),
            ({"sample": 1.5}, "sample must be int"),
            ({"k": 0}, "k must be at least 1"),
            ({"k": True}, "k must be int"),
            ({"seed": "x"}, "seed must be int"),
            ({"words": "king"}, "words must be an iterable"),
            ({"texts": b"king"}, "texts must be an iterable"),
        ],
    )
    def test_impossible_options_are_refused(self, options, match):
        with pytest.raises((ftl.InputTypeError, ftl.InputValueError), match=match):
            ftl.evaluate.compare("sample", "sample", **options)


def test_the_nearest_are_found_in_any_order_of_blocks():
    random_ = np.random.default_rng(5)
    for words, k in ((50, 7), (5, 7), (7, 7), (8, 1)):
        scores = random_.permutation(3 * words).reshape(3, words).astype(np.float32)
        scores[0, 2] = -np.inf
        nearest = blocks.Nearest(3, k)
        for start in range(0, words, 4):
            ids = np.arange(start, min(start + 4, words))
            nearest.add(scores[:, ids], ids + 100)
        for row, found in zip(scores, nearest.ids, strict=True):
            best = [i + 100 for i in np.argsort(-row)[:k] if row[i] != -np.inf]
            assert sorted(found[found >= 0]) == sorted(best)
            assert_array_equal(np.sort(found)[: k - len(best)], -1)
