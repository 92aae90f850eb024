"""Build the fuzzer: the package, its native targets and the harness, with clang's sanitizers.

    python tests/fuzz/build.py FOLDER

The Python modules that parse files are compiled by Cython as well, so that libFuzzer sees their
branches.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

HERE = Path(__file__).parent
REPOSITORY = HERE.parents[1]
SANITIZERS = "address,undefined"
# The modules whose branches guide the fuzzer.
PARSERS = (
    "cursor", "file", "compressed", "stream", "head", "fasttext", "safetensors", "compact", "text",
    "gzipped", "floret", "magnitude", "text_layout", "disk", "foreign", "archives", "unpacking",
)  # fmt: skip
FLAGS = ["-O1", "-gline-tables-only", "-fno-omit-frame-pointer", "-fno-sanitize-recover=all"]
SUFFIX = sysconfig.get_config_var("EXT_SUFFIX")
HEADERS = sysconfig.get_path("include")


def main(folder: Path) -> None:
    """Build `folder`/fuzzer, which runs the target that FUZZ_TARGET names."""
    folder = folder.resolve()
    shutil.rmtree(folder, ignore_errors=True)
    package = folder / "package"
    environment = os.environ | {
        "CC": "clang",
        "LDSHARED": "clang -shared",
        "FASTTEXT_LITE_SANITIZE": f"fuzzer-no-link,{SANITIZERS}",
    }
    shutil.copytree(REPOSITORY / "fasttext_lite", folder / "source" / "fasttext_lite")
    for name in ("setup.py", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(REPOSITORY / name, folder / "source")
    run(
        sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation",
        "--target", package, folder / "source", environment=environment,
    )  # fmt: skip
    for name in PARSERS:
        compile_module(package / "fasttext_lite" / "formats" / f"{name}.py", folder, "")
    shutil.copy(HERE / "native.pyx", package)
    compile_module(package / "native.pyx", folder, f",{SANITIZERS}")
    libraries = sysconfig.get_config_var("LIBDIR")
    run(
        "clang", *FLAGS, f"-fsanitize=fuzzer,{SANITIZERS}", f"-I{HEADERS}",
        HERE / "harness.c", "-o", folder / "fuzzer", "-rdynamic", f"-L{libraries}",
        f"-Wl,-rpath,{libraries}", f"-lpython{sysconfig.get_config_var('LDVERSION')}",
        *sysconfig.get_config_var("LIBS").split(), "-lm",
    )  # fmt: skip


def compile_module(source: Path, folder: Path, sanitizers: str) -> None:
    """Compile a Cython or Python module beside its source; Python modules need no sanitizer."""
    code = source.with_suffix(".c")
    run(
        sys.executable, "-m", "cython", "-3", "-X", "annotation_typing=False",
        "-I", folder / "source", source, "-o", code,
        environment=os.environ | {"PYTHONPATH": str(HERE.parent)},
    )  # fmt: skip
    run(
        "clang", *FLAGS, f"-fsanitize=fuzzer-no-link{sanitizers}", "-fno-sanitize=function",
        "-shared", "-fPIC", f"-I{HEADERS}",
        *(f"-I{path}" for path in (folder / "source" / "fasttext_lite" / "_core").iterdir()), code,
        "-o", source.with_suffix(SUFFIX),
    )  # fmt: skip


def run(*command: str | Path, environment: dict[str, str] | None = None) -> None:
    """Run a command, and raise if it fails."""
    subprocess.run([str(part) for part in command], check=True, env=environment)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
