"""Fits of n-grams: the files that they write, what they report, and what they refuse."""

from __future__ import annotations

import os
import sys
from subprocess import run

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from support.builders import SUPERVISED, build
from support.plain_fit import means_of_ngrams, solve

import fasttext_lite as ftl
from fasttext_lite.ngram_fitting.words import is_broken

STEMS = ["walk", "talk", "jump", "paint", "climb", "count", "sail", "train", "rain", "play"]
ENDINGS = ["", "s", "ed", "ing", "er", "ers"]
DIM = 7


def regular_words():
    """Words whose vectors are the sum of one for the stem and one for the ending."""
    rng = np.random.default_rng(5)
    stems, endings = rng.standard_normal((2, 10, DIM)).astype(np.float32)
    return {
        stem + ending: stems[i] + 0.5 * endings[j]
        for i, stem in enumerate(STEMS)
        for j, ending in enumerate(ENDINGS)
    }


def write_vectors(path, vectors):
    rows = [" ".join([word, *map(repr, map(float, row))]) for word, row in vectors.items()]
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def source(tmp_path):
    return write_vectors(tmp_path / "vectors.txt", regular_words())


@pytest.fixture
def target(tmp_path):
    return tmp_path / "fitted.safetensors"


def rows_of(model):
    return np.array([model.row(len(model) + i) for i in range(model.info.subword_rows)])


def fit(source, target, **options):
    return ftl.fit_ngrams(source, target, **{"buckets": 3000, "held_out": 0.1} | options)


