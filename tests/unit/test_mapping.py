"""A linear map of all rows: mapped models, conversions with a map, and maps that are refused."""

from __future__ import annotations

import copy
import gzip
import io
import pickle
import subprocess
import sys
import tracemalloc

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from support.builders import HS, OVA, SUPERVISED, Quantizer, build

import fasttext_lite as ftl
from fasttext_lite.cli import main

LABELS = [b"__label__a", b"__label__b", b"__label__c"]
CLASSIFIERS = {
    "softmax": {},
    "hierarchical softmax": {"loss": HS},
    "one-vs-all": {"loss": OVA, "word_ngrams": 2},
    "quantised": {"input_quantizer": Quantizer(dsub=2, qnorm=True)},
    "quantised output": {
        "input_quantizer": Quantizer(dsub=2),
        "output_quantizer": Quantizer(dsub=2),
    },
    "pruned": {"input_quantizer": Quantizer(dsub=2), "prune": [(3, 0), (1, 2), (7, 1)]},
}
TEXTS = ["one two", "", "one unheard of two", "onetwo"]
KNOWN, UNKNOWN = ["king", "war", "the"], ["governmentish", "kingwar", "ofof"]


def random_map(dim, new=None, seed=0):
    return np.random.default_rng(seed).standard_normal((dim, new or dim))


def rotation(dim, seed=0):
    return np.linalg.qr(random_map(dim, seed=seed))[0]


@pytest.fixture(scope="module")
def sample():
    return ftl.load("sample")


@pytest.fixture
def write(tmp_path):
    def write_model(**options):
        path = tmp_path / "model.bin"
        path.write_bytes(build(**options))
        return path

    return write_model


@pytest.mark.parametrize("new", [1, 7, 40, 64])
def test_every_vector_is_multiplied(sample, new):
    matrix = random_map(sample.dim, new)
    mapped = sample.mapped(matrix)
    words = [*KNOWN, *UNKNOWN]
    expected = sample[words].astype(np.float64) @ matrix
    assert mapped.dim == mapped.info.parameters.dim == new
    assert mapped[words].dtype == np.float32
    assert_allclose(mapped[words], expected, atol=2e-5)
    for word, vector in zip(words, mapped[words], strict=True):
        assert_array_equal(mapped[word], vector)
        assert_array_equal(mapped.get(word), vector)
    assert_allclose(mapped.word_vectors(), sample.word_vectors() @ matrix, atol=5e-5)
    _, row = sample.subwords("governmentish")[0]
    assert_allclose(mapped.row(row), sample.row(row) @ matrix, atol=2e-5)
    assert mapped.subwords("governmentish") == sample.subwords("governmentish")
    assert list(mapped.words[:50]) == list(sample.words[:50])
    assert mapped.counts.tolist() == sample.counts.tolist()
    assert sample[KNOWN].shape == (3, 40)
    assert repr(mapped).endswith(f"dim {new}, mapped>")


def test_sentences_similarities_and_neighbors_follow_from_the_mapped_vectors(sample):
    matrix = random_map(sample.dim, 25, seed=1)
    mapped = sample.mapped(matrix)
    vectors = mapped.word_vectors().astype(np.float64)
    units = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    expected = units[[mapped.word_id(word) for word in ("war", "king")]].mean(axis=0)
    assert_allclose(mapped.sentence_vector("war king"), expected, atol=1e-6)
    assert_allclose(mapped.sentence_vectors(["war king"])[0], expected, atol=1e-6)
    war = mapped.word_id("war")
    cosines = units @ units[war]
    assert mapped.similarity("war", "king") == pytest.approx(cosines[mapped.word_id("king")])
    cosines[war] = -1
    best = np.argsort(-cosines)[:10]
    for options in ({}, {"threads": 2}, {"among": best.tolist()}):
        found = mapped.neighbors("war", k=10, **options)
        assert [near.word for near in found] == [mapped.words[int(i)] for i in best]
        assert_allclose([near.score for near in found], cosines[best], atol=1e-7)
    assert mapped.neighbors(["war", mapped["war"]], k=10)[0] == found


