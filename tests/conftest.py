"""Fixtures: models trained by the official program, each kind once per session."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import settings
from support.browser import browser, open_page  # noqa: F401
from support.text import language_lines, plain_lines, topic_lines
from support.training import train_official

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

# A busy machine is no fault.
settings.register_profile("patient", settings(), deadline=None)
settings.load_profile("patient")

TEXTS = {"plain": plain_lines, "language": language_lines, "topic": topic_lines}


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Return a function that trains a model: ``trained(model="cbow", text="plain", dim=8)``.

    ``text`` names one of TEXTS; other options are passed to `train_official`. The function returns
    the path of the model. Tests that use it are skipped if the official package is not installed.
    """
    pytest.importorskip("fasttext")
    directory = tmp_path_factory.mktemp("trained")
    paths: dict[str, Path] = {}

    def train(*, text: str = "plain", **options: Any) -> Path:
        key = repr((text, sorted(options.items())))
        if key not in paths:
            suffix = "bin" if options.get("quantize") is None else "ftz"
            path = directory / f"{len(paths)}.{suffix}"
            train_official(path, TEXTS[text](), **options)
            paths[key] = path
        return paths[key]

    return train


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the tests that need what few installations have, unless ``-m`` names them."""
    for marker in ("engines", "libraries", "frameworks", "browser"):
        if marker not in config.option.markexpr:
            left_out = [item for item in items if item.get_closest_marker(marker)]
            items[:] = [item for item in items if item not in left_out]
            config.hook.pytest_deselected(items=left_out)