class TestFile:
    """What the new file holds."""

    def test_known_words_keep_their_vectors_to_the_bit(self, source, target):
        fit(source, target)
        before, after = ftl.load(source), ftl.load(target)
        assert list(after.words) == list(before.words)
        assert after.vectors(after.words).tobytes() == before.vectors(before.words).tobytes()

    def test_an_unknown_word_is_the_mean_of_the_fitted_rows(self, source, target):
        fit(source, target, minn=2, maxn=4, buckets=500)
        model = ftl.load(target)
        rows = rows_of(model)
        for word in ("walkings", "trainings", "ж"):
            mean = means_of_ngrams([word.encode()], 2, 4, 500) @ rows
            assert_allclose(model[word], mean[0], atol=1e-5)
        assert model["zzz"].shape == (DIM,)

    @pytest.mark.parametrize("weighting", ["count", "log", "uniform"])
    def test_the_rows_are_those_of_the_formula(self, source, target, weighting):
        options = {"minn": 2, "maxn": 5, "buckets": 150, "weighting": weighting}
        fit(source, target, **options, regularization=0.05, tolerance=1e-5, max_iterations=200)
        words = [word.encode() for word in ftl.load(source).words]
        vectors = ftl.load(source).vectors(words)
        counts = len(words) / np.arange(1, len(words) + 1)
        weights = {"count": counts, "log": np.log1p(counts), "uniform": np.ones(len(words))}
        expected = solve(
            means_of_ngrams(words, 2, 5, 150),
            vectors,
            weights[weighting] / weights[weighting].mean(),
            0.05,
        )
        assert_allclose(rows_of(ftl.load(target)), expected, atol=1e-3)

    def test_words_that_were_not_seen_are_near_their_vectors(self, source, target):
        report = fit(source, target, held_out=["painting", "sailed", "players", "trains"])
        assert report.held_out_words == 4
        assert report.held_out_cosine > 0.8
        assert report.held_out_percentile_1 <= report.held_out_cosine

    def test_counts_of_a_file_are_the_weights(self, tmp_path, target):
        words = [word.encode() for word in regular_words()]
        (tmp_path / "model.bin").write_bytes(build(words=words, bucket=0, maxn=0, minn=0))
        report = fit(tmp_path / "model.bin", target, weighting="count")
        assert report.frequencies == "counts"

    def test_words_in_alphabetical_order_have_equal_weights(self, tmp_path, target):
        vectors = dict(sorted(regular_words().items()))
        report = fit(write_vectors(tmp_path / "sorted.txt", vectors), target)
        assert report.frequencies == "none"

    @pytest.mark.parametrize("dtype", ["float16", "int8"])
    def test_other_number_formats(self, source, target, dtype):
        exact = fit(source, target)
        vector = ftl.load(target)["walkings"]
        small = fit(source, target, dtype=dtype)
        assert small.size < exact.size
        assert_allclose(ftl.load(target)["walkings"], vector, atol=0.1)

    def test_threads_do_not_change_the_file(self, source, target, tmp_path):
        fit(source, target, threads=1)
        fit(source, tmp_path / "other", threads=4)
        assert target.read_bytes() == (tmp_path / "other").read_bytes()

    def test_a_file_of_the_used_buckets_answers_alike(self, source, target, tmp_path):
        whole, some = fit(source, target), fit(source, tmp_path / "used", ngrams="used")
        assert some.rows == some.used_rows == whole.used_rows < whole.rows == 3000
        model, small = ftl.load(target), ftl.load(tmp_path / "used")
        assert small.info.pruned
        for word in ("walkings", "talker's"):
            a, b = model[word], small[word]
            assert a @ b / np.sqrt(a @ a * (b @ b)) == pytest.approx(1, abs=1e-5)

    def test_a_table_has_the_ngrams_of_most_words(self, source, target):
        report = fit(source, target, ngrams=40)
        assert report.rows == report.used_rows == 40
        model = ftl.load(target)
        assert model.info.subword_rows == 40
        assert {ngram for ngram, _ in model.subwords("jumping")[1:]} >= {"ing", "ing>", "ng>"}
        # "walk" has n-grams in the table, though the whole of "<walk" is in six words only.
        assert model["jumpings"].any()

    def test_more_ngrams_than_there_are_is_no_error(self, source, target):
        assert fit(source, target, ngrams=10**9).rows == fit(source, target, ngrams="used").rows

    def test_a_large_or_small_scale_does_not_matter(self, tmp_path, target):
        found = {}
        for scale in (2.0**-60, 1.0, 2.0**60):
            vectors = {word: row * np.float32(scale) for word, row in regular_words().items()}
            fit(write_vectors(tmp_path / "scaled.txt", vectors), target)
            found[scale] = ftl.load(target)["walkings"] / np.float32(scale)
        for row in found.values():
            assert_array_equal(row, found[1.0])

    def test_options_of_convert(self, source, target):
        fit(source, target, graph=True)
        model = ftl.load(target)
        assert "neighbors.graph" in {section.name for section in model.info.sections}
        assert model.neighbors("walkings", k=3, approximate=True)


