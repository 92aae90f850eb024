"""Shared by several tests: paths, files built byte by byte, texts, and the reference reader."""

import os
from pathlib import Path

TESTS = Path(__file__).parents[1]
GOLDEN = TESTS / "golden"
REPOSITORY = TESTS.parent
# Whether AddressSanitizer is preloaded, which keeps freed blocks and makes each block larger.
SANITIZED = "clang_rt.asan" in os.environ.get("LD_PRELOAD", "")
