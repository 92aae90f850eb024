"""The logic of the benchmarks: agreement, ratios, limits and tables."""

import importlib.util
import json
import subprocess
import sys

import numpy as np
import pytest
from support import REPOSITORY

import fasttext_lite as ftl

BENCHMARKS = REPOSITORY / "benchmarks"


def _adopt():
    """Import the benchmarks without their parent, which would hide the installed package."""
    spec = importlib.util.spec_from_file_location(
        "benchmarks", BENCHMARKS / "__init__.py", submodule_search_locations=[str(BENCHMARKS)]
    )
    sys.modules["benchmarks"] = importlib.util.module_from_spec(spec)


_adopt()

from benchmarks import __main__ as program  # noqa: E402
from benchmarks import agreement, charts, files, measure, report, synthetic, texts, work  # noqa: E402
from benchmarks.libraries import LIBRARIES  # noqa: E402
from benchmarks.works import QUICK, WORKS  # noqa: E402

VECTORS = np.arange(12, dtype=np.float32).reshape(3, 4) + 1


def _predictions(*rows):
    return np.array(list(rows), agreement.PREDICTION)


def _neighbors(*rows):
    return np.array([list(rows)], agreement.NEIGHBOR)


class TestAgreement:
    def test_equal_bits_agree(self):
        assert agreement.bits(VECTORS, VECTORS.copy()).agrees

    def test_one_bit_apart_is_told_as_rounding_and_does_not_agree(self):
        other = VECTORS.copy()
        other[1, 2] = np.nextafter(other[1, 2], np.float32(0))
        verdict = agreement.bits(other, VECTORS)
        assert not verdict.agrees
        assert "rounding" in verdict.words
        assert agreement.close(other, VECTORS).agrees

    def test_what_rounding_cannot_do_is_different(self):
        verdict = agreement.close(VECTORS + np.float32(1e-3), VECTORS)
        assert not verdict.agrees
        assert "DIFFERENT" in verdict.words

    def test_float16_vectors_agree_and_turned_ones_do_not(self):
        assert agreement.halves(VECTORS.astype(np.float16).astype(np.float32), VECTORS).agrees
        assert not agreement.halves(VECTORS[:, ::-1], VECTORS).agrees

    @pytest.mark.parametrize(
        "rule", [agreement.bits, agreement.close, agreement.halves], ids=lambda rule: rule.__name__
    )
    def test_another_shape_is_different(self, rule):
        assert not rule(VECTORS[:2], VECTORS).agrees

    def test_probabilities_may_differ_by_rounding(self):
        official = _predictions(("a", 0.5), ("b", 0.9))
        assert agreement.predictions(_predictions(("a", 0.500001), ("b", 0.9)), official).agrees
        assert not agreement.predictions(_predictions(("a", 0.51), ("b", 0.9)), official).agrees

    def test_another_label_is_different(self):
        official = _predictions(("a", 0.5), ("b", 0.9))
        assert not agreement.predictions(_predictions(("b", 0.5), ("b", 0.9)), official).agrees

    def test_one_line_in_a_thousand_may_be_a_tie(self):
        official = np.array(["a"] * 1000)
        own = official.copy()
        own[7] = "b"
        assert agreement.labels(own, official).agrees
        own[8] = "b"
        assert not agreement.labels(own, official).agrees

    def test_equally_near_neighbours_may_change_places(self):
        official = _neighbors((1, 0.9), (2, 0.8), (3, 0.8))
        assert agreement.neighbors(_neighbors((1, 0.9), (3, 0.8), (2, 0.8)), official).agrees
        assert agreement.neighbors(_neighbors((1, 0.9), (2, 0.8), (4, 0.8)), official).agrees

    def test_a_neighbour_that_is_not_near_is_different(self):
        official = _neighbors((1, 0.9), (2, 0.8), (3, 0.7))
        assert not agreement.neighbors(_neighbors((1, 0.9), (2, 0.8), (4, 0.75)), official).agrees
        assert not agreement.neighbors(_neighbors((2, 0.9), (1, 0.8), (3, 0.7)), official).agrees


TIME = work.Figure("time", "a call", work.Unit.SECONDS, ceiling=2.0, floor=2.0, headline="a call")
BATCH = work.Figure("batch", "many", work.Unit.SECONDS, stand_ins=("time",), headline="many")
RATE = work.Figure("rate", "lines", work.Unit.LINES_PER_SECOND, floor=1.0)
WORK = work.Work("Some work", (TIME, BATCH, RATE), {}, rule=agreement.bits)


def _measured(**runs):
    return measure.Measured(WORK, {name.replace("_", "-"): own for name, own in runs.items()})


