"""Models opened through the compatibility layer from file objects, and what `install` does."""

from __future__ import annotations

import gzip
import io
import subprocess
import sys
import tarfile
import zipfile

import pytest
from numpy.testing import assert_array_equal
from support.builders import SUPERVISED, build

import fasttext_lite as ftl
from fasttext_lite.compat import fasttext

TRAINING = ("cbow", "skipgram", "supervised", "train_supervised", "train_unsupervised")


@pytest.fixture
def classifier(tmp_path):
    path = tmp_path / "classifier.bin"
    path.write_bytes(
        build(model=SUPERVISED, labels=[b"__label__a"], words=[b"one"], minn=2, maxn=3)
    )
    return path


def members(path, folder):
    """The content of a file as file objects of several kinds."""
    content = path.read_bytes()
    yield io.BytesIO(content)
    yield path.open("rb")
    with zipfile.ZipFile(io.BytesIO(), "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(path, "model.bin")
        yield archive.open("model.bin")
    with tarfile.open(folder / "a.tar.gz", "w:gz") as archive:
        archive.add(path, "model.bin")
    with tarfile.open(folder / "a.tar.gz") as archive:
        yield archive.extractfile("model.bin")
    yield gzip.GzipFile(fileobj=io.BytesIO(gzip.compress(content)))


def test_file_objects_open_as_paths_do(classifier, tmp_path):
    expected = fasttext.load_model(classifier)
    seen = 0
    for source in members(classifier, tmp_path):
        with source:
            model = fasttext.load_model(source)
        assert model.predict("one")[0] == expected.predict("one")[0]
        assert_array_equal(model["one"], expected["one"])
        seen += 1
    assert seen == 5
    model = fasttext.FastText._FastText(io.BytesIO(classifier.read_bytes()))
    model.save_model(tmp_path / "saved.bin")
    model.save_model(classifier)
    assert_array_equal(fasttext.load_model(tmp_path / "saved.bin")["one"], expected["one"])
    model.f.loadModel(io.BytesIO(classifier.read_bytes()))
    assert_array_equal(model["one"], expected["one"])


@pytest.mark.parametrize("source", [io.StringIO("text"), 5, None, io.BytesIO(b"no model")])
def test_other_sources_are_errors_of_this_package(source):
    with pytest.raises(ftl.FastTextLiteError) as found:
        fasttext.load_model(source)
    assert isinstance(found.value, (TypeError, ValueError))


def run(code):
    done = subprocess.run(
        [sys.executable, "-I", "-c", code], capture_output=True, check=False, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_training_is_absent_by_default_and_a_stub_where_asked_for():
    code = f"""
from fasttext_lite.compat.fasttext import install
import fasttext_lite as ftl
names = {TRAINING!r}
def there():
    import fasttext
    return [hasattr(fasttext, name) for name in names]
assert install()
assert not any(there())
try:
    from fasttext import train_supervised
except ImportError:
    pass
else:
    raise AssertionError
assert install(training="stub")
assert all(there())
from fasttext import load_model, train_supervised, train_unsupervised, supervised, cbow, skipgram
import fasttext
for function in (train_supervised, train_unsupervised, supervised, cbow, skipgram):
    try:
        function("text.txt")
    except ftl.UnsupportedError as error:
        assert function.__name__ in str(error) and isinstance(error, NotImplementedError)
    else:
        raise AssertionError
    assert getattr(fasttext.FastText, function.__name__) is function
install()
assert not any(there())
"""
    run(code)


@pytest.mark.parametrize("training", ["both", "", None, True])
def test_other_ways_to_train_are_refused(training):
    before = sys.modules.get("fasttext")
    with pytest.raises(ValueError, match='"absent" or "stub"'):
        fasttext.install(training=training)
    assert sys.modules.get("fasttext") is before
