"""Build the compiled core; everything else stands in pyproject.toml."""

import sys
from pathlib import Path

from Cython.Build import cythonize
from setuptools import Extension, setup

CORE = Path("fasttext_lite", "_core")
# A product that is fused with a sum is rounded once less: the bits would depend on the CPU.
COMPILE_ARGS = ["/O2"] if sys.platform == "win32" else ["-O3", "-ffp-contract=off"]

C_SOURCES = {"cpu": [str(CORE / "kernels.c")]}

extensions = [
    Extension(
        f"fasttext_lite._core.{source.stem}",
        [str(source), *C_SOURCES.get(source.stem, [])],
        include_dirs=[str(CORE)],
        extra_compile_args=COMPILE_ARGS,
    )
    for source in sorted(CORE.glob("*.pyx"))
]

setup(
    ext_modules=cythonize(
        extensions,
        build_dir="build/cython",
        compiler_directives={
            "language_level": "3",
            "boundscheck": False,
            "wraparound": False,
            "initializedcheck": False,
            "cdivision": True,
            "embedsignature": True,
            "freethreading_compatible": True,
        },
    )
)