@pytest.mark.parametrize("dtype", ["float32", "float16", "int8"])
@pytest.mark.parametrize("index", [False, True])
def test_neighbors_of_a_file_with_stored_vectors(sample, tmp_path, dtype, index):
    """Its norms and codes are those of the vectors before the map, and must not be used."""
    path = tmp_path / "stored.safetensors"
    ftl.convert(sample, path, dtype, neighbors_index=index)
    stored = ftl.load(path)
    matrix = random_map(sample.dim, seed=2) * np.linspace(0.01, 3, sample.dim)
    mapped = stored.mapped(matrix)
    vectors = mapped.word_vectors().astype(np.float64)
    assert_allclose(vectors, stored.word_vectors().astype(np.float64) @ matrix, atol=5e-5)
    cosines = vectors @ vectors.T[:, mapped.word_id("war")]
    cosines /= np.linalg.norm(vectors, axis=1) * np.linalg.norm(mapped["war"])
    cosines[mapped.word_id("war")] = -1
    best = [mapped.words[int(i)] for i in np.argsort(-cosines)[:5]]
    assert [near.word for near in mapped.neighbors("war", k=5)] == best
    assert [near.word for near in mapped.neighbors(["war"] * 9, k=5)[8]] == best


def test_analogies_and_sif_of_an_orthogonal_map_are_unchanged(sample):
    mapped = sample.mapped(rotation(sample.dim))
    found = mapped.analogies("paris", "berlin", "germany")
    assert [near.word for near in found] == [
        near.word for near in sample.analogies("paris", "berlin", "germany")
    ]
    texts = ["war and peace", "the king of france", "a small house"]
    turned = ftl.SIF(mapped).fit(texts).vectors(texts)
    assert_allclose(
        turned, ftl.SIF(sample).fit(texts).vectors(texts) @ rotation(sample.dim), atol=1e-5
    )


def test_a_map_of_a_mapped_model_is_the_product(sample):
    first, second = random_map(sample.dim, 30), random_map(30, 12, seed=3)
    twice = sample.mapped(first).mapped(second)
    once = sample.mapped(first @ second)
    assert twice.dim == 12
    assert_allclose(twice[KNOWN + UNKNOWN], once[KNOWN + UNKNOWN], atol=1e-3)
    assert_allclose(pickle.loads(pickle.dumps(twice))[KNOWN], twice[KNOWN])
    with pytest.raises(ftl.InputValueError, match="product of the two maps is too large"):
        sample.mapped(first * 1e30).mapped(second * 1e30)


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_a_mapped_model_pickles_as_its_path_and_the_matrix(sample, protocol):
    mapped = sample.mapped(random_map(sample.dim, 3))
    before = pickle.dumps(mapped, protocol)
    assert len(before) < 2000
    assert_array_equal(pickle.loads(before)[KNOWN + UNKNOWN], mapped[KNOWN + UNKNOWN])
    mapped.neighbors("war")
    assert pickle.dumps(mapped, protocol) == before
    assert copy.deepcopy(mapped) is mapped
    stream = ftl.load(io.BytesIO(build())).mapped(np.eye(4))
    with pytest.raises(ftl.FileError, match="cannot be pickled"):
        pickle.dumps(stream, protocol)


def test_a_mapped_model_travels_to_another_process(sample):
    mapped = sample.mapped(random_map(sample.dim, 3))
    code = "import pickle, sys; print(pickle.load(sys.stdin.buffer)['ofof'].tolist())"
    done = subprocess.run(
        [sys.executable, "-I", "-c", code],
        input=pickle.dumps(mapped),
        capture_output=True,
        check=True,
    )
    assert done.stdout.decode().strip() == str(mapped["ofof"].tolist())


def test_the_caller_may_change_the_matrix(sample):
    matrix = np.eye(sample.dim, dtype=np.float32)
    mapped = sample.mapped(matrix)
    pickled = pickle.dumps(mapped)
    matrix[:] = 0
    assert_array_equal(mapped["war"], sample["war"])
    assert pickle.dumps(mapped) == pickled


def test_views_of_the_file_are_refused_and_it_is_verified(sample, tmp_path):
    mapped = sample.mapped(random_map(sample.dim))
    with pytest.raises(ftl.FastTextLiteError, match="mapped"):
        _ = mapped.input_matrix
    with pytest.raises(ftl.FastTextLiteError, match="no output matrix"):
        _ = mapped.output_matrix
    assert mapped.verify(full=True)
    ftl.convert(sample, tmp_path / "x.safetensors")
    with pytest.raises(ftl.FastTextLiteError, match="mapped"):
        _ = ftl.load(tmp_path / "x.safetensors").mapped(np.eye(sample.dim)).word_matrix
    huge = sample.mapped(np.full((sample.dim, 2), 3e38))
    assert not np.isfinite(huge["war"]).any()
    assert huge.verify(full=True)