class TestComparing:
    def test_ours_must_be_equal(self):
        other = VECTORS + np.float32(1e-7)
        with pytest.raises(measure.DisagreementError, match="Some work"):
            measure.compare(WORK, {"ours": {"a": other}, "official": {"a": VECTORS}})

    def test_every_answer_of_ours_is_compared(self):
        answers = {"ours": {"a": VECTORS, "b": -VECTORS}, "official": {"a": VECTORS}}
        with pytest.raises(measure.DisagreementError, match="b: DIFFERENT"):
            measure.compare(WORK, answers)

    def test_a_peer_that_differs_is_told(self):
        answers = {"ours": {"a": VECTORS}, "gensim": {"a": -VECTORS}, "official": {"a": VECTORS}}
        said = measure.compare(WORK, answers)
        assert said["ours"] == "equal bit for bit"
        assert "DIFFERENT" in said["gensim"]

    def test_without_the_official_package_nothing_is_claimed(self):
        assert "not compared" in measure.compare(WORK, {"ours": {"a": VECTORS}})["ours"]


class TestRatios:
    def test_the_ratio_is_the_median_over_the_rounds_that_both_ran(self):
        measured = _measured(
            ours=[{"time": 1.0}, {"time": 2.0}, {"time": 1.0}],
            official=[{"time": 4.0}, {"time": 4.0}, None],
        )
        assert measured.median(TIME, "ours") == 1.0
        assert measured.ratio(TIME, "official") == 3.0

    def test_more_lines_a_second_are_better(self):
        measured = _measured(ours=[{"rate": 30.0}], official=[{"rate": 10.0}])
        assert measured.ratio(RATE, "official") == 3.0

    def test_another_figure_stands_in(self):
        measured = _measured(ours=[{"time": 1.0, "batch": 0.5}], official=[{"time": 4.0}])
        assert measured.ratio(BATCH, "official") == 8.0
        assert measured.stands_in(BATCH, "official")
        assert not measured.stands_in(BATCH, "ours")


def _document(**runs):
    return {
        "size": "small",
        "started": "2026-01-01T10:00:00+00:00",
        "machine": {"processor": "a processor", "date": "2026-01-01"},
        "commands": ["python -m benchmarks"],
        "versions": {
            name.replace("_", "-"): {"package": name, "python": "3", "numpy": "2"} for name in runs
        },
        "works": {"some-work": report.work_document(_measured(**runs))},
    }


def _run(time, batch=None):
    return [{"time": time} if batch is None else {"time": time, "batch": batch}]


def _time(document):
    return document["works"]["some-work"]["figures"]["time"]


FLOOR = work.Figure("floor", "many words", work.Unit.SECONDS, floor=4.0)


class TestSecondTry:
    """`--quick` measures a work again that misses a floor."""

    @pytest.fixture
    def run(self, monkeypatch, tmp_path):
        """Run two works whose ratios, try by try, are given: the exit code, and what was run."""

        def run(options=("--quick",), **ratios):
            asked = []

            def measured(name, entry, task, pythons, *, runs, peer_runs, progress):
                asked.append((name, runs, peer_runs))
                ratio = ratios[name].pop(0)
                if isinstance(ratio, Exception):
                    raise ratio
                return measure.Measured(
                    entry, {"ours": [{"floor": 1.0}], "official": [{"floor": ratio}]}
                )

            works = {name: work.Work(name, (FLOOR,), {}, needs=()) for name in ratios}
            monkeypatch.setattr(program, "WORKS", works)
            monkeypatch.setattr(program, "QUICK", tuple(works))
            monkeypatch.setattr(program, "measure", measured)
            monkeypatch.setattr(program, "_task", lambda *_: work.Task())
            monkeypatch.setattr(
                program, "_version", lambda name, _: {"package": name, "python": "3", "numpy": "2"}
            )
            return program.main([*options, "--json", str(tmp_path / "runs.json")]), asked

        return run

    def test_a_floor_that_is_kept_is_measured_once(self, run):
        assert run(a=[4.0], b=[5.0]) == (0, [("a", 3, 3), ("b", 3, 3)])

    def test_a_miss_is_measured_again_in_more_rounds_after_the_others(self, run, capsys, tmp_path):
        assert run(a=[3.53, 4.2], b=[5.0]) == (0, [("a", 3, 3), ("b", 3, 3), ("a", 9, 9)])
        said = capsys.readouterr()
        assert "a is measured again: many words: 3.53 × where the floor is 4 ×" in said.err
        assert "misses a floor" not in said.err
        again = "- Measured again, since a first try missed: many words: 3.53 × where the floor is"
        assert said.out.count(again) == 1
        assert "| 4.20 × | at least 4 × | yes |" in said.out
        document = json.loads((tmp_path / "runs.json").read_text("utf-8"))
        assert list(document["works"]) == ["a", "b"]
        assert report.markdown(document) == said.out

    def test_a_second_miss_fails(self, run, capsys):
        assert run(a=[5.0], b=[3.53, 3.99]) == (1, [("a", 3, 3), ("b", 3, 3), ("b", 9, 9)])
        assert "b misses a floor: many words: 3.99 × where the floor" in capsys.readouterr().err

    def test_a_second_try_that_fails_leaves_the_miss(self, run):
        assert run(a=[3.0, measure.ChildError("killed")])[0] == 2
        assert run(a=[3.0, measure.DisagreementError("another answer")])[0] == 1

    def test_only_quick_runs_fail_by_floors(self, run):
        assert run(("--peers", "official"), a=[3.0]) == (0, [("a", 5, 5)])


