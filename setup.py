"""Build the compiled core; everything else stands in pyproject.toml.

Two variables of the environment make builds for tests, never for use:

- ``FASTTEXT_LITE_SANITIZE=address,undefined`` (or ``thread``): what goes behind ``-fsanitize=``;
  the first report ends the process. ``.ci/sanitize`` runs the tests so.
- ``FASTTEXT_LITE_COVERAGE=1``: gcov counts how often each line of the Cython code runs. For
  ``.ci/coverage``.
"""

import os
import sys
from pathlib import Path

from Cython.Build import cythonize
from setuptools import Extension, setup

CORE = Path("fasttext_lite", "_core")
# A product that is fused with a sum is rounded once less: the bits would depend on the CPU.
COMPILE_ARGS = ["/O2"] if sys.platform == "win32" else ["-O3", "-ffp-contract=off"]
LINK_ARGS = []
DIRECTIVES = {
    "language_level": "3",
    "boundscheck": False,
    "wraparound": False,
    "initializedcheck": False,
    "cdivision": True,
    "embedsignature": True,
    "freethreading_compatible": True,
}

if sanitizers := os.environ.get("FASTTEXT_LITE_SANITIZE"):
    LINK_ARGS = [f"-fsanitize={sanitizers}"]
    COMPILE_ARGS += ["-O1", "-g", "-fno-omit-frame-pointer", "-fno-sanitize-recover=all"]
    COMPILE_ARGS += LINK_ARGS
counted = os.environ.get("FASTTEXT_LITE_COVERAGE") == "1"
if counted:
    COMPILE_ARGS += ["-O0", "--coverage", "-fprofile-update=atomic"]
    LINK_ARGS += ["--coverage"]

C_SOURCES = {
    "cpu": [str(CORE / "cpu_features.c"), str(CORE / "kernels.c")],
    "codes": [str(CORE / "cpu_features.c"), str(CORE / "scan_kernels.c")],
}

extensions = [
    Extension(
        f"fasttext_lite._core.{source.stem}",
        [str(source), *C_SOURCES.get(source.stem, [])],
        include_dirs=[str(CORE)],
        extra_compile_args=COMPILE_ARGS,
        extra_link_args=LINK_ARGS,
    )
    for source in sorted(CORE.glob("*.pyx"))
]

setup(
    ext_modules=cythonize(
        extensions,
        build_dir="build/cython",
        compiler_directives=DIRECTIVES,
        emit_linenums=counted,
    ),
    options={"build_ext": {"parallel": os.cpu_count()}},
)
