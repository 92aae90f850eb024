"""Plain, slow readers of word vectors, and readers that work as those of other programs do.

They are independent of the package. `read_rows` has its rules; `read_as_spacy` has those of
spaCy's ``init vectors`` (``spacy/training/initialize.py``, version 3), which opens the file as
UTF-8, splits it at line feeds alone, and splits off the last columns of a line at single spaces.
"""

from __future__ import annotations

import struct

__all__ = ["first_rows", "read_as_spacy", "read_records", "read_rows"]

Rows = list[tuple[bytes, list[float]]]


def first_rows(rows: Rows) -> Rows:
    """Keep the first row of each word."""
    found: dict[bytes, list[float]] = {}
    for word, numbers in rows:
        found.setdefault(word, numbers)
    return list(found.items())


def read_rows(data: bytes, dim: int | None = None) -> Rows:
    """Read text with a head, or with `dim` without one: the last columns are the numbers."""
    lines = [line.rstrip(b" \t\r") for line in data.split(b"\n")]
    while not lines[-1]:
        lines.pop()
    if dim is None:
        dim = int(lines.pop(0).split()[1])
    rows = []
    for line in lines:
        word = line
        numbers: list[float] = []
        for _ in range(dim):
            left = word.rstrip(b" \t")
            at = max(left.rfind(b" "), left.rfind(b"\t")) + 1
            numbers.insert(0, float(left[at:]))
            word = left[:at]
        # The spaces and tabs behind a word are separators, unless there is nothing else.
        rows.append((word.rstrip(b" \t") or word[:-1], numbers))
    return rows


def read_records(data: bytes, sizes: list[int]) -> Rows:
    """Read a binary file whose words have known sizes in bytes."""
    head, _, rest = data.partition(b"\n")
    _, dim = map(int, head.split())
    rows = []
    for size in sizes:
        rest = rest.removeprefix(b"\n")
        word, rest = rest[:size], rest[size + 1 :]
        rows.append((word, list(struct.unpack(f"<{dim}f", rest[: 4 * dim]))))
        rest = rest[4 * dim :]
    return rows


def read_as_spacy(data: bytes) -> list[tuple[str, list[float]]]:
    """Read text with a head as spaCy does."""
    _, *lines = data.decode("utf-8", "ignore").split("\n")
    dim = int(data.partition(b"\n")[0].split()[1])
    found = []
    for line in lines:
        if line:
            word, *numbers = line.rstrip().rsplit(" ", dim)
            found.append((word, [float(number) for number in numbers]))
    return found