class TestReport:
    def test_limits(self):
        figure = _time(_document(ours=_run(1.0), official=_run(4.0)))
        assert report.ceiling_met(figure) is True
        assert report.floor_met(figure) is True
        assert "| yes |" in report.markdown(_document(ours=_run(1.0), official=_run(4.0)))
        assert "| **no** |" in report.markdown(_document(ours=_run(1.0), official=_run(1.5)))
        assert "| **no** |" in report.markdown(_document(ours=_run(3.0), official=_run(9.0)))

    def test_a_floor_without_the_peer_is_left_open(self):
        document = _document(ours=_run(1.0))
        assert report.floor_met(_time(document)) is None
        assert "yes" not in report.markdown(document)

    def test_peers_that_are_ahead_are_named_best_first(self):
        document = _document(ours=_run(3.0), official=_run(9.0), gensim=_run(2.0), faiss=_run(1.0))
        assert report.ahead(_time(document)) == ["faiss", "gensim"]
        assert "| faiss, gensim |" in report.markdown(document)
        assert "**faiss 1.00 s**" in report.headlines(document)
        assert "**9.00 s**" not in report.headlines(document)

    def test_a_later_run_adds_what_is_missing(self):
        first = _document(ours=_run(1.0, 0.5), official=_run(4.0))
        later = _document(ours=_run(2.0, 0.7), official=_run(99.0), gensim=_run(6.0))
        later["started"], later["machine"]["date"] = "2026-02-02T10:00:00+00:00", "2026-02-02"
        later["commands"] = ["python -m benchmarks --peers gensim"]
        merged = report.merge([later, first])
        figure = _time(merged)
        assert figure["medians"] == {"ours": 1.0, "official": 4.0, "gensim": 6.0}
        # The ratio of gensim is from its own run, in which our time was twice as long.
        assert figure["ratios"] == {"official": 4.0, "gensim": 3.0}
        assert list(merged["versions"]) == ["ours", "official", "gensim"]
        assert merged["machine"]["date"] == "2026-02-02"
        assert merged["commands"] == [*first["commands"], *later["commands"]]

    @pytest.mark.parametrize("part", ["size", "machine"])
    def test_runs_of_different_machines_or_sizes_are_not_one(self, part):
        other = _document(ours=_run(1.0))
        other[part] = {"size": "full", "machine": {"processor": "another", "date": ""}}[part]
        with pytest.raises(ValueError, match="runs of"):
            report.merge([_document(ours=_run(1.0)), other])

    def test_the_block_of_a_readme_is_replaced(self):
        text = f"before\n{report.BEGIN}\nold\n{report.END}\nafter\n"
        new = report.replace_block(text, "new\n")
        assert new == f"before\n{report.BEGIN}\nnew\n{report.END}\nafter\n"
        assert report.block_of(new) == "new\n"

    @pytest.mark.parametrize("text", ["", report.BEGIN, 2 * (report.BEGIN + report.END)])
    def test_markers_are_there_once(self, text):
        with pytest.raises(ValueError, match="there is not one"):
            report.replace_block(text, "")

    def test_the_command_writes_into_a_file(self, tmp_path):
        runs, readme = tmp_path / "runs.json", tmp_path / "README.md"
        document = _document(ours=_run(1.0), official=_run(4.0))
        runs.write_text(report.json_text(document))
        readme.write_text(f"{report.BEGIN}\n{report.END}\n")
        report.main([str(runs), "--readme", str(readme)])
        assert report.block_of(readme.read_text()) == report.readme(document)
        assert sorted(path.name for path in tmp_path.iterdir()) == ["README.md", "runs.json"]

    def test_charts_are_drawn(self, tmp_path):
        pytest.importorskip("matplotlib")
        document = _document(ours=_run(1.0, 0.5), official=_run(40.0))
        (path,) = charts.draw(document, tmp_path)
        assert path.name == "some-work.svg"
        assert "40.0 s" in path.read_text()

    @pytest.mark.parametrize("unit", work.Unit)
    def test_figures_of_every_unit_are_drawn(self, tmp_path, unit):
        pytest.importorskip("matplotlib")
        document = _document(ours=_run(1.0, 0.5))
        document["works"]["some-work"]["figures"]["time"]["unit"] = unit.value
        assert charts.draw(document, tmp_path)


