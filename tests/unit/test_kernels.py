"""The loops over numbers: every version of them gives the bits of the scalar one."""

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

CORE = REPOSITORY / "fasttext_lite" / "_core"
SOURCES = [
    REPOSITORY / "tests" / "kernels" / "sweep.c",
    CORE / "kernels" / "kernels.c",
    CORE / "kernels" / "cpu_features.c",
]
X86 = platform.machine() in ("x86_64", "AMD64")


def run(*command):
    return subprocess.run(command, capture_output=True, text=True, check=False)


def need(program):
    return shutil.which(program) or pytest.skip(f"there is no {program}")


@pytest.fixture(scope="module")
def sweep(tmp_path_factory):
    """Compile sweep.c with one compiler, once."""
    made = {}

    def compiled(compiler, *options):
        if compiler not in made:
            made[compiler] = str(tmp_path_factory.mktemp("sweep") / "sweep")
            done = run(
                need(compiler), "-O2", "-ffp-contract=off", "-Wall", "-Werror", *options,
                f"-I{CORE / 'kernels'}", *map(str, SOURCES), "-o", made[compiler],
            )  # fmt: skip
            assert done.returncode == 0, done.stderr
        return made[compiler]

    return compiled


# The number is the step between two alignments of one length; all lengths together have them all.
@pytest.mark.skipif(sys.platform == "win32", reason="it asks for memory as POSIX does")
def test_kernels_of_this_cpu_agree_at_every_length_and_alignment(sweep):
    done = run(sweep("cc"), "8")
    assert done.returncode == 0, done.stdout
    assert done.stdout.split() == cpu.runnable()


@pytest.mark.skipif(sys.platform != "linux", reason="QEMU runs programs of Linux")
@pytest.mark.parametrize(
    ("compiler", "emulator", "expected"),
    [
        pytest.param(
            "x86_64-linux-gnu-gcc", ["qemu-x86_64", "-cpu", "core2duo"], "sse2 scalar", id="sse2"
        ),
        pytest.param(
            "x86_64-linux-gnu-gcc",
            ["qemu-x86_64", "-cpu", "Haswell"],
            "avx2 sse2 scalar",
            id="avx2",
        ),
        pytest.param("aarch64-linux-gnu-gcc", ["qemu-aarch64"], "neon scalar", id="neon"),
    ],
)
def test_kernels_of_other_cpus_agree(sweep, compiler, emulator, expected):
    need(emulator[0])
    done = run(*emulator, sweep(compiler, "-static"), "64")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.strip() == expected


@pytest.mark.parametrize("kernels", cpu.runnable())
def test_every_kind_of_kernel_gives_the_same_bits(kernels):
    code = (
        "import sys, numpy as np, fasttext_lite as ftl\n"
        "from fasttext_lite._core.kernels import cpu\n"
        "from fasttext_lite._core.lookup import rows\n"
        "out = bytearray()\n"
        "for dim in (*range(1, 140), 300, 320, 321, 700):\n"
        "    random = np.random.default_rng(dim)\n"
        "    exact = random.standard_normal((20, dim))\n"
        "    exact *= 10.0 ** random.integers(-9, 5, (20, dim))\n"
        "    scales = random.random(20).astype('f4')\n"
        "    for dtype in ('float32', 'float16', 'int8'):\n"
        "        numbers = random.integers(-128, 128, (20, dim)) if dtype == 'int8' else exact\n"
        "        raw = numbers.astype(dtype).tobytes()\n"
        "        data = memoryview(b'x' * (dim % 7) + raw)[dim % 7 :]\n"
        "        total = np.zeros(dim, 'f4')\n"
        "        given = (data, 20, dim, dtype, scales if dtype == 'int8' else None)\n"
        "        matrix = rows.DenseRows(*given)\n"
        "        matrix.sum(random.integers(0, 20, 45), total)\n"
        "        out += total.tobytes()\n"
        "        copied = np.empty((20, dim), 'f4')\n"
        "        matrix.take(np.arange(20), copied)\n"
        "        wide = numbers.astype(dtype).astype('f4')\n"
        "        wide *= scales[:, None] if dtype == 'int8' else 1\n"
        "        assert copied.tobytes() == wide.tobytes()\n"
        "        vector = random.standard_normal(dim).astype('f4')\n"
        "        found = np.array(matrix.dots(np.arange(20), vector), 'f4')\n"
        "        exact_dots = numbers.astype(dtype).astype('f8') @ vector\n"
        "        exact_dots *= scales if dtype == 'int8' else 1\n"
        "        size = np.abs(numbers.astype(dtype).astype('f8')) @ np.abs(vector)\n"
        "        assert (np.abs(found - exact_dots) <= 1e-6 * (size + 1e-30)).all()\n"
        "        out += found.tobytes()\n"
        "    for dsub in {1, 2, 5, dim}:\n"
        "        parts = -(-dim // dsub)\n"
        "        codes, norm_codes = random.bytes(20 * parts), random.bytes(20)\n"
        "        centroids = random.standard_normal(dim * 256).astype('f4')\n"
        "        norms = random.random(256).astype('f4')\n"
        "        matrix = rows.QuantizedRows(\n"
        "            codes, centroids, 20, dim, dsub, norm_codes, norms\n"
        "        )\n"
        "        total = np.zeros((20, dim), 'f4')\n"
        "        matrix.take(np.arange(20), total)\n"
        "        decoded = np.zeros((20, dim), 'f4')\n"
        "        for part in range(parts):\n"
        "            at, width = part * dsub, min(dsub, dim - part * dsub)\n"
        "            book = centroids[at * 256 : (at + width) * 256].reshape(256, width)\n"
        "            decoded[:, at : at + width] = book[np.frombuffer(codes, 'u1')[part::parts]]\n"
        "        decoded *= norms[np.frombuffer(norm_codes, 'u1')][:, None]\n"
        "        assert (total == decoded).all()\n"
        "        summed = np.zeros(dim, 'f4')\n"
        "        matrix.sum(random.integers(0, 20, 45), summed)\n"
        "        out += summed.tobytes()\n"
        "sys.stdout.buffer.write(cpu.chosen().encode() + b'|' + out)\n"
    )
    chosen, sums = {}, {}
    for name in (kernels, "scalar"):
        environment = os.environ | {cpu.VARIABLE: name}
        done = subprocess.run(
            [sys.executable, "-I", "-c", code], capture_output=True, check=False, env=environment
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
    assert b"'abacus'; this CPU can run" in done.stderr


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
