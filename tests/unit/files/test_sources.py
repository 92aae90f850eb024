"""Where the bytes of a model come from: streams, compressed files, archives, addresses."""

from __future__ import annotations

import array
import bz2
import gzip
import hashlib
import io
import json
import lzma
import os
import pickle
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from support.builders import SUPERVISED, Quantizer, build
from support.fixtures import tarred, zipped

import fasttext_lite as ftl
from fasttext_lite.cli import main
from fasttext_lite.compat import fasttext as ft
from fasttext_lite.compat import gensim as gs

LABELS = {"model": SUPERVISED, "labels": [b"__label__a", b"__label__b"]}
VEC = b"2 3\none 1 2 3\ntwo 4 5 6\n"


def compact(data):
    folder = Path(os.environ.get("TMPDIR", "/tmp"), f"sources-{os.getpid()}")  # noqa: S108
    folder.mkdir(exist_ok=True)
    (folder / "source").write_bytes(data)
    ftl.convert(folder / "source", folder / "target")
    content = (folder / "target").read_bytes()
    for file in folder.iterdir():
        file.unlink()
    folder.rmdir()
    return content


MODELS = {
    "bin": build(),
    "before the magic": build(magic=None),
    "ftz": build(**LABELS, input_quantizer=Quantizer()),
    "compact": compact(build()),
    "vec": VEC,
    "vec without a head": b"one 1 2 3\ntwo 4 5 6\n",
}


def zstd(data):
    module = pytest.importorskip("compression.zstd" if sys.version_info >= (3, 14) else
                                 "backports.zstd")  # fmt: skip
    return module.compress(data)


COMPRESSORS = {"gzip": gzip.compress, "bzip2": bz2.compress, "xz": lzma.compress, "zstd": zstd}


class Stream:
    """An object with nothing but ``read``, which gives a few bytes at a time."""

    def __init__(self, data, most=7, kind=bytes):
        self.data, self.most, self.kind = data, most, kind

    def read(self, size):
        size = min(size, self.most)
        block, self.data = self.data[:size], self.data[size:]
        return self.kind(block)


def same(model, data):
    """Check that a model answers as one that was opened from a file with these bytes."""
    expected = ftl.load(io.BytesIO(data))
    assert list(model.words) == list(expected.words)
    assert_array_equal(model[["one", "two"]], expected[["one", "two"]])
    return True


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview, lambda b: array.array("B", b)])
@pytest.mark.parametrize("most", [1, 7, 10**6])
def test_a_stream_needs_nothing_but_read(name, kind, most):
    data = MODELS[name]
    model = ftl.load(Stream(data, most, kind))
    assert same(model, data)
    assert model.info.file_size == len(data)


@settings(max_examples=30)
@given(st.data())
def test_short_reads_are_no_end(data):
    content = MODELS[data.draw(st.sampled_from(list(MODELS)))]

    class Short(io.RawIOBase):
        def __init__(self):
            self.file = io.BytesIO(content)

        def read(self, size=-1):
            return self.file.read(min(size, data.draw(st.integers(1, 200))))

    assert same(ftl.load(Short()), content)


@pytest.mark.parametrize("kind", [lambda b: b.decode("latin-1"), list, lambda b: None])
def test_what_a_stream_returns_is_named(kind):
    with pytest.raises(ftl.InputTypeError, match=r"<Stream> returns \w+, not bytes"):
        ftl.load(Stream(VEC, kind=kind))


@pytest.mark.parametrize("kind", COMPRESSORS)
@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("way", ["path", "BytesIO", "stream"])
def test_every_format_may_be_compressed(tmp_path, kind, name, way):
    data = COMPRESSORS[kind](MODELS[name])
    path = tmp_path / "model"
    path.write_bytes(data)
    model = ftl.load({"path": path, "BytesIO": io.BytesIO(data), "stream": Stream(data)}[way])
    assert same(model, MODELS[name])
    assert model.info.format.endswith(f", {kind}")
    assert (model.info.file_size, model.info.sections) == (len(data), ())
    if way == "path":
        assert same(pickle.loads(pickle.dumps(model)), MODELS[name])
        assert model.verify(full=True)