def test_figures_of_the_readme_are_those_of_committed_runs():
    runs = [
        json.loads(p.read_text("utf-8")) for p in sorted((BENCHMARKS / "results").glob("*.json"))
    ]
    document = report.merge(runs)
    for file, block in (("README.md", report.readme), ("docs/performance.md", report.headlines)):
        assert report.block_of((REPOSITORY / file).read_text("utf-8")) == block(document), file


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.35e-6, "0.35 µs"),
        (12.5e-6, "12.5 µs"),
        (3e-4, "0.30 ms"),
        (0.0301, "30.1 ms"),
        (23.3, "23.3 s"),
    ],
)
def test_times_are_written_in_readable_units(seconds, text):
    assert work.Unit.SECONDS.text(seconds) == text


@pytest.mark.parametrize(("count", "text"), [(5.5e6, "5.5 MB"), (7.94e9, "7.94 GB")])
def test_bytes_are_written_in_readable_units(count, text):
    assert work.Unit.BYTES.text(count) == text


@pytest.mark.parametrize(
    ("share", "text"), [(1.254, "1.25 ×"), (0.1, "0.10 ×"), (2e-4, "0.0002 ×")]
)
def test_shares_are_written_with_a_digit_at_least(share, text):
    assert work.Unit.TIMES.text(share) == text


def test_works_have_distinct_figures_of_known_libraries():
    for name, entry in WORKS.items():
        keys = [figure.key for figure in entry.figures]
        assert len(set(keys)) == len(keys), name
        assert set(entry.libraries) <= set(LIBRARIES), name
        assert set(entry.needs) <= set(work.Task.__dataclass_fields__), name
    assert set(QUICK) <= set(WORKS)


class TestSyntheticModels:
    @pytest.fixture(autouse=True)
    def shapes(self, monkeypatch):
        monkeypatch.setitem(synthetic.SHAPES, "vectors", synthetic.Shape(50, 60, dim=5))
        shape = synthetic.Shape(50, 60, dim=5, minn=0, maxn=0, labels=2, word_ngrams=2)
        monkeypatch.setitem(synthetic.SHAPES, "labels", shape)

    def test_vectors(self, tmp_path):
        model = ftl.load(synthetic.ensure("vectors", tmp_path))
        assert list(model.words) == synthetic.vocabulary(50)
        known, ids, unknown = synthetic.word_lists(50, 20)
        assert [model.word_id(word) for word in known] == ids
        assert not any(word in model for word in unknown)

    def test_labels(self, tmp_path):
        model = ftl.load(synthetic.ensure("labels", tmp_path))
        assert list(model.labels) == ["__label__0", "__label__1"]
        text = " ".join(model.words[1:4])
        assert model.predict(text, k=2).probabilities.sum() == pytest.approx(1, abs=1e-4)

    def test_what_fails_leaves_nothing(self, tmp_path, monkeypatch):
        def interrupt(*_):
            raise KeyboardInterrupt

        monkeypatch.setattr(synthetic, "_write_matrix", interrupt)
        with pytest.raises(KeyboardInterrupt):
            synthetic.ensure("vectors", tmp_path)
        assert list(tmp_path.iterdir()) == []

    def test_room_is_asked_for_first(self, tmp_path):
        with pytest.raises(OSError, match="are missing"):
            files.check_space(tmp_path / "model", 1e18)


def test_texts_are_as_long_as_asked_and_the_same_every_time():
    some = texts.multilingual(200, 50, 100)
    assert some == texts.multilingual(200, 50, 100)
    assert len(set(some)) > 180
    assert all(50 <= len(text.encode()) <= 100 for text in some)
    assert {len(text.split()) for text in texts.of_words(["a", "b"], 10, 12)} == {12}


def test_a_run_from_end_to_end(tmp_path):
    command = [sys.executable, "-m", "benchmarks", "--size", "tiny", "--only", "opening"]
    command += ["--peers", "--runs", "1", "--dir", str(tmp_path)]
    command += ["--json", str(tmp_path / "runs.json")]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True)
    assert "### Opening a model" in done.stdout
    document = json.loads((tmp_path / "runs.json").read_text("utf-8"))
    assert document["works"]["opening"]["figures"]["open"]["medians"]["ours"] > 0
    assert report.markdown(document) == done.stdout
    assert not list(tmp_path.glob("*.part"))
