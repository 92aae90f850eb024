"""The fasttext layer, where the official package crashes, is undefined or lacks a feature."""

from __future__ import annotations

import gc
import gzip
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from support.builders import SUPERVISED, Quantizer, build
from support.ranges import Files, served

import fasttext_lite as ftl
from fasttext_lite.compat import fasttext

SAMPLE = Path(ftl.load("sample").info.path)


@pytest.fixture
def make(tmp_path):
    """Return a function that opens a built model with the fasttext layer."""

    def build_and_load(**options):
        path = tmp_path / f"{len(list(tmp_path.iterdir()))}.bin"
        path.write_bytes(build(**options))
        return fasttext.load_model(path)

    return build_and_load


@pytest.fixture
def classifier(make):
    labels = [b"__label__a", b"__label__b"]
    return make(model=SUPERVISED, labels=labels, words=[b"one", b"two"], minn=2, maxn=3)


@pytest.fixture(scope="module")
def sample():
    return fasttext.load_model(SAMPLE)


def run(code, cwd):
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, check=False, cwd=cwd, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_libraries_get_this_face_once_it_is_installed(tmp_path):
    Path(tmp_path, "library.py").write_text(
        "import fasttext\n"
        "import fasttext.util\n"
        "import fasttext.FastText as inner\n"
        "from fasttext import load_model\n"
        "from fasttext.FastText import _FastText, train_supervised\n"
        "from fasttext.util import reduce_model\n"
        "def dimension(path):\n"
        "    fasttext.FastText.eprint = lambda text: None\n"
        "    model = load_model(path)\n"
        "    assert isinstance(model, _FastText)\n"
        "    return fasttext.util.reduce_model(model, 7).get_dimension()\n"
    )
    code = (
        "import importlib.util\n"
        "from fasttext_lite.compat.fasttext import install\n"
        "assert install() and install()\n"
        "import library\n"
        "assert importlib.util.find_spec('fasttext')\n"
        f"print(library.fasttext.__name__, library.dimension({str(SAMPLE)!r}))"
    )
    assert run(code, tmp_path) == ["fasttext_lite.compat.fasttext", "7"]


def test_a_package_that_is_imported_already_stays_unless_forced(tmp_path):
    package = tmp_path / "fasttext"
    package.mkdir()
    Path(package, "__init__.py").write_text("from fasttext import util\n")
    Path(package, "util.py").write_text("")
    code = (
        "import sys, fasttext, fasttext.util\n"
        "from fasttext_lite.compat import fasttext as face\n"
        "real = fasttext\n"
        "print(face.install(), sys.modules['fasttext'] is real)\n"
        "print(face.install(force=True))\n"
        "import fasttext, fasttext.util\n"
        "print(fasttext is face, sys.modules['fasttext.util'] is face.util)\n"
    )
    assert run(code, tmp_path) == ["False", "True", "True", "True", "True"]


@pytest.mark.parametrize(
    "ask",
    [
        lambda model: fasttext.train_supervised("text.txt", lr=0.5),
        lambda model: fasttext.train_unsupervised(input="text.txt"),
        lambda model: fasttext.cbow(),
        lambda model: fasttext.skipgram(),
        lambda model: fasttext.supervised(),
        lambda model: model.quantize(input="text.txt", retrain=True),
        lambda model: model.set_matrices(np.eye(2), np.eye(2)),
    ],
)
def test_what_this_library_is_not_for_is_refused_with_a_way_out(ask, sample):
    with pytest.raises(ftl.UnsupportedError, match=r"official package|convert"):
        ask(sample)


def test_libraries_that_ask_whether_it_trains_learn_that_it_does_not():
    assert not hasattr(fasttext, "train_supervised")
    with pytest.raises(AttributeError, match="no attribute 'train'"):
        fasttext.train  # noqa: B018
    with pytest.raises(ftl.UnsupportedError, match="official package"):
        fasttext.FastText.train_supervised("text.txt")


