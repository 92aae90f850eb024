"""Kernels: every version returns the bits of the scalar one."""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from support import REPOSITORY

import fasttext_lite as ftl
from fasttext_lite._core.kernels import cpu
from fasttext_lite._core.lookup import rows

KERNELS = REPOSITORY / "fasttext_lite" / "_core" / "kernels"
SOURCES = [REPOSITORY / "tests" / "kernels" / "sweep.c", *sorted(KERNELS.glob("*.c"))]
PROGRAMS = REPOSITORY / "tests" / "programs"
SANITIZER = "-fsanitize=undefined"
X86 = platform.machine() in ("x86_64", "AMD64")


def run(*command):
    return subprocess.run(command, capture_output=True, text=True, check=False)


def need(program):
    return shutil.which(program) or pytest.skip(f"there is no {program}")


@pytest.fixture(scope="module")
def sweep(tmp_path_factory):
    """Compile sweep.c once for each compiler with its options."""
    made = {}

    def compiled(*compiler):
        if compiler not in made:
            need(compiler[0])
            folder = tmp_path_factory.mktemp("sweep")
            made[compiler] = str(folder / "sweep")
            options = [compiler[0], "-O2", *compiler[1:], "-ffp-contract=off"]
            options += ["-Wall", "-Wextra", "-Werror"]
            # Side by side, since compiling takes longer than the sweep.
            jobs = [
                subprocess.Popen(
                    [*options, f"-I{KERNELS}", "-c", source, "-o", folder / f"{i}.o"],
                    stderr=subprocess.PIPE,
                    text=True,
                )
                for i, source in enumerate(SOURCES)
            ]
            errors = "".join(job.communicate()[1] for job in jobs)
            assert not errors, errors
            done = run(*options, *folder.glob("*.o"), "-lm", "-o", made[compiler])
            if SANITIZER in compiler and "cannot find" in done.stderr:
                pytest.skip("the library of the sanitizer is missing")
            assert done.returncode == 0, done.stderr
        return made[compiler]

    return compiled


@pytest.mark.skipif(sys.platform == "win32", reason="sweep.c uses the memory calls of POSIX")
@pytest.mark.parametrize(
    "compiler",
    [["cc"], ["cc", "-O1", SANITIZER, "-fno-sanitize-recover=all"]],
    ids=["cc", "undefined behaviour"],
)
def test_kernels_of_this_cpu_agree_at_every_length_and_alignment(sweep, compiler):
    done = run(sweep(*compiler), *(["16", "3"] if compiler == ["cc"] else ["64", "31"]))
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.split() == cpu.runnable()


@pytest.mark.skipif(sys.platform != "linux", reason="QEMU runs programs of Linux")
@pytest.mark.parametrize(
    ("compiler", "emulator", "expected"),
    [
        pytest.param(
            ["x86_64-linux-gnu-gcc"], ["qemu-x86_64", "-cpu", "core2duo"], "sse2 scalar", id="sse2"
        ),
        pytest.param(
            ["x86_64-linux-gnu-gcc"],
            ["qemu-x86_64", "-cpu", "Haswell"],
            "avx2 sse2 scalar",
            id="avx2",
        ),
        pytest.param(["aarch64-linux-gnu-gcc"], ["qemu-aarch64"], "neon scalar", id="neon"),
        pytest.param(
            ["aarch64-linux-gnu-gcc", "-DFTL_NO_FLOAT16"],
            ["qemu-aarch64"],
            "neon scalar",
            id="neon without conversions of float16",
        ),
    ],
)
def test_kernels_of_other_cpus_agree(sweep, compiler, emulator, expected):
    need(emulator[0])
    done = run(*emulator, sweep(*compiler, "-static"), "64", "31")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.strip() == expected


