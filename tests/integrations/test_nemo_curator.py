"""The filters for NeMo Curator, beside its own with the official package on the same model."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
from ast import literal_eval

import numpy as np
import pytest
from support import GOLDEN
from support.builders import SOFTMAX, SUPERVISED, build
from support.clusters import RAY_ENVIRONMENT, temporary_folder
from support.text import labelled_texts

import fasttext_lite as ftl

pytest.importorskip("nemo_curator", reason="NeMo Curator is not installed")
pytest.importorskip("pandas")

import pandas
from nemo_curator.stages.text.filters import DocumentFilter, Filter, ScoreFilter
from nemo_curator.tasks import DocumentBatch

from fasttext_lite.integrations.nemo_curator import (
    BatchScoreFilter,
    FastTextLangId,
    FastTextQualityFilter,
)
from fasttext_lite.model_path import _shared_model

pytestmark = pytest.mark.engines

OPTIONS = {"model": "supervised", "minn": 2, "maxn": 3, "bucket": 900, "dim": 10}
LANGUAGE = {**OPTIONS, "text": "language", "lr": 0.5, "epoch": 20}
TEXTS = [
    *labelled_texts(120),
    *("", " \n ", "\u3000\u00a0 word\n", "__label__ru and __label__en", "a\r\nb\tc", "x" * 5000),
    *("\n".join(labelled_texts(30)[i : i + 3]) for i in range(0, 30, 3)),
]


@pytest.fixture
def own():
    """The filters of NeMo Curator itself, with the official package."""
    pytest.importorskip("fasttext")
    from nemo_curator.stages.text.filters import fasttext

    return fasttext


def batch(texts=TEXTS):
    frame = pandas.DataFrame({"text": texts, "id": range(len(texts))})
    return DocumentBatch(dataset_name="texts", data=frame)


def run(stage, texts=TEXTS):
    stage.setup_on_node()
    stage.setup()
    return stage.process(batch(texts)).to_pandas()


def check_same(ours, theirs, parse):
    """Compare two results: the same rows, the same types, and scores within 1e-5."""
    assert ours["id"].tolist() == theirs["id"].tolist()
    assert ours["text"].tolist() == theirs["text"].tolist()
    assert ours.dtypes.to_dict() == theirs.dtypes.to_dict()
    for one, other in zip(ours["score"], theirs["score"], strict=True):
        assert type(one) is type(other)
        assert parse(one) == parse(other)
    return len(theirs)


def parsed(score):
    number, language = literal_eval(score)
    return pytest.approx(number, abs=1e-5), language


@pytest.mark.parametrize("stage", [ScoreFilter, BatchScoreFilter])
@pytest.mark.parametrize("invert", [False, True])
@pytest.mark.parametrize("options", [(), (0.6,), (0.0, "RU"), (0.2, "en_Latn"), (1.1,)])
@pytest.mark.parametrize("loss", ["softmax", "hs"])
def test_the_same_languages_are_kept(loss, options, invert, stage, trained, own):
    model = str(trained(**LANGUAGE, loss=loss))
    found, expected = (
        run(kind(made(model, *options), score_field="score", invert=invert))
        for kind, made in ((stage, FastTextLangId), (ScoreFilter, own.FastTextLangId))
    )
    kept = check_same(found, expected, parsed)
    rest = run(stage(FastTextLangId(model, *options), invert=not invert))
    assert kept + len(rest) == len(TEXTS)


@pytest.mark.parametrize("score", ["[0.5, 'eng_Latn']", "[0.5, 'en']", "[0.29, 'ENG_latn']"])
@pytest.mark.parametrize("lang", [None, "", "en", "ENG", "eng_Latn", "eng_Cyrl", "ENG_LATN"])
def test_a_language_is_matched_as_by_their_filter(lang, score, own):
    path = GOLDEN / "softmax.bin"
    ours, theirs = FastTextLangId(path, 0.3, lang), own.FastTextLangId(str(path), 0.3, lang)
    assert ours.keep_document(score) == theirs.keep_document(score)


@pytest.mark.parametrize("stage", [ScoreFilter, BatchScoreFilter])
@pytest.mark.parametrize(("alpha", "seed"), [(3, 42), (0.5, 7)])
def test_the_same_qualities_are_kept(alpha, seed, stage, trained, own):
    model = str(trained(**LANGUAGE, loss="softmax"))
    state = np.random.get_state()  # noqa: NPY002 - their filter sets it
    try:
        options = {"label": "__label__ru", "alpha": alpha, "seed": seed}
        theirs = run(ScoreFilter(own.FastTextQualityFilter(model, **options), score_field="score"))
    finally:
        np.random.set_state(state)  # noqa: NPY002
    ours = run(stage(FastTextQualityFilter(model, **options), score_field="score"))
    kept = check_same(ours, theirs, lambda score: pytest.approx(score, abs=1e-5))
    assert 0 < kept < len(TEXTS)


def test_names_and_the_need_for_actors_are_theirs(own):
    path = str(GOLDEN / "softmax.bin")
    for name in ("FastTextLangId", "FastTextQualityFilter"):
        ours = {"FastTextLangId": FastTextLangId, "FastTextQualityFilter": FastTextQualityFilter}
        stages = BatchScoreFilter(ours[name](path)), ScoreFilter(getattr(own, name)(path))
        assert stages[0].name == stages[1].name
        assert stages[0].ray_stage_spec() == stages[1].ray_stage_spec() == {"is_actor_stage": True}
        assert stages[0].inputs() == stages[1].inputs()


def test_filters_of_other_kinds_run_beside_ours(trained):
    class Long(DocumentFilter):
        def score_document(self, text):
            return len(text)

        def keep_document(self, score):
            return score > 40

    language = FastTextLangId(trained(**LANGUAGE, loss="softmax"), 0.5)
    stage = BatchScoreFilter([Long(), language], score_field=["length", "language"])
    found = run(stage)
    assert 0 < len(found) < len(TEXTS)
    assert found["length"].min() > 40
    kept = Filter([Long(), language], filter_field=["length", "language"]).process(
        DocumentBatch(dataset_name="texts", data=found)
    )
    assert len(kept.to_pandas()) == len(found)


def test_nothing_is_left_and_nothing_comes_in():
    language = FastTextLangId(GOLDEN / "softmax.bin", 1.1)
    stage = BatchScoreFilter([language, language], score_field=["a", "b"])
    found = run(stage)
    assert len(found) == 0
    assert {"text", "id", "a"} <= set(found.columns)
    assert len(run(stage, [])) == 0


PIPELINE = """
import sys
from nemo_curator.backends.ray_data import RayDataExecutor
from nemo_curator.pipeline import Pipeline
from nemo_curator.stages.text.io.reader import JsonlReader
from nemo_curator.stages.text.io.writer import JsonlWriter
from fasttext_lite.integrations.nemo_curator import BatchScoreFilter, FastTextLangId

