"""Shared by several tests: paths, files built byte by byte, texts, and the reference reader."""

from pathlib import Path

TESTS = Path(__file__).parents[1]
GOLDEN = TESTS / "golden"
REPOSITORY = TESTS.parent