class TestSource:
    """Which models can be fitted."""

    def test_a_model_with_ngrams_is_refused_unless_they_are_replaced(self, target):
        with pytest.raises(ftl.InputValueError, match="replace=True"):
            fit("sample", target)
        assert not target.exists()
        report = fit("sample", target, replace=True, minn=2, maxn=3)
        before, after = ftl.load("sample"), ftl.load(target)
        assert report.frequencies == "counts"
        words = list(before.words)[:500]
        assert after.vectors(words).tobytes() == before.vectors(words).tobytes()
        assert (after.info.parameters.minn, after.info.parameters.maxn) == (2, 3)

    def test_a_model_without_its_ngrams(self, tmp_path, target):
        ftl.convert("sample", tmp_path / "words", subwords="none", max_words=300)
        report = fit(tmp_path / "words", target, buckets=20_000)
        assert report.word_count == 300
        assert ftl.load(target)["governmental"].any()

    def test_a_model_in_memory(self, source, target):
        assert fit(ftl.load(source), target).word_count == len(regular_words())

    def test_a_supervised_model_is_refused(self, tmp_path, target):
        path = tmp_path / "model.bin"
        path.write_bytes(build(model=SUPERVISED, labels=[b"__label__a"]))
        with pytest.raises(ftl.ModelKindError, match="supervised"):
            fit(path, target)

    def test_labels_of_an_unsupervised_model_are_left_out(self, tmp_path, target):
        words = [word.encode() for word in regular_words()]
        path = tmp_path / "model.bin"
        path.write_bytes(build(words=words, labels=[b"__label__a"], bucket=0, minn=0, maxn=0))
        fit(path, target)
        assert ftl.load(target).info.label_count == 0

    @pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
    def test_vectors_must_be_finite(self, tmp_path, target, wrong):
        vectors = regular_words()
        vectors["jumps"] = vectors["jumps"].copy()
        vectors["jumps"][2] = wrong
        with pytest.raises(ftl.NotANumberError, match=r"'jumps' \(row 13\)"):
            fit(write_vectors(tmp_path / "wrong.txt", vectors), target)
        assert not target.exists()

    def test_one_word(self, tmp_path, target):
        path = write_vectors(tmp_path / "one.txt", {"walking": np.ones(3)})
        with pytest.raises(ftl.InputValueError, match="held_out=0"):
            fit(path, target)
        with pytest.raises(ftl.InputValueError, match="needs held-out words"):
            fit(path, target, held_out=0)
        report = fit(path, target, held_out=0, regularization=0.001, tolerance=1e-4)
        assert report.held_out_cosine is None
        assert report.ranks.shape == (0,)
        # The vectors of the word itself, but for the ridge.
        assert_allclose(ftl.load(target)["walking!"] / ftl.load(target)["walking!"][0], 1)

    def test_words_without_ngrams_stay_known(self, tmp_path, target):
        vectors = regular_words() | {"a": np.ones(DIM), "</s>": np.ones(DIM)}
        report = fit(write_vectors(tmp_path / "short.txt", vectors), target, minn=4)
        assert report.without_ngrams == 2
        assert report.fitted_words == len(vectors) - 2
        assert_array_equal(ftl.load(target)["a"], np.ones(DIM))

    def test_no_word_has_ngrams(self, tmp_path, target):
        path = write_vectors(tmp_path / "short.txt", {"a": np.ones(3), "b": np.ones(3)})
        with pytest.raises(ftl.InputValueError, match="lower minn"):
            fit(path, target, minn=5)

    def test_vectors_of_zeros(self, tmp_path, target):
        zeros = {word: np.zeros(3) for word in regular_words()}
        with pytest.raises(ftl.InputValueError, match="none would be left"):
            fit(write_vectors(tmp_path / "zeros.txt", zeros), target)
        fit(tmp_path / "zeros.txt", target, held_out=0, regularization=0)
        assert not ftl.load(target)["walkings"].any()

    def test_words_that_occur_twice_count_once(self, tmp_path, target):
        path = write_vectors(tmp_path / "twice.txt", regular_words())
        with path.open("a") as file:
            file.write("walk 9 9 9 9 9 9 9\n")
        assert fit(path, target).word_count == len(regular_words())