@pytest.mark.parametrize("kind", COMPRESSORS)
def test_compressed_models_work_in_every_call(tmp_path, kind, capsys):
    data = COMPRESSORS[kind](build())
    path = tmp_path / "model.bin"
    path.write_bytes(data)
    expected = ftl.load(io.BytesIO(build()))["unknown"]
    for make in (lambda: path, lambda: io.BytesIO(data), lambda: Stream(data)):
        ftl.convert(make(), tmp_path / "out.safetensors")
        ftl.export(make(), tmp_path / "out.bin")
        for model in (
            ftl.load(tmp_path / "out.safetensors"),
            ftl.load(tmp_path / "out.bin"),
            ft.load_model(make()),
            ft.FastText._FastText(make()),
            gs.load_facebook_vectors(make()),
            gs.load_facebook_model(make()).wv,
        ):
            assert_array_equal(model["unknown"], expected)
    assert main(["vectors", str(path), "unknown"]) == 0
    assert main(["convert", str(path), str(tmp_path / "out")]) == 0
    assert capsys.readouterr().out


@pytest.mark.parametrize("kind", COMPRESSORS)
def test_streams_one_behind_the_other_are_one(kind):
    pack = COMPRESSORS[kind]
    assert same(ftl.load(io.BytesIO(pack(VEC[:9]) + pack(VEC[9:]))), VEC)
    with pytest.raises(ftl.FormatError, match=r"truncated or damaged|truncated"):
        ftl.load(io.BytesIO(pack(VEC[:9]) + pack(VEC[9:])[:-3]))