@pytest.mark.parametrize("compiler", ["x86_64-w64-mingw32-gcc", "aarch64-linux-gnu-gcc"])
def test_kernels_compile_elsewhere_without_a_warning(compiler):
    done = run(
        need(compiler), "-std=c11", "-fsyntax-only", "-Wall", "-Wextra", "-Wpedantic",
        "-Wconversion", "-Wno-sign-conversion", "-Werror", *SOURCES[1:],
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


AVX2 = ["sse2", "avx", "avx2", "f16c", "fma"]


@pytest.fixture(scope="module")
def levels_of(tmp_path_factory):
    """Compile a program that prints the levels of a CPU with given features."""
    program = tmp_path_factory.mktemp("levels") / "levels"
    sources = [REPOSITORY / "tests" / "kernels" / "levels.c", KERNELS / "levels.c"]
    done = run(need("cc"), f"-I{KERNELS}", *sources, "-o", program)
    assert done.returncode == 0, done.stderr
    return program


@pytest.mark.skipif(not X86, reason="the features are those of x86")
@pytest.mark.parametrize(
    ("features", "expected"),
    [
        (["sse2"], "sse2 scalar"),
        (["sse2", "avx", "avx2", "f16c"], "sse2 scalar"),
        (AVX2, "avx2 sse2 scalar"),
        (["sse2", "avx512f"], "sse2 scalar"),
        ([*AVX2, "avx512f"], "avx512 avx2 sse2 scalar"),
        ([*AVX2, "avx512f", "avx512_vnni"], "avx512 avx2 sse2 scalar"),
        (
            [*AVX2, "avx512f", "avx512bw", "avx512vl", "avx512_vnni"],
            "avx512vnni avx512 avx2 sse2 scalar",
        ),
    ],
)
def test_a_level_runs_where_the_cpu_has_all_that_it_asks_for(levels_of, features, expected):
    assert run(levels_of, *features).stdout.strip() == expected


@pytest.mark.parametrize("kernels", cpu.runnable())
def test_every_kind_of_kernel_gives_the_same_bits(kernels):
    chosen, sums = {}, {}
    for name in (kernels, "scalar"):
        environment = os.environ | {cpu.VARIABLE: name}
        done = subprocess.run(
            [sys.executable, "-I", PROGRAMS / "sum_rows.py"],
            capture_output=True,
            check=False,
            env=environment,
        )
        assert done.returncode == 0, done.stderr.decode()
        chosen[name], _, sums[name] = done.stdout.partition(b"|")
    assert chosen[kernels].decode() == kernels
    assert sums[kernels] == sums["scalar"]


def test_kernels_that_the_cpu_lacks_are_refused():
    done = subprocess.run(
        [sys.executable, "-I", "-c", "import fasttext_lite"],
        capture_output=True,
        check=False,
        env=os.environ | {cpu.VARIABLE: "abacus"},
    )
    assert done.returncode
    assert b"'abacus', but this CPU can run" in done.stderr


def test_float16_and_int8_rows_are_widened_exactly():
    every = np.arange(1 << 16, dtype=np.uint16).view(np.float16)
    finite = every[~np.isnan(every)]
    matrix = rows.DenseRows(finite.data.cast("B"), 1, len(finite), "float16")
    total = np.zeros(len(finite), np.float32)
    matrix.sum(np.zeros(1, int), total)
    np.testing.assert_array_equal(total, finite.astype(np.float32))
    matrix.take(np.zeros(1, int), total[None])
    assert total.tobytes() == finite.astype(np.float32).tobytes(), "with the sign of zero"
    every = np.arange(-128, 128).astype(np.int8)
    total = np.zeros(256, np.float32)
    scales = np.array([0.3], np.float32)
    rows.DenseRows(every.data.cast("B"), 1, 256, "int8", scales).sum(np.zeros(1, int), total)
    np.testing.assert_array_equal(total, every * scales)


def test_the_features_of_the_cpu_are_those_that_linux_names():
    found = ftl.cpu_features()
    if X86:
        assert found.features[0] == "sse2"
    path = Path("/proc/cpuinfo")
    if not (X86 and path.exists()):
        return
    flags = next(line.split() for line in path.read_text().splitlines() if line.startswith("flags"))
    known = ("sse2", "avx", "f16c", "fma", "avx2", "avx512f", "avx512bw", "avx512vl")
    for name in (*known, "avx512_vnni", "avx_vnni"):
        assert (name in found.features) == (name in flags), name


def test_the_chosen_kernels_are_the_best_unless_the_variable_names_others():
    found = ftl.cpu_features()
    assert found.kernels == tuple(cpu.runnable())
    assert found.kernels[-1] == "scalar"
    assert found.chosen == (os.environ.get(found.variable) or found.kernels[0])


def test_info_tells_of_the_cpu():
    environment = os.environ | {cpu.VARIABLE: "scalar"}
    command = [sys.executable, "-I", "-m", "fasttext_lite", "info", "--cpu"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    lines = dict(line.split(":", 1) for line in done.stdout.splitlines())
    assert lines["features"].split() == list(ftl.cpu_features().features)
    assert lines["kernels"].split(", ")[-1].strip() == "scalar (in use)"
    assert cpu.VARIABLE in lines["others"]
    told = subprocess.run(
        [*command, "--json"], capture_output=True, text=True, check=True, env=environment
    )
    assert json.loads(told.stdout) == {
        "features": list(ftl.cpu_features().features),
        "kernels": cpu.runnable(),
        "chosen": "scalar",
        "variable": cpu.VARIABLE,
    }


def test_info_of_the_cpu_takes_no_model():
    done = run(sys.executable, "-I", "-m", "fasttext_lite", "info", "--cpu", "sample")
    assert done.returncode == 2
    assert "--cpu" in done.stderr
