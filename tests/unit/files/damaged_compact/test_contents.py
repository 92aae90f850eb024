"""Wrong numbers in the arrays of a compact file, which are checked on use, cause no harm."""

from __future__ import annotations

import contextlib
from pathlib import Path

import numpy as np
import pytest
from support.builders import build
from support.compact_file import FILES, WORDS, CompactFile, answers_everything
from support.queries import ask_everything

import fasttext_lite as ftl


def numbers(size, dtype):
    """Yield arrays of ``size`` wrong numbers."""
    least, top = np.iinfo(dtype).min, np.iinfo(dtype).max
    random = np.random.default_rng(0)
    for number in (0, top, top // 2 + 1, size, size + 1):
        yield np.full(size, number, dtype)
    yield np.arange(size, dtype=dtype)[::-1].copy()
    yield np.arange(size, dtype=dtype) * dtype(size)
    for _ in range(3):
        yield random.integers(least, top, size, dtype, endpoint=True)
        yield random.integers(0, 3 * size, size, dtype)


ARRAYS = {
    "vocabulary.index": np.uint32,
    "vocabulary.offsets": np.uint64,
    "vocabulary.counts": np.int64,
    "subwords.buckets": np.int32,
    "subwords.table": np.uint32,
}


@pytest.mark.parametrize(("mmap", "subwords"), [(True, "all"), (False, "used")])
@pytest.mark.parametrize(
    ("original", "name"),
    [(kind, name) for kind in FILES for name in ARRAYS if name[:3] != "sub" or "some" in kind],
    indirect=["original"],
)
def test_entries_that_lead_astray_harm_nothing(load, original, name, mmap, subwords):
    dtype = ARRAYS[name]
    size = len(CompactFile(original).array(name, dtype))
    asked = 0
    for lies in numbers(size, dtype):
        file = CompactFile(original)
        file.fill(name, lies)
        model = load(file.bytes(), mmap=mmap)
        asked += ask_everything(model, WORDS)
        with contextlib.suppress(ftl.FormatError):
            again = Path(model.info.path).with_suffix(".again")
            ftl.convert(model.info.path, again, subwords=subwords)
            ask_everything(ftl.load(again), WORDS)
    assert asked > 50


def test_entries_that_overlap_do_not_multiply(load, tmp_path):
    """Check that a copy of entries, each of the whole text, does not square the size."""
    (tmp_path / "source.bin").write_bytes(build(words=[b"word%d" % i for i in range(50)]))
    ftl.convert(tmp_path / "source.bin", tmp_path / "source")
    file = CompactFile((tmp_path / "source").read_bytes())
    offsets = file.array("vocabulary.offsets", np.uint64)
    file.fill("vocabulary.offsets", np.where(np.arange(len(offsets)) % 2, offsets[-1], 0))
    model = load(file.bytes())
    overlap = pytest.raises(ftl.FormatError, match=r"entries .* up to number 2 overlap")
    with overlap:
        model.words.packed()
    with overlap:
        ftl.convert(model.info.path, tmp_path / "target")
    with overlap:
        ftl.export(model, tmp_path / "target.vec")
    assert not [path for path in tmp_path.iterdir() if path.name.startswith("target")]


@pytest.mark.parametrize("name", ["words", "words.norms", "subwords", "vocabulary.text"])
def test_random_bytes_harm_nothing(load, file, name):
    random = np.random.default_rng(0)
    place = file.slot(name)
    for _ in range(20):
        file.fill(name, random.integers(0, 256, place.stop - place.start, np.uint8))
        with np.errstate(all="ignore"):
            answers_everything(load(file.bytes()))


def test_a_closed_file_with_a_damaged_index_still_lists_and_compares_its_words(load, tmp_path):
    (tmp_path / "source.bin").write_bytes(build())
    ftl.convert(tmp_path / "source.bin", tmp_path / "closed", subwords="none")
    file = CompactFile((tmp_path / "closed").read_bytes())
    good = ftl.load(tmp_path / "closed")
    file.fill("vocabulary.index", np.zeros(8, np.uint32))
    model = load(file.bytes())
    assert list(model.words) == list(good.words)
    with pytest.raises(ftl.UnknownWordError):
        model["one"]
    vector = good["one"]
    assert model.neighbors(vector) == good.neighbors(vector)
    ftl.convert(Path(model.info.path), tmp_path / "again")
    assert (ftl.load(tmp_path / "again")["one"] == vector).all()