@pytest.mark.parametrize("kind", COMPRESSORS)
@pytest.mark.parametrize("name", ["bin", "vec"])
def test_damage_in_compressed_data_is_a_format_error(kind, name):
    data = COMPRESSORS[kind](MODELS[name])
    for bad in (data[: len(data) // 2], data[:-5], data[:12]):
        with pytest.raises(ftl.FormatError, match=r"truncated|damaged"):
            ftl.load(io.BytesIO(bad))


# Archives


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("pack", [
    zipped, tarred, lambda m: tarred(m, kind=tarfile.PAX_FORMAT), lambda m: tarred(m, "w:gz"),
    lambda m: tarred(m, "w:xz"), lambda m: zipped(m, zipfile.ZIP_BZIP2),
    lambda m: zipped(m, zipfile.ZIP_STORED), lambda m: gzip.compress(zipped(m)),
])  # fmt: skip
def test_the_only_model_of_an_archive_opens(tmp_path, name, pack):
    path = tmp_path / "archive"
    long = "folder/" * 30 + "größe.model"
    more = {"README": b"A model of words.\n" * 9, "__MACOSX/._m": VEC, "empty": b""}
    for members in ({long: MODELS[name]}, more | {"m": MODELS[name]}):
        data = pack(members)
        path.write_bytes(data)
        for source in (path, io.BytesIO(data), Stream(data, 1000)):
            assert same(ftl.load(source), MODELS[name])
        assert same(pickle.loads(pickle.dumps(ftl.load(path))), MODELS[name])
        assert same(ftl.load(path, mmap=False), MODELS[name])


@pytest.mark.parametrize("pack", [zipped, tarred, lambda m: tarred(m, "w:gz")])
def test_a_member_is_named_behind_the_archive(tmp_path, pack, capsys):
    path = tmp_path / "both.archive"
    path.write_bytes(pack({"m.bin": build(), "in/m.vec.gz": gzip.compress(VEC), "text": b"t"}))
    for call in (ftl.load, ft.load_model, gs.load_facebook_vectors):
        with pytest.raises(ftl.FormatError, match=r"2 models \('m.bin', 'in/m.vec.gz'\)") as caught:
            call(path)
    assert f"'{path}!/m.bin'" in str(caught.value)
    one = f"{path}!/m.bin"
    assert same(ftl.load(one), build())
    assert same(ftl.load(f"{path}!/in/m.vec.gz"), VEC)
    assert ftl.load(one).info.path == one
    assert same(pickle.loads(pickle.dumps(ftl.load(one))), build())
    ftl.convert(one, tmp_path / "out")
    assert_array_equal(ft.load_model(one)["x"], ftl.load(tmp_path / "out")["x"])
    assert main(["vectors", one, "one"]) == 0
    with pytest.raises(ftl.MissingFileError, match=r"no file 'none'; it has 'm.bin'"):
        ftl.load(f"{path}!/none")
    with pytest.raises(ftl.FileError, match="the target is the source"):
        ftl.convert(one, path)
    # A file object has no name to write this behind.
    with pytest.raises(ftl.FormatError, match=r"\.(open|extractfile)\('m.bin'\)"):
        ftl.load(io.BytesIO(path.read_bytes()))


def test_a_file_whose_name_has_the_mark_is_a_file(tmp_path):
    (tmp_path / "folder!").mkdir()
    (tmp_path / "folder!/m.bin").write_bytes(build())
    assert same(ftl.load(tmp_path / "folder!/m.bin"), build())
    with pytest.raises(ftl.MissingFileError, match="no such file"):
        ftl.load(tmp_path / "folder!/other")
    with pytest.raises(ftl.FormatError, match="no archive"):
        ftl.load(f"{tmp_path}/folder!/m.bin!/m.bin")


def test_members_opened_by_the_caller(tmp_path):
    (tmp_path / "m.zip").write_bytes(zipped({"m.bin": build(**LABELS)}))
    (tmp_path / "m.tar").write_bytes(tarred({"m.bin": build(**LABELS)}))
    with zipfile.ZipFile(tmp_path / "m.zip") as archive, archive.open("m.bin") as member:
        assert ftl.load(member).predict("one").labels
    with tarfile.open(tmp_path / "m.tar") as archive:
        for load in (ftl.load, ft.load_model):
            assert load(archive.extractfile("m.bin")).predict("one")[0]


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2])
def test_damage_in_a_member_is_a_format_error(tmp_path, method):
    data = bytearray(zipped({"m.bin": build(**LABELS)}, method))
    for i in range(100, 160):
        data[i] ^= 0x55
    path = tmp_path / "m.zip"
    path.write_bytes(data)
    with pytest.raises(ftl.FormatError, match="damaged"):
        ftl.load(path)
    with (
        zipfile.ZipFile(path) as archive,
        archive.open("m.bin") as member,
        pytest.raises(ftl.FormatError, match="damaged"),
    ):
        ftl.load(member)


@pytest.mark.parametrize("opened", [gzip.open, bz2.BZ2File, lzma.LZMAFile])
@pytest.mark.parametrize("change", [lambda d: d[:-9], lambda d: d[:60] + b"\x55" * 9 + d[69:]])
def test_damage_in_a_compressed_file_object_is_a_format_error(opened, change):
    packed = io.BytesIO()
    with opened(packed, "wb") as file:
        file.write(build(**LABELS))
    bad = io.BytesIO(change(packed.getvalue()))
    with pytest.raises(ftl.FormatError, match="truncated or damaged"):
        ftl.load(opened(bad))


def test_archives_that_are_damaged_or_not_read_are_named(tmp_path):
    def told(data, match):
        with pytest.raises(ftl.FormatError, match=match):
            ftl.load(io.BytesIO(data))

    data = zipped({"m.bin": build()})
    told(data[:-30], "truncated or damaged")
    told(zipped({}), "holds no file")
    told(zipped({"a.txt": b"a", "b.txt": b"b"}), "2 files, of which none is a model")
    told(zipped({"a.npy": b"a", "b.npy": b"b"}), r"NumPy archive \(\.npz\)")
    told(zipped({"archive/data.pkl": b"\x80\x02", "archive/data/0": VEC}), "PyTorch")
    told(zipped({"m.bin": build()}, zipfile.ZIP_LZMA), "method that is not read")
    encrypted = bytearray(data)
    at = data.index(b"PK\x01\x02")
    encrypted[at + 8] |= 1
    told(bytes(encrypted), "is encrypted")
    tar = tarred({"m.bin": build()})
    told(tar[:700], "archive is truncated")
    told(tar[:1024] + b"x" * 512, "damaged header")