class TestChoice:
    """Which words the rows are fitted to."""

    def test_broken_words(self):
        for word in ("walk", "rock-and-roll", "u.s.", "l'été", "don't", "ж", "東京", "mr."):
            assert not is_broken(word)
        for word in (
            *(
                "3rd",
                "1,000",
                "...",
                "a@b.org",
                "http://a",
                "www.a",
                "example.com",
                "a/b",
                "x" * 41,
            ),
            "#tag",
        ):
            assert is_broken(word)

    def test_left_out_words_stay_known_and_do_not_take_part(self, tmp_path, target):
        vectors = {"the": np.full(DIM, 100.0), "walk3": np.full(DIM, 50.0)} | regular_words()
        path = write_vectors(tmp_path / "more.txt", vectors)
        options = {"weighting": "uniform", "regularization": 0.1}
        report = fit(path, target, skip_frequent=1, skip_broken=True, **options)
        assert report.left_out == 2
        assert report.fitted_words == len(vectors) - 2
        fitted = ftl.load(target)
        assert_array_equal(fitted["the"], vectors["the"])
        fit(write_vectors(tmp_path / "less.txt", regular_words()), target, **options)
        assert fitted["walkings"].tobytes() == ftl.load(target)["walkings"].tobytes()

    def test_the_held_out_words_are_drawn_by_the_seed(self, source, target):
        ranks = [fit(source, target, seed=seed).ranks.tolist() for seed in (0, 0, 1)]
        assert ranks[0] == ranks[1] != ranks[2]
        assert len(ranks[0]) == 6

    def test_held_out_figures_are_those_of_a_fit_without_these_words(self, source, target):
        held = ["painting", "sailed"]
        seen = fit(source, target, held_out=held, refit=False, regularization=0.1)
        again = fit(source, target, held_out=held, regularization=0.1)
        assert_array_equal(seen.cosines, again.cosines)
        assert again.fitted_words == seen.fitted_words + 2

    def test_a_list_of_held_out_words_may_be_a_file(self, source, target, tmp_path):
        (tmp_path / "held.txt").write_text("sailed\npainting\n")
        report = fit(source, target, held_out=tmp_path / "held.txt")
        ids = [ftl.load(source).word_id(word) for word in ("sailed", "painting")]
        assert report.ranks.tolist() == sorted(i + 1 for i in ids)

    def test_the_ridge_is_the_best_one_nearby(self, source, target):
        best = fit(source, target, tolerance=1e-3, refit=False)
        for factor in (10**0.5, 10**-0.5):
            ridge = best.regularization * factor
            other = fit(source, target, tolerance=1e-3, refit=False, regularization=ridge)
            assert other.held_out_cosine < best.held_out_cosine + 1e-3


class TestReport:
    def test_bands_cover_the_held_out_words(self, source, target):
        report = fit(source, target, held_out=0.5)
        for parts in (report.by_length, report.by_rank):
            assert sum(band.words for band in parts) == report.held_out_words == 30
        assert report.size == target.stat().st_size
        assert report.iterations > 1
        assert 0 < report.held_out_loss < 1

    def test_the_plot(self, source, target, tmp_path):
        pytest.importorskip("matplotlib")
        report = fit(source, target)
        for name in ("plot.png", "plot.svg"):
            report.plot(tmp_path / name)
            assert (tmp_path / name).stat().st_size > 1000
        with pytest.raises(ftl.FileError, match="cannot plot"):
            report.plot(tmp_path / "plot.xyz")
        nothing = fit(source, target, held_out=0, regularization=1)
        with pytest.raises(ftl.InputValueError, match="no words were held out"):
            nothing.plot(tmp_path / "plot.png")


