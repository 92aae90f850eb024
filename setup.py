"""Build the compiled core; everything else is configured in pyproject.toml.

Three environment variables change the build:

- ``FASTTEXT_LITE_DEBUG=1`` keeps debug information.
- ``FASTTEXT_LITE_SANITIZE=address,undefined`` (or ``thread``) is passed to ``-fsanitize=``; the
  first report ends the process. ``.ci/sanitize`` runs the tests with it.
- ``FASTTEXT_LITE_COVERAGE=1`` builds for gcov, which counts how often each line of the Cython code
  runs. ``.ci/coverage`` uses it.
"""

import hashlib
import json
import multiprocessing
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from Cython.Build import cythonize
from setuptools import Extension, setup
from setuptools.command.bdist_wheel import bdist_wheel

CORE = Path("fasttext_lite", "_core")
STAGES = ["kernels", "text", "lookup", "labels", "search", "files"]
GENERATED = Path("build", "cython")
# Cython's code for memoryviews is compiled once, in this module, not in every module.
SHARED = "fasttext_lite._core._shared"
# A fused multiply-add rounds once instead of twice, so results would depend on the CPU. MSVC does
# not fuse under /fp:precise from Visual Studio 2022 on, the oldest version that is supported.
FUSE_NOTHING = ["/fp:precise"] if sys.platform == "win32" else ["-ffp-contract=off"]
# Most modules are as fast when they are compiled for size, which takes a fifth less of it.
COMPILE_ARGS = ["/O2" if sys.platform == "win32" else "-Os", *FUSE_NOTHING]
# Modules with loops that -O3 makes faster, by 15 to 90 %, and those that are called for each word.
HOT = ("binaryrows", "buckets", "cpu", "line", "rows", "sentences", "subwords")
WARM = ("batch", "embed", "tokens", "vocabulary")
LEVELS = dict.fromkeys(HOT, "-O3") | dict.fromkeys(WARM, "-O2")
if sys.platform == "win32":
    LEVELS = {}
LINK_ARGS = []
MACROS = [
    ("NPY_NO_DEPRECATED_API", "NPY_1_7_API_VERSION"),
    # Tracebacks name lines of the Cython code only; lines of the C code make it larger.
    ("CYTHON_CLINE_IN_TRACEBACK", "0"),
]
DIRECTIVES = {
    "language_level": "3",
    "boundscheck": False,
    "wraparound": False,
    "initializedcheck": False,
    "cdivision": True,
    "embedsignature": True,
    "freethreading_compatible": True,
    "auto_pickle": False,
}

sanitizers = os.environ.get("FASTTEXT_LITE_SANITIZE")
counted = os.environ.get("FASTTEXT_LITE_COVERAGE") == "1"
if sanitizers:
    LINK_ARGS = [f"-fsanitize={sanitizers}"]
    LEVELS = {}
    COMPILE_ARGS += ["-O1", "-g", "-fno-omit-frame-pointer", "-fno-sanitize-recover=all"]
    COMPILE_ARGS += LINK_ARGS
    # Cython calls the methods of a subclass through pointers to those of its base, as C code does
    # whose structs begin alike. From version 17 on clang counts that as undefined.
    if "clang" in os.environ.get("CC", ""):
        COMPILE_ARGS += ["-fno-sanitize=function"]
elif counted:
    LEVELS = {}
    COMPILE_ARGS += ["-O0", "--coverage", "-fprofile-update=atomic"]
    LINK_ARGS += ["--coverage"]
elif os.environ.get("FASTTEXT_LITE_DEBUG") == "1":
    COMPILE_ARGS += ["/Z7"] if sys.platform == "win32" else ["-g"]
elif sys.platform != "win32":
    # No exception passes through C; without tables for it the wheel is 69 KB smaller.
    COMPILE_ARGS += ["-g0", "-fno-asynchronous-unwind-tables"]
    LINK_ARGS += ["-Wl,-x" if sys.platform == "darwin" else "-Wl,-s"]

# What was compiled with other flags is newer than its sources, so that it would be taken again.
VARIANT = "-".join(
    f"{variable.rpartition('_')[2].lower()}-{os.environ[variable].replace(',', '-')}"
    for variable in ("FASTTEXT_LITE_DEBUG", "FASTTEXT_LITE_SANITIZE", "FASTTEXT_LITE_COVERAGE")
    if os.environ.get(variable)
)

KERNELS = ["cpu_features", "levels", "scalar", "sse2", "avx2", "avx512", "neon"]
C_SOURCES = {"cpu": [f"{name}.c" for name in KERNELS]}


def extension(source: Path) -> Extension:
    """Return the extension module of a Cython file."""
    name = ".".join(source.with_suffix("").parts)
    with_c = [str(CORE / "kernels" / name) for name in C_SOURCES.get(source.stem, [])]
    return Extension(
        name,
        [str(source), *with_c],
        include_dirs=[*(str(CORE / stage) for stage in STAGES), np.get_include()],
        define_macros=MACROS,
        depends=[str(path) for path in sorted(CORE.rglob("*.h"))],
        extra_compile_args=[*COMPILE_ARGS, *LEVELS.get(source.stem, "").split()],
        extra_link_args=LINK_ARGS,
    )