def test_what_an_archive_says_takes_no_memory(tmp_path):
    # Zeros within a zip, and an archive of 11,000 empty files.
    bomb = gzip.compress(gzip.compress(bytes(150 << 20), 9), 9)
    head = build(words=[], bucket=0)[:80]
    bombs = {
        "xz": lzma.compress(head + bytes(100 << 20), preset=0),
        "twice": bomb,
        "many": tarred({f"{i}": b"x" for i in range(10_001)}, "w:gz"),
    }
    for name, data in bombs.items():
        path = tmp_path / name
        path.write_bytes(data)
        with pytest.raises(ftl.FormatError):
            ftl.load(path)
    itself = gzip.compress(VEC)
    for _ in range(5):
        itself = gzip.compress(itself)
    with pytest.raises(ftl.FormatError, match="packed more than 4 times"):
        ftl.load(io.BytesIO(itself))


# Addresses, and content in the place of a path


def test_the_home_folder_and_file_addresses(tmp_path, monkeypatch):
    path = tmp_path / "a model.bin"
    path.write_bytes(build())
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    address = path.as_uri()
    for name in ("~/a model.bin", Path("~/a model.bin"), b"~/a model.bin", address):
        for load in (ftl.load, ft.load_model, gs.load_facebook_vectors):
            assert_array_equal(load(name)["one"], ftl.load(path)["one"])
    assert ftl.load(address).info.path == str(path)
    ftl.convert("~/a model.bin", "~/out")
    assert (tmp_path / "out").exists()
    with pytest.raises(ftl.FileError, match="another computer"):
        ftl.load("file://server/m.bin")


@pytest.mark.parametrize(
    ("address", "match"),
    [
        ("ftp://example.org/m.bin", "no address that is fetched: download"),
        ("s3://bucket/m.bin", "s3fs"),
        (Path("https://example.org/m.bin"), "pass it as str"),
        ("$HOME/m.bin", "expandvars"),
        ("${HOME}/m.bin", "expandvars"),
        ("%USERPROFILE%/m.bin", "expandvars"),
    ],
)
def test_addresses_that_are_not_fetched_are_named(address, match):
    with pytest.raises(ftl.MissingFileError, match=match):
        ftl.load(address)
    with pytest.raises(ValueError, match=match):
        ft.load_model(address)


def test_a_missing_file_is_not_taken_for_an_address(tmp_path):
    with pytest.raises(ftl.MissingFileError, match=r"missing\.bin: there is no such file$"):
        ftl.load((tmp_path / "missing.bin").as_uri())


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
@pytest.mark.parametrize(
    "data", [build(), VEC, b"x" * 5000, gzip.compress(VEC)], ids=["bin", "vec", "long", "gzip"]
)
@pytest.mark.parametrize("load", [ftl.load, ft.load_model, gs.load_facebook_vectors])
def test_content_is_not_a_path(kind, data, load):
    with pytest.raises(ftl.FastTextLiteError, match=r"io\.BytesIO") as caught:
        load(kind(data))
    assert len(str(caught.value)) < 300
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", [VEC.decode(), "x" * 5000, "x" * 300, build().decode("latin-1")])
def test_a_text_is_not_a_path(text):
    with pytest.raises(ftl.FileError, match=r"too long for a path.*io\.BytesIO") as caught:
        ftl.load(text)
    assert len(str(caught.value)) < 300


