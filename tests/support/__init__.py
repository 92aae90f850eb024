"""What several tests need: files byte by byte, texts, the oracle, and where things lie."""

from pathlib import Path

TESTS = Path(__file__).parents[1]
GOLDEN = TESTS / "golden"
REPOSITORY = TESTS.parent