@contextmanager
def shared_extension() -> Iterator[Extension]:
    """Generate the module of shared code beside what is done in the block, unless it exists."""
    import Cython

    source = GENERATED / f"shared-{Cython.__version__}" / "_shared.c"
    generate = None
    if not source.exists():
        source.parent.mkdir(parents=True, exist_ok=True)
        options = ["--module-name", SHARED, "--generate-shared", str(source)]
        generate = subprocess.Popen([sys.executable, "-m", "cython", *options])
    yield Extension(
        SHARED,
        [str(source)],
        define_macros=MACROS[1:],
        extra_compile_args=COMPILE_ARGS,
        extra_link_args=LINK_ARGS,
    )
    if generate and generate.wait():
        raise subprocess.CalledProcessError(generate.returncode, generate.args)


def up_to_date(stamp: Path, sources: list[Path]) -> bool:
    """Return whether the C code is newer than all of its sources."""
    made = [Path(__file__), *sources, *CORE.rglob("*.pxd"), *CORE.rglob("*.h")]
    return stamp.exists() and all(path.stat().st_mtime < stamp.stat().st_mtime for path in made)


def compiled_extensions() -> list[Extension]:
    """Generate the C code of all Cython files, unless it exists and is up to date.

    Cython itself would also compare the code with its installed files. In the fresh environment of
    each `pip install` these are always newer, so everything would be compiled again.
    """
    import Cython

    folder = GENERATED / f"{Cython.__version__}{'-lines' if counted else ''}"
    stamp = folder / "stamp"
    sources = sorted(CORE.rglob("*.pyx"))
    extensions = [extension(source) for source in sources]
    if up_to_date(stamp, sources):
        for one, source in zip(extensions, sources, strict=True):
            one.sources[0] = str(folder / source.with_suffix(".c"))
        return extensions
    # Workers that are not forks would run this file again.
    forks = multiprocessing.get_start_method() == "fork"
    extensions = cythonize(
        extensions,
        nthreads=os.cpu_count() if forks else 0,
        build_dir=str(folder),
        compiler_directives=DIRECTIVES,
        emit_linenums=counted,
        shared_utility_qualified_name=SHARED,
    )
    stamp.touch()
    return extensions


def part(name: str, licence: str, description: str, **fields: object) -> dict[str, object]:
    """Return a component of CycloneDX; it is a library unless the fields say otherwise."""
    licences = [{"license": {"id": licence} if licence != "Public domain" else {"name": licence}}]
    described = {"name": name, "licenses": licences, "description": description}
    return {"type": "library", "bom-ref": name, **described, **fields}


def python_part(name: str, version: str, *args: str) -> dict[str, object]:
    """Return the component of a distribution on PyPI."""
    return part(name, *args, version=version, purl=f"pkg:pypi/{name.lower()}@{version}")


def bill_of_materials(version: str) -> dict[str, object]:
    """List what a wheel holds of others, in the format of CycloneDX.

    It has no time and no serial number, so that equal builds give equal bytes.
    """
    import Cython

    package = python_part(
        "fasttext-lite", version, "MIT", "Opens fastText models and gives every word a vector"
    )
    sample = Path("fasttext_lite", "data", "sample.bin").read_bytes()
    parts = [
        python_part("Cython", Cython.__version__, "Apache-2.0", "C code in the compiled modules"),
        python_part("numpy", np.__version__, "BSD-3-Clause", "C headers, in a compiled module"),
        part("MurmurHash3", "Public domain", "the hash of floret, in a compiled module"),
        part(
            "sample.bin",
            "WordNet",
            "fasttext_lite/data/sample.bin, trained on WordNet 3.0 and public-domain speeches",
            type="machine-learning-model",
            hashes=[{"alg": "SHA-256", "content": hashlib.sha256(sample).hexdigest()}],
        ),
    ]
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": package},
        "components": parts,
        "dependencies": [{"ref": "fasttext-lite", "dependsOn": [one["bom-ref"] for one in parts]}],
    }


class BillOfMaterials(bdist_wheel):
    """Write the bill of materials into the wheel, where PEP 770 expects it."""

    def write_wheelfile(self, wheelfile_base: str, *args: str, **kwargs: str) -> None:
        """Write it beside the file `WHEEL`, which editable wheels have, too."""
        super().write_wheelfile(wheelfile_base, *args, **kwargs)
        target = Path(wheelfile_base, "sboms", "fasttext-lite.cdx.json")
        target.parent.mkdir(exist_ok=True)
        bill = bill_of_materials(self.distribution.get_version())
        target.write_bytes(json.dumps(bill, indent=1).encode() + b"\n")


with shared_extension() as shared:
    extensions = [shared, *compiled_extensions()]
setup(
    ext_modules=extensions,
    cmdclass={"bdist_wheel": BillOfMaterials},
    options={
        "build": {"build_base": str(Path("build", VARIANT))},
        "build_ext": {"parallel": os.cpu_count()},
    },
)