if __name__ == "__main__":
    source, target, model = sys.argv[1:]
    language = BatchScoreFilter(FastTextLangId(model, 0.5), score_field="score")
    stages = [JsonlReader(source), language, JsonlWriter(target)]
    Pipeline(name="languages", stages=stages).run(RayDataExecutor())
"""


def test_a_pipeline_on_ray_keeps_what_their_filter_keeps(trained, own, tmp_path):
    pytest.importorskip("ray.data", reason="Ray Data is not installed")
    model = str(trained(**LANGUAGE, loss="softmax"))
    source, target, program = (tmp_path / name for name in ("source", "target", "program.py"))
    source.mkdir()
    rows = [{"text": text, "id": i} for i, text in enumerate(TEXTS)]
    for i in range(3):
        lines = [json.dumps(row) + "\n" for row in rows[i::3]]
        (source / f"{i}.jsonl").write_text("".join(lines))
    program.write_text(PIPELINE)
    with temporary_folder() as folder:
        done = subprocess.run(
            [sys.executable, program, source, target, model],
            check=False,
            capture_output=True,
            # Workers import from the current folder, which may hold the sources of this package.
            cwd=tmp_path,
            env=os.environ | RAY_ENVIRONMENT | {"RAY_TMPDIR": folder},
            timeout=200,
        )
    assert done.returncode == 0, done.stderr.decode()[-3000:]
    found = [
        json.loads(line) for file in target.iterdir() for line in file.read_text().splitlines()
    ]
    ours = pandas.DataFrame(sorted(found, key=lambda row: row["id"]))
    theirs = run(ScoreFilter(own.FastTextLangId(model, 0.5), score_field="score"))
    assert check_same(ours, theirs[ours.columns], parsed) > 10


def test_a_document_without_any_label_has_no_language(tmp_path):
    path = tmp_path / "model.bin"
    labels = [b"__label__hq", b"__label__cc"]
    path.write_bytes(build(model=SUPERVISED, loss=SOFTMAX, words=[b"a"], labels=labels, bucket=0))
    language = FastTextLangId(path)
    assert language.score_documents(["unheard", "a"])[0] == "[0.0, '']"
    assert not language.keep_document("[0.0, '']")
    assert FastTextQualityFilter(path).score_document("unheard") == 0


def test_filters_pickle_as_a_path(tmp_path):
    path = tmp_path / "model.bin"
    path.write_bytes((GOLDEN / "softmax.bin").read_bytes())
    label = ftl.load(path).labels[0]
    for made in (FastTextLangId(path), FastTextQualityFilter(path, label)):
        sent = pickle.dumps(made)
        made.load_model()
        assert len(sent) < 10_000
        twin = pickle.loads(sent)
        assert twin.score_documents(TEXTS) == made.score_documents(TEXTS)
        assert pickle.dumps(made) == sent
    sent = pickle.dumps(FastTextLangId(path))
    _shared_model.cache_clear()
    path.write_bytes((GOLDEN / "hs.bin").read_bytes())
    with pytest.raises(ftl.FileError, match=r"this is another file on .* than where"):
        pickle.loads(sent).load_model()


def test_wrong_input_is_named(tmp_path):
    path = GOLDEN / "softmax.bin"
    for made in (FastTextLangId, FastTextQualityFilter):
        with pytest.raises(ftl.InputValueError, match="model_path is missing"):
            made()
        with pytest.raises(ftl.MissingFileError, match="there is no such file"):
            made(tmp_path / "none.bin").model_check_or_download()
        with pytest.raises(ftl.ModelKindError):
            made("sample").load_model()
    with pytest.raises(ftl.InputValueError, match="'__label__hq' is not a label of this model"):
        FastTextQualityFilter(path).load_model()
    with pytest.raises(ftl.InputTypeError, match=r"a score must be a str as .* not float"):
        FastTextLangId(path).keep_document(0.5)
    for missing in (None, float("nan")):
        with pytest.raises(ftl.InputTypeError, match=r"texts\[1\]"):
            run(BatchScoreFilter(FastTextLangId(path)), ["a", missing])
    with pytest.raises(KeyError, match="body"):
        run(BatchScoreFilter(FastTextLangId(path), text_field="body"))