class TestArguments:
    """Wrong options, and targets that cannot be written."""

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"minn": 4, "maxn": 3}, "minn must not be above maxn"),
            ({"minn": 0}, "minn must be at least 1"),
            ({"buckets": 0}, "buckets must be at least 1"),
            ({"buckets": 2**31}, "buckets must be at most"),
            ({"ngrams": 0}, "ngrams must be at least 1"),
            ({"ngrams": "all"}, 'ngrams must be a number or "used"'),
            ({"weighting": "counts"}, "weighting must be one of count, log, uniform"),
            ({"regularization": "best"}, 'regularization must be a number or "auto"'),
            ({"regularization": -1}, "regularization must be at least 0"),
            ({"regularization": np.inf}, "regularization must be finite"),
            ({"held_out": 1.0}, "held_out must be a share below 1"),
            ({"held_out": -0.1}, "held_out must be at least 0"),
            ({"held_out": ["walks", "nothing"]}, "1 of 2 words are not in .* 'nothing'"),
            ({"skip_frequent": -1}, "skip_frequent must be at least 0"),
            ({"skip_frequent": 100}, "none of 0 words"),
            ({"dtype": "float64"}, "dtype must be one of float32, float16, int8"),
            ({"tolerance": -1}, "tolerance must be at least 0"),
            ({"max_iterations": 0}, "max_iterations must be at least 1"),
            ({"seed": -1}, "seed must be at least 0"),
            ({"threads": 0}, "threads must be at least 1"),
        ],
    )
    def test_wrong_values(self, source, target, options, message):
        with pytest.raises(ftl.InputValueError, match=message):
            fit(source, target, **options)
        assert not target.exists()

    @pytest.mark.parametrize(
        "options",
        [{"minn": 2.5}, {"buckets": "many"}, {"ngrams": 1.5}, {"held_out": None}, {"seed": None}],
    )
    def test_wrong_types(self, source, target, options):
        with pytest.raises(ftl.InputTypeError):
            fit(source, target, **options)

    def test_the_target_must_not_be_the_source(self, source):
        before = source.read_bytes()
        with pytest.raises(ftl.FileError, match="the target is the source"):
            fit(source, source)
        with pytest.raises(ftl.FileError, match="the target is the source"):
            fit(source, source.with_name("target"), on_interrupt=source)
        assert source.read_bytes() == before

    def test_too_little_space_is_found_before_the_fit(self, source, target, monkeypatch):
        import shutil

        monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(1, 1, 1000))
        with pytest.raises(ftl.FileError, match=r"needs \d+ bytes, but only 1000"):
            fit(source, target)

    @pytest.mark.skipif(os.name != "posix", reason="limits of POSIX")
    def test_a_full_disk_leaves_the_old_file(self, source, target):
        target.write_bytes(b"old")
        code = (
            "import resource, signal, sys, fasttext_lite as ftl\n"
            "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
            "resource.setrlimit(resource.RLIMIT_FSIZE, (20000, 20000))\n"
            "try:\n    ftl.fit_ngrams(*sys.argv[1:], buckets=3000, held_out=0.1)\n"
            "except ftl.FileError as error:\n    print(error)\n"
        )
        done = run(
            [sys.executable, "-IB", "-c", code, source, target],
            capture_output=True,
            check=True,
            cwd=target.parent,
        )
        assert b"cannot be written" in done.stdout
        assert target.read_bytes() == b"old"
        assert {path.name for path in target.parent.iterdir()} == {target.name, source.name}


class TestInterrupts:
    """Ctrl-C, as a KeyboardInterrupt in the middle."""

    @pytest.fixture
    def interrupted(self, monkeypatch):
        """Interrupt a fit after some iterations, in all."""
        from fasttext_lite.ngram_fitting import least_squares

        advance, calls = least_squares.advance, []

        def interrupt_after(count):
            def counted(*arguments):
                calls.append(0)
                if len(calls) == count:
                    raise KeyboardInterrupt
                advance(*arguments)

            monkeypatch.setattr(least_squares, "advance", counted)

        return interrupt_after

    @pytest.mark.parametrize("after", [2, 9])
    def test_nothing_is_written_unless_asked_for(self, source, target, interrupted, after):
        target.write_bytes(b"old")
        interrupted(after)
        with pytest.raises(KeyboardInterrupt):
            fit(source, target)
        assert target.read_bytes() == b"old"
        assert {path.name for path in target.parent.iterdir()} == {target.name, source.name}

    @pytest.mark.parametrize("after", [2, 15])
    def test_what_was_reached_is_written_where_asked(self, tmp_path, target, interrupted, after):
        rng = np.random.default_rng(1)
        vectors = {word: rng.standard_normal(70) for word in regular_words()}
        source = write_vectors(tmp_path / "wide.txt", vectors)
        interrupted(after)
        with pytest.raises(KeyboardInterrupt):
            fit(source, target, on_interrupt=tmp_path / "part", regularization=0.1)
        assert not target.exists()
        model = ftl.load(tmp_path / "part")
        assert (
            model.vectors(model.words).tobytes() == ftl.load(source).vectors(model.words).tobytes()
        )
        assert np.count_nonzero(model["walkings"]) == 70