def test_other_matrices_of_numbers_are_taken(sample):
    whole = np.arange(80).reshape(40, 2) % 3
    expected = sample.mapped(whole)["ofof"]
    for same in (
        whole.tolist(),
        whole.astype(np.uint8),
        whole.astype(">i2"),
        whole.astype(np.float16),
        np.asfortranarray(whole),
        np.repeat(whole, 2, axis=1)[:, ::2],
    ):
        assert_array_equal(sample.mapped(same)["ofof"], expected)


WRONG = {
    "one dimension": (np.zeros(40), ftl.InputValueError, r"shape \(40, n\), not \(40,\)"),
    "three dimensions": (np.zeros((40, 1, 1)), ftl.InputValueError, "shape"),
    "too few rows": (np.zeros((39, 40)), ftl.InputValueError, "transpose the map"),
    "no columns": (np.zeros((40, 0)), ftl.InputValueError, r"not \(40, 0\)"),
    "a number": (3.5, ftl.InputValueError, r"not \(\)"),
    "None": (None, ftl.InputTypeError, "not object"),
    "a ragged list": ([[1, 2], [3]], ftl.InputTypeError, "a matrix of numbers"),
    "words": ([["a", "b"]] * 40, ftl.InputTypeError, "not <U1"),
    "bools": (np.eye(40, dtype=bool), ftl.InputTypeError, "not bool"),
    "complex numbers": (np.eye(40) * 1j, ftl.InputTypeError, "not complex128"),
    "objects": (np.eye(40).astype(object), ftl.InputTypeError, "not object"),
    "dates": (np.zeros((40, 2), "datetime64[s]"), ftl.InputTypeError, "not datetime64"),
    "NaN": (np.full((40, 2), [0, np.nan]), ftl.InputValueError, r"map\[0, 1\] is nan"),
    "infinity": (np.full((40, 2), [0, -np.inf]), ftl.InputValueError, r"map\[0, 1\] is -inf"),
    "too large": (np.full((40, 2), 1e39), ftl.InputValueError, r"map\[0, 0\] is 1e\+39"),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_maps_are_refused(sample, tmp_path, name):
    value, error, message = WRONG[name]
    with pytest.raises(error, match=message):
        sample.mapped(value)
    if value is not None:
        with pytest.raises(error, match=message):
            ftl.convert(sample, tmp_path / "x.safetensors", map=value)
    assert not list(tmp_path.iterdir())


def test_a_model_of_too_many_dimensions_is_refused(tmp_path):
    path = tmp_path / "wide.vec"
    path.write_text("1 8193\na" + " 1" * 8193 + "\n")
    with pytest.raises(ftl.InputValueError, match="8193 dimensions cannot be mapped"):
        ftl.load(path).mapped(np.ones((8193, 1)))


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_a_supervised_model_predicts_the_same_after_an_orthogonal_map(write, tmp_path, name):
    path = write(model=SUPERVISED, labels=LABELS, **CLASSIFIERS[name])
    model = ftl.load(path)
    matrix = rotation(model.dim)
    ftl.convert(path, tmp_path / "x.safetensors", map=matrix)
    for mapped in (model.mapped(matrix), ftl.load(tmp_path / "x.safetensors")):
        words = [word for word in ("one", "two", "unheard") if model.get(word) is not None]
        assert_allclose(mapped[words], model[words] @ matrix, atol=1e-5)
        assert_allclose(
            mapped.sentence_vectors(TEXTS), model.sentence_vectors(TEXTS) @ matrix, atol=1e-5
        )
        ids, scores = model.predict_ids(TEXTS, k=-1)
        found_ids, found = mapped.predict_ids(TEXTS, k=-1)
        if CLASSIFIERS[name].get("loss") != OVA:  # a table, which jumps
            assert_array_equal(found_ids, ids)
            assert_allclose(found, scores, atol=1e-5)
        for ours, theirs in zip(mapped.explain("one two"), model.explain("one two"), strict=True):
            assert ours[:2] == theirs[:2]
            assert ours.score == pytest.approx(theirs.score, abs=1e-5)


def test_a_map_to_more_dimensions_keeps_predictions(write):
    model = ftl.load(write(model=SUPERVISED, labels=LABELS))
    wider = rotation(9)[: model.dim]
    assert model.mapped(wider).dim == 9
    assert_allclose(
        model.mapped(wider).predict_ids(TEXTS, k=-1)[1],
        model.predict_ids(TEXTS, k=-1)[1],
        atol=1e-5,
    )


@pytest.mark.parametrize("matrix", [random_map(4), rotation(4)[:, :3], 1.001 * rotation(4)])
def test_a_supervised_model_refuses_other_maps(write, tmp_path, matrix):
    path = write(model=SUPERVISED, labels=LABELS)
    for action in (
        lambda: ftl.load(path).mapped(matrix),
        lambda: ftl.convert(path, tmp_path / "x.safetensors", map=matrix),
    ):
        with pytest.raises(ftl.ModelKindError, match=r"output layer has to follow.* differs"):
            action()
    assert [left.name for left in tmp_path.iterdir()] == ["model.bin"]


@pytest.mark.parametrize("dtype", ["float32", "float16", "int8"])
@pytest.mark.parametrize("options", [{}, {"subwords": "used"}, {"subwords": "only"}])
def test_convert_writes_mapped_rows(sample, tmp_path, dtype, options):
    matrix = random_map(sample.dim, 24)
    target = tmp_path / "x.safetensors"
    report = ftl.convert(sample, target, dtype, map=matrix, **options)
    assert report.dim == 24
    found = ftl.load(target)
    words = UNKNOWN if options.get("subwords") == "only" else [*KNOWN, *UNKNOWN]
    if options.get("subwords") != "used":
        atol = {"float32": 2e-5, "float16": 2e-2, "int8": 0.2}[dtype]
        assert_allclose(found[words], sample[words].astype(np.float64) @ matrix, atol=atol)
    if dtype == "float32" and "only" not in options.values():
        assert_array_equal(found[KNOWN], sample.mapped(matrix)[KNOWN])
    # The same file as from the mapped model.
    again = tmp_path / "y.safetensors"
    ftl.convert(sample.mapped(matrix), again, dtype, **options)
    assert again.read_bytes() == target.read_bytes()


def test_the_reduction_follows_the_map(sample, tmp_path):
    matrix = random_map(sample.dim) * np.linspace(0.1, 2, 40)
    report = ftl.convert(sample, tmp_path / "x.safetensors", map=matrix, dim=10)
    vectors = sample.word_vectors().astype(np.float64) @ matrix
    _, _, directions = np.linalg.svd(vectors - vectors.mean(axis=0), full_matrices=False)
    found = ftl.load(tmp_path / "x.safetensors")
    assert report.dim == found.dim == 10
    projected = vectors @ directions[:10].T
    signs = np.sign(np.einsum("ij,ij->j", projected, found.word_vectors()))
    assert_allclose(found.word_vectors() * signs, projected, atol=2e-3)
    expected = sample["governmentish"] @ matrix @ directions[:10].T
    assert_allclose(found["governmentish"] * signs, expected, atol=2e-3)
    with pytest.raises(ftl.InputValueError, match="between 1 and 3"):
        ftl.convert(sample, tmp_path / "y.safetensors", map=random_map(40, 3), dim=4)


@pytest.mark.parametrize("options", [{}, {"subwords": "only"}, {"dim": 2}])
def test_gzipped_models_are_mapped(tmp_path, options):
    plain, packed = tmp_path / "model.bin", tmp_path / "model.bin.gz"
    plain.write_bytes(build())
    packed.write_bytes(gzip.compress(build()))
    matrix = random_map(4, 3)
    for source in (plain, packed):
        ftl.convert(source, tmp_path / f"{source.name}.safetensors", map=matrix, **options)
    one, other = (tmp_path / f"{source.name}.safetensors" for source in (plain, packed))
    assert one.read_bytes() == other.read_bytes()


def test_gzipped_supervised_models_are_mapped(tmp_path):
    data = build(model=SUPERVISED, labels=LABELS)
    (tmp_path / "model.bin.gz").write_bytes(gzip.compress(data))
    model = ftl.load(io.BytesIO(data))
    matrix = rotation(model.dim)
    ftl.convert(tmp_path / "model.bin.gz", tmp_path / "x.safetensors", map=matrix)
    found = ftl.load(tmp_path / "x.safetensors")
    assert_allclose(found["one"], model["one"] @ matrix, atol=1e-6)
    assert_allclose(found.predict_ids(TEXTS)[1], model.predict_ids(TEXTS)[1], atol=1e-6)


@pytest.mark.parametrize("name", ["x.bin", "x.vec", "x.npy"])
def test_a_mapped_model_is_exported(sample, tmp_path, name):
    mapped = sample.mapped(random_map(sample.dim, 5))
    ftl.export(mapped, tmp_path / name)
    if name == "x.npy":
        vectors = np.load(tmp_path / name)
    else:
        found = ftl.load(tmp_path / name)
        vectors = found.word_vectors()
        if name == "x.bin":
            assert_allclose(found[UNKNOWN], mapped[UNKNOWN], atol=1e-5)
    assert_allclose(vectors, mapped.word_vectors(), rtol=1e-4, atol=1e-5)


def test_a_mapped_ftz_is_not_copied_as_it_is(write, tmp_path):
    pytest.importorskip("faiss")
    path = write(input_quantizer=Quantizer(dsub=2))
    model = ftl.load(path)
    for name in ("x.ftz", "x.bin"):
        ftl.export(model.mapped(2 * np.eye(model.dim)), tmp_path / name)
        # So few rows are quantised without loss.
        assert_allclose(ftl.load(tmp_path / name)["one"], 2 * model["one"], rtol=1e-5)


def test_a_conversion_with_a_map_holds_a_block_at_a_time(tmp_path):
    path, target = tmp_path / "model.bin", tmp_path / "x.safetensors"
    words = [b"w%d" % i for i in range(60_000)]
    path.write_bytes(build(words=words, dim=64, bucket=20_000, minn=3, maxn=3))
    matrix = rotation(64)
    tracemalloc.start()
    try:
        ftl.convert(path, target, map=matrix, threads=1)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert target.stat().st_size > 20e6
    assert most < 14e6


def test_the_command_line_reads_a_npy_file(sample, tmp_path, capsys):
    matrix = random_map(sample.dim, 6)
    for order in "CF":
        file, target = tmp_path / f"{order}.npy", tmp_path / f"{order}.safetensors"
        np.save(file, np.array(matrix, order=order))
        assert main(["convert", "sample", str(target), "--map", str(file)]) == 0
        assert "dim 6" in capsys.readouterr().out
        assert_array_equal(ftl.load(target)["war"], sample.mapped(matrix)["war"])
        assert_array_equal(sample.mapped(file)["war"], sample.mapped(matrix)["war"])
    assert main(["convert", "sample", str(target), "--map", str(tmp_path / "none.npy")]) != 0
    assert "there is no such file" in capsys.readouterr().err


def npy(shape, descr="<f8", data=b"", version=b"\x01\x00"):
    head = f"{{'descr': {descr!r}, 'fortran_order': False, 'shape': {shape!r}, }}\n".encode()
    return b"\x93NUMPY" + version + len(head).to_bytes(2, "little") + head + data


BAD_FILES = {
    "empty": (b"", ftl.FormatError, "not a .npy file"),
    "text": (b"1 2 3\n4 5 6\n", ftl.FormatError, "not a .npy file"),
    "a pickle": (pickle.dumps(np.eye(40)), ftl.FormatError, "not a .npy file"),
    "a zip": (b"PK\x03\x04" + bytes(90), ftl.FormatError, "not a .npy file"),
    "cut in the head": (npy((40, 1))[:30], ftl.FormatError, "not a .npy file"),
    "cut in the array": (npy((40, 1), data=bytes(319)), ftl.FormatError, "takes 320 bytes"),
    "more": (npy((40, 1), data=bytes(321)), ftl.FormatError, "321 follow"),
    "huge": (npy((40, 1 << 60), data=bytes(320)), ftl.FormatError, "320 follow"),
    "overflow": (npy((40, 1 << 90), data=bytes(320)), ftl.FormatError, "320 follow"),
    "negative": (npy((40, -1), data=bytes(320)), ftl.InputValueError, "shape"),
    "objects": (npy((40, 1), "|O", bytes(320)), ftl.InputTypeError, "not object"),
    "text inside": (npy((40, 1), "<U2", bytes(320)), ftl.InputTypeError, "not <U2"),
    "no dict": (npy("x"), ftl.FormatError, "not a .npy file"),
    "nested": (npy(0).replace(b"0", b"(" * 9000), ftl.FormatError, "not a .npy file"),
    "version 2": (npy((40, 1), version=b"\x02\x00"), ftl.FormatError, "version"),
    "NaN": (npy((40, 1), data=b"\xff" * 320), ftl.InputValueError, "is nan"),
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_bad_files_are_refused(sample, tmp_path, name):
    data, error, message = BAD_FILES[name]
    path = tmp_path / "map.npy"
    path.write_bytes(data)
    with pytest.raises(error, match=message):
        sample.mapped(path)
    with pytest.raises(ftl.FileError):
        sample.mapped(tmp_path)
