"""The memory that annotating takes does not grow with the file."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from support import GOLDEN

pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")
pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="the peak of memory is counted otherwise elsewhere"
)

MODEL = GOLDEN / "softmax.bin"
ROWS = 1000
# A part of the larger files, which hold 40 MB of text.
MOST = 24 << 20

CHILD = """
import resource, sys
import fasttext_lite as ftl
annotator = ftl.Annotator(sys.argv[1], sentence_vector="v")
ftl.annotate(annotator, sys.argv[2], sys.argv[3], threads=2)
print(1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def write(path, blocks):
    """Write blocks of 1,000 texts of 800 bytes, of which few are words, so that it is soon done."""
    texts = [f"text {i}{' ' * 800}" for i in range(ROWS)]
    if path.suffix == ".parquet":
        table = pa.table({"text": texts})
        with pq.ParquetWriter(path, table.schema, compression="none", use_dictionary=False) as file:
            for _ in range(blocks):
                file.write_table(table)
        return
    lines = texts if ".txt" in path.name else [json.dumps({"text": text}) for text in texts]
    data = "".join(f"{line}\n" for line in lines).encode()
    with pa.output_stream(str(path), compression="detect") as file:
        for _ in range(blocks):
            file.write(data)


def peak(path, out):
    done = subprocess.run(
        [sys.executable, "-I", "-c", CHILD, MODEL, path, out], capture_output=True, check=True
    )
    return int(done.stdout)


@pytest.mark.parametrize("suffix", ["parquet", "jsonl", "txt.gz"])
def test_memory_does_not_grow_with_the_file(tmp_path, suffix):
    peaks = []
    for blocks in (5, 50):
        path = tmp_path / f"{blocks}.{suffix}"
        write(path, blocks)
        peaks.append(peak(path, tmp_path / "out"))
    assert peaks[1] - peaks[0] < MOST, peaks
