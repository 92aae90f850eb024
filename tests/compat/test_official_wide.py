"""Models with many labels give the bits of the official package, in lists and one by one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.builders import NS, OVA, SOFTMAX, SUPERVISED, Quantizer, build

import fasttext_lite as ftl

if TYPE_CHECKING:
    from pathlib import Path

fasttext = pytest.importorskip("fasttext")

WORDS = [b"</s>", *(b"word%d" % i for i in range(30))]
TEXTS = [
    b"word1 word2",
    b"",
    b"unknown \xd1\x8f\xd0\xb7\xd1\x8b\xd0\xba word3",
    *(b" ".join(WORDS[1 + i : 12 + i]) for i in range(20)),
    "言語 を 見分ける word7".encode(),
]
KS = [(1, 0.0), (2, 0.0), (5, 1e-3), (100, 1e-4), (100, -1.0), (-1, 0.0)]


def compare(path: Path, texts: list[bytes], ks: list[tuple[int, float]]) -> None:
    """Assert that labels, their order, and the bits of probabilities are the official ones."""
    official = fasttext.load_model(str(path)).f
    ours = ftl.load(path)
    lines = [text + b"\n" for text in texts]
    for k, threshold in ks:
        labels, numbers = official.multilinePredict(lines, k, threshold, "strict")
        many = ours.predict(texts, k, threshold, official_bias=True, threads=1)
        for i, text in enumerate(texts):
            one = ours.predict(text, k, threshold, official_bias=True)
            for found in (many[i], one):
                assert list(found.labels) == list(labels[i])
                assert found.probabilities.tobytes() == np.float32(numbers[i]).tobytes()


def build_wide(path: Path, count: int, **options: Any) -> Path:
    """Write a supervised model with many labels, a third of which share a row with others."""
    dim = options.setdefault("dim", 24)
    random = np.random.default_rng(count)
    output = random.standard_normal((count, dim), np.float32) * options.pop("scale", 1)
    output[random.permutation(count)[: count // 3]] = output[0]
    options.setdefault("output_matrix", output.astype(np.float32))
    path.write_bytes(
        build(
            model=SUPERVISED,
            words=WORDS,
            labels=[b"__label__%d" % i for i in range(count)],
            bucket=500,
            minn=2,
            maxn=5,
            **options,
        )
    )
    return path


@pytest.mark.parametrize("loss", [SOFTMAX, NS, OVA])
@pytest.mark.parametrize(("count", "dim"), [(2102, 64), (300, 256), (33, 7)])
def test_dense_models(tmp_path: Path, loss: int, count: int, dim: int) -> None:
    compare(build_wide(tmp_path / "wide.bin", count, dim=dim, loss=loss), TEXTS, KS)


@pytest.mark.parametrize("scale", [0, 1e-3, 8, 40])
def test_nearly_equal_and_very_unequal_labels(tmp_path: Path, scale: float) -> None:
    compare(build_wide(tmp_path / "wide.bin", 1000, scale=scale), TEXTS, KS)


@pytest.mark.parametrize("loss", [SOFTMAX, OVA])
@pytest.mark.parametrize("quantizer", [Quantizer(2), Quantizer(5, qnorm=True)])
def test_quantised_output(tmp_path: Path, loss: int, quantizer: Quantizer) -> None:
    path = build_wide(
        tmp_path / "wide.bin",
        700,
        loss=loss,
        input_quantizer=quantizer,
        output_quantizer=quantizer,
    )
    compare(path, TEXTS, KS)


def test_an_output_layer_too_large_to_be_kept_packed(tmp_path: Path) -> None:
    compare(build_wide(tmp_path / "wide.bin", 9000, dim=256), TEXTS[:18], KS[:3])


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    count=st.integers(1, 130),
    dim=st.integers(1, 40),
    loss=st.sampled_from([SOFTMAX, NS, OVA]),
    scale=st.sampled_from([1e-6, 0.1, 1, 20]),
    texts=st.lists(
        st.lists(st.sampled_from([*WORDS, b"x", "ж".encode(), b"__label__3"]), max_size=9).map(
            b" ".join
        ),
        min_size=1,
        max_size=40,
    ),
    k=st.sampled_from([1, 2, 5, 100, -1]),
    threshold=st.sampled_from([-1.0, 0.0, 1e-5, 0.01, 0.5]),
)
def test_any_model(
    tmp_path: Path,
    count: int,
    dim: int,
    loss: int,
    scale: float,
    texts: list[bytes],
    k: int,
    threshold: float,
) -> None:
    path = build_wide(tmp_path / "wide.bin", count, dim=dim, loss=loss, scale=scale)
    compare(path, texts, [(k, threshold)])