def test_a_model_that_was_downloaded_is_found(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("cc.en.300.bin").write_bytes(b"")
    assert fasttext.util.download_model("en", if_exists="ignore") == "cc.en.300.bin"
    assert fasttext.util.download_model("en") is None


def test_a_model_is_downloaded_into_the_working_directory(tmp_path, monkeypatch, sample):
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("FASTTEXT_LITE_CACHE", str(tmp_path / "cache"))
    packed = gzip.compress(Path(ftl.SAMPLE).read_bytes(), 1)
    with served(Files({"/vectors-crawl/cc.en.300.bin.gz": packed})) as server:
        monkeypatch.setenv("FASTTEXT_LITE_SITE", server.address)
        assert fasttext.util.download_model("en") == "cc.en.300.bin"
        assert fasttext.util.download_model("en", if_exists="overwrite") == "cc.en.300.bin"
        with pytest.raises(ValueError, match=r"cc\.enn\.300"):
            fasttext.util.download_model("enn")
    assert [path.name for path in folder.iterdir()] == ["cc.en.300.bin"]
    assert fasttext.load_model("cc.en.300.bin").get_dimension() == sample.get_dimension()
    assert len(server.requests) == 2


def test_the_word_sample_is_a_path_like_any_other(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match="no such file"):
        fasttext.load_model("sample")


def test_a_model_needs_a_file():
    with pytest.raises(TypeError, match="load_model"):
        fasttext.FastText._FastText()


def test_arguments_become_attributes():
    class Arguments:
        def __getattr__(self, name):
            return f"the {name}"

    model = fasttext.FastText._FastText(SAMPLE, args=Arguments())
    assert (model.lr, model.dim, model.pretrainedVectors) == (
        "the lr", "the dim", "the pretrainedVectors",
    )  # fmt: skip
    assert model.get_dimension() == 40


def test_a_model_pickles_as_its_path(sample):
    again = pickle.loads(pickle.dumps(sample))
    assert_array_equal(again["war"], sample["war"])


def test_bytes_are_taken_for_text(classifier):
    assert_array_equal(classifier.get_word_vector(b"one"), classifier["one"])
    assert classifier.get_word_id(b"two") == 1
    assert classifier.get_label_id(b"__label__b") == 1
    assert classifier.get_line(b"one __label__b") == (["one", "</s>"], ["__label__b"])
    for ours, theirs in zip(classifier.predict(b"one"), classifier.predict("one"), strict=True):
        assert_array_equal(ours, theirs)
    assert b"one" in classifier
    assert b"__label__b" not in classifier


def test_bytes_of_a_line_that_are_no_text_go_as_asked(classifier):
    with pytest.raises(UnicodeDecodeError):
        classifier.get_line(b"one caf\xe9")
    assert classifier.get_line(b"caf\xe9", "replace") == (["caf\ufffd", "</s>"], [])
    assert classifier.get_line("caf\udce9", "surrogateescape") == (["caf\udce9", "</s>"], [])


def test_any_iterable_of_texts_is_a_batch(classifier):
    labels, _ = classifier.predict(["one", "two"])
    assert classifier.predict(("one", "two"))[0] == labels
    assert classifier.predict(np.array(["one", "two"]))[0] == labels
    assert classifier.get_line(("one", "two")) == classifier.get_line(["one", "two"])


def test_a_word_has_no_label_id(classifier):
    assert classifier.get_label_id("one") == -1
    assert classifier.get_word_id("__label__b") == 3


def test_a_row_that_is_not_there_is_an_error(classifier):
    for row in (-1, 12, 2**40):
        with pytest.raises(ValueError, match="row"):
            classifier.get_input_vector(row)


def test_a_model_without_buckets_answers(make):
    model = make(bucket=0, minn=3, maxn=6)
    assert model.get_subwords("unheard")[0] == []
    assert model.get_subwords("unheard")[1].dtype == np.int64
    assert model.get_subwords("one")[0] == ["one"]
    assert_array_equal(model.get_word_vector("unheard"), np.zeros(4, "f4"))
    with pytest.raises(ValueError, match="without n-grams"):
        model.get_subword_id("abc")


def test_no_neighbors_are_no_neighbors(sample):
    assert sample.get_nearest_neighbors("war", k=0) == []
    assert sample.get_analogies("war", "peace", "man", k=0) == []


def test_a_meter_knows_its_labels_only(classifier, tmp_path):
    path = tmp_path / "examples.txt"
    path.write_bytes(b"__label__a one\n__label__b two\n")
    meter = classifier.get_meter(path)
    with pytest.raises(ValueError, match=r"not a label of this model; see model\.labels"):
        meter.score_vs_true("__label__unheard")
    for curve in (meter.precision_recall_curve(), meter.precision_recall_curve("")):
        assert curve[0][-1] == 1
        assert curve[1][-1] == 0


def test_labels_that_are_no_text_are_tested_too(make, tmp_path):
    model = make(model=SUPERVISED, labels=[b"__label__\xff", b"__label__b"])
    path = tmp_path / "examples.txt"
    path.write_bytes(b"__label__\xff one\n")
    assert list(model.test_label(path)) == ["__label__\udcff", "__label__b"]
    assert model.test(path)[0] == 1


def test_saving_over_the_own_file_changes_nothing(tmp_path):
    path = tmp_path / "model.bin"
    path.write_bytes(SAMPLE.read_bytes())
    fasttext.load_model(path).save_model(path)
    assert path.read_bytes() == SAMPLE.read_bytes()
    assert [file.name for file in tmp_path.iterdir()] == ["model.bin"]


def test_a_compact_file_answers_through_the_face(sample, tmp_path):
    path = tmp_path / "sample.safetensors"
    ftl.convert(SAMPLE, path)
    compact = fasttext.load_model(path)
    assert compact.words == sample.words
    assert_array_equal(compact["warlike"], sample["warlike"])
    assert compact.get_nearest_neighbors("war") == sample.get_nearest_neighbors("war")
    with pytest.raises(ValueError, match="vectors of its words"):
        compact.get_input_matrix()
    with pytest.raises(ValueError, match="output"):
        compact.get_output_matrix()


def test_a_model_of_any_file_is_saved_as_an_official_one(sample, tmp_path):
    saved, compact = tmp_path / "model.bin", tmp_path / "sample.safetensors"
    sample.save_model(saved)
    assert saved.read_bytes() == SAMPLE.read_bytes()
    ftl.convert(SAMPLE, compact)
    fasttext.load_model(compact).save_model(saved)
    again = fasttext.load_model(saved)
    assert again.words == sample.words
    assert_allclose(again["warlike"], sample["warlike"], atol=1e-6)
    assert again.get_input_matrix().shape == sample.get_input_matrix().shape


def test_the_matrices_of_a_compact_classifier_are_given_where_they_are_float32(
    classifier, tmp_path
):
    path = tmp_path / "classifier.safetensors"
    ftl.convert(classifier.lite_model.info.path, path)
    compact = fasttext.load_model(path)
    assert_array_equal(compact.get_input_matrix(), classifier.get_input_matrix())
    assert_array_equal(compact.get_output_matrix(), classifier.get_output_matrix())
    ftl.convert(classifier.lite_model.info.path, path, "float16")
    with pytest.raises(ValueError, match="no float32 numbers"):
        fasttext.load_model(path).get_input_matrix()


def test_a_reduced_model_is_the_same_object_with_fewer_dimensions(tmp_path):
    model = fasttext.load_model(SAMPLE)
    before = model["war"]
    assert fasttext.util.reduce_model(model, np.int64(10)) is model
    assert model.get_dimension() == len(model["war"]) == model.dim == 10
    assert model.lite_model.info.path == str(SAMPLE)
    again = pickle.loads(pickle.dumps(model))
    assert_allclose(np.abs(again["war"]), np.abs(model["war"]), atol=1e-4)
    assert len(before) == 40
    model.save_model(tmp_path / "reduced.bin")
    saved = fasttext.load_model(tmp_path / "reduced.bin")
    assert_allclose(saved["war"], model["war"], atol=1e-6)
    with pytest.raises(ValueError, match="source"):
        model.save_model(SAMPLE)
    # 11 is below the dimensions of the file, but above those of the reduced model.
    for dim in (0, 11, 41):
        with pytest.raises(ValueError, match="target_dim must be at"):
            fasttext.util.reduce_model(model, dim)
    with pytest.raises(TypeError, match="target_dim must be int"):
        fasttext.util.reduce_model(model, 2.5)


def test_a_quantized_model_can_be_reduced_too(make):
    model = make(
        model=SUPERVISED, labels=[b"__label__a"], dim=6, input_quantizer=Quantizer(2, qnorm=True)
    )
    assert fasttext.util.reduce_model(model, 3).get_word_vector("one").shape == (3,)


def test_utilities_have_answers_where_there_is_nothing_to_divide_by():
    assert np.isnan(fasttext.util.test([], [])).all()
    precision, recall = fasttext.util.test([[]], [[]])
    assert precision == 0
    assert np.isnan(recall)


def test_the_nearest_of_none_is_an_error():
    vectors = np.eye(3)
    assert fasttext.util.find_nearest_neighbor(vectors[1], vectors, {-1, 7}) == 1
    with pytest.raises(ValueError, match="no row"):
        fasttext.util.find_nearest_neighbor(vectors[1], vectors, {0, 1, 2})


USES = {
    "words": lambda model: (model.words, model.labels, model.get_words(include_freq=True)),
    "vectors": lambda model: (model["one"], model.get_sentence_vector("one"), model.get_line("a")),
    "matrices": lambda model: (model.get_input_matrix(), model.get_input_vector(0)),
    "neighbors": lambda model: (model.get_nearest_neighbors("one"), model.get_subwords("one")),
    "predict": lambda model: (model.predict("one"), model.predict(["one", "two"])),
    "test": lambda model: (model.get_meter(__file__), model.test_label(__file__)),
    "save": lambda model: model.save_model(Path(model.lite_model.info.path).with_name("saved")),
    "arguments": lambda model: model.set_args(model_arguments()),
    "reduce": lambda model: fasttext.util.reduce_model(model, 2),
}


def model_arguments():
    return type("Arguments", (), dict.fromkeys(fasttext.FastText._ARGUMENTS, 1))


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc/self/maps")
@pytest.mark.parametrize("use", USES.values(), ids=USES)
def test_a_dropped_model_is_unmapped_without_the_collector(use, tmp_path):
    path = str(tmp_path / "model.bin")
    Path(path).write_bytes(build(model=SUPERVISED, labels=[b"__label__a", b"__label__b"]))
    gc.collect()
    gc.disable()
    try:
        # Modules are imported by the first round.
        for _ in range(2):
            model = fasttext.load_model(path)
            assert path in Path("/proc/self/maps").read_text()
            use(model)
            del model
        assert path not in Path("/proc/self/maps").read_text()
    finally:
        gc.enable()