# Hashes


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_a_hash_is_checked_before_use(tmp_path, name, pack):
    data = pack(MODELS[name])
    path = tmp_path / "model"
    path.write_bytes(data)
    right = hashlib.sha256(data).hexdigest()
    wrong = hashlib.sha256(b"").hexdigest()
    for make in (lambda: path, lambda: io.BytesIO(data), lambda: Stream(data), path.open):
        source = path.open("rb") if make == path.open else make()
        model = ftl.load(source, sha256=right.upper())
        assert same(model, MODELS[name])
        if hasattr(source, "close"):
            source.close()
    for source in (path, io.BytesIO(data)):
        with pytest.raises(ftl.FormatError, match=f"is {right}, but should be {wrong}"):
            ftl.load(source, sha256=wrong)
    assert ftl.load(path, sha256=right)._parts.file.map is not None or pack or name == "vec"


def test_a_hash_of_another_form_is_refused():
    with pytest.raises(ftl.InputTypeError, match="sha256 must be str, not bytes"):
        ftl.load("sample", sha256=b"x")
    with pytest.raises(ftl.InputValueError, match="64 hexadecimal digits"):
        ftl.load("sample", sha256="d41d8cd98f00b204e9800998ecf8427e")


def test_the_command_line_prints_the_hash(tmp_path, capsys):
    path = tmp_path / "m.vec.gz"
    path.write_bytes(gzip.compress(VEC))
    right = hashlib.sha256(path.read_bytes()).hexdigest()
    assert main(["info", "--hash", str(path)]) == 0
    assert f"sha256:       {right}" in capsys.readouterr().out
    assert main(["info", "--hash", "--json", str(path)]) == 0
    assert json.loads(capsys.readouterr().out)["sha256"] == right
    assert main(["info", "--hash", "sample"]) == 0
    assert hashlib.sha256(Path(ftl.SAMPLE).read_bytes()).hexdigest() in capsys.readouterr().out


# Memory, and other processes

LIMITED = """
import resource, sys
import fasttext_lite as ftl
with open("/proc/self/statm") as file:
    # Sanitizers map terabytes.
    limit = int(file.read().split()[0]) * resource.getpagesize() + 1_000_000_000
resource.setrlimit(resource.RLIMIT_AS, (limit, resource.RLIM_INFINITY))
print(f"{limit:,}")
for mmap in (True, False):
    try:
        ftl.load(sys.argv[1], mmap=mmap)
    except ftl.FileError as error:
        print(error)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the limit on memory needs Linux")
def test_too_little_address_space_is_named(tmp_path):
    path = tmp_path / "large.bin"
    small = build(dim=300, bucket=1)
    path.write_bytes(small)
    with path.open("r+b") as file:
        file.truncate(2_400_000_000)
    done = subprocess.run(
        [sys.executable, "-I", "-c", LIMITED, path], capture_output=True, text=True, check=True,
        env=os.environ | {"OPENBLAS_NUM_THREADS": "1"},
    )  # fmt: skip
    limit, *lines = done.stdout.splitlines()
    assert len(lines) == 2
    for line in lines:
        assert "not enough memory for this file of 2,400,000,000 bytes" in line
        assert f"limited to {limit} bytes (RLIMIT_AS)" in line
        assert "ulimit -v" in line


def test_a_missing_file_of_a_pickle_is_explained(tmp_path):
    path = tmp_path / "m.bin"
    path.write_bytes(build())
    pickled = pickle.dumps(ftl.load(path, mmap=False))
    path.unlink()
    with pytest.raises(ftl.MissingFileError, match="pickles as the path of its file") as caught:
        pickle.loads(pickled)
    assert str(path) in str(caught.value)


def test_a_model_without_words_is_true():
    data = build(words=[])
    assert ftl.load(io.BytesIO(data))
    assert ft.load_model(io.BytesIO(data))
    vectors = gs.load_facebook_vectors(io.BytesIO(data))
    assert (len(vectors), bool(vectors)) == (0, True)
    assert bool(gs.KeyedVectors(3))
