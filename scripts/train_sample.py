"""Train the built-in sample model: a small English skip-gram model with character n-grams.

    python scripts/train_sample.py TEXT_FOLDER fasttext_lite/data/sample.bin

``TEXT_FOLDER`` is searched recursively for

- ``*.txt``: plain text, any number of sentences per line;
- ``data.*``: WordNet's synset files. The words of a synset and its gloss (the part of the line
  after " | ") become one sentence;
- ``*.zip``: the ``*.txt`` and ``data.*`` members of the archive.

The model in the package was trained from a folder of six files:

- ``state_union.zip`` and ``inaugural.zip``, two corpora of nltk_data (zipped or unzipped);
- ``data.adj``, ``data.adv``, ``data.noun``, ``data.verb`` of Debian's package ``wordnet-base``,
  which installs them under ``/usr/share/wordnet``.

Needs this package and the official ``fasttext``. Training runs in several threads without locks,
so two runs give similar models, never the same bytes.
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
import zipfile
from collections import Counter
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import fasttext
import numpy as np

import fasttext_lite as ftl

if TYPE_CHECKING:
    from collections.abc import Iterator

ATTEMPTS = 5
MATRIX_HEAD = 1 + 8 + 8  # a flag, and the numbers of rows and columns
END_OF_SENTENCE = re.compile(r"[.!?;]+(?=\s|$)")
POSSESSIVE = re.compile(r"['\u2019]s\b")
SYNTAX_MARK = re.compile(r"\((?:a|p|ip)\)")
WORD = re.compile(r"[^\W\d_]+")


def find_texts(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Yield the name and content of every text under a folder, also within zip archives."""
    for path in sorted(folder.rglob("*")):
        if path.suffix == ".zip":
            with zipfile.ZipFile(path) as archive:
                for name in sorted(archive.namelist()):
                    if is_text(PurePosixPath(name)):
                        yield f"{path.name}/{name}", archive.read(name)
        elif path.is_file() and is_text(path):
            yield path.name, path.read_bytes()


def is_text(path: Path | PurePosixPath) -> bool:
    """Return whether a file is plain text or one of WordNet's synset files."""
    return path.suffix == ".txt" or path.stem == "data"


def decode(content: bytes) -> str:
    """Decode UTF-8, or else Windows-1252, the encoding of a few files of nltk_data."""
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace")


def split_synsets(text: str) -> Iterator[str]:
    """Yield the words and the gloss of each synset of a WordNet ``data.*`` file."""
    for line in text.splitlines():
        fields, bar, gloss = line.partition(" | ")
        if not bar or line.startswith(" "):
            continue
        # The layout is in wndb(5WN): the fourth field is the number of words in hexadecimal,
        # and each word is followed by a number that distinguishes its senses.
        columns = fields.split()
        words = columns[4 : 4 + 2 * int(columns[3], 16) : 2]
        yield SYNTAX_MARK.sub("", " ".join(words)).replace("_", " ") + " " + gloss


def read_sentences(folder: Path) -> list[list[str]]:
    """Read every text under a folder as sentences: lists of lower-case words of letters only."""
    sentences = []
    for name, content in find_texts(folder):
        text = decode(content)
        is_wordnet = PurePosixPath(name).stem == "data"
        for part in split_synsets(text) if is_wordnet else END_OF_SENTENCE.split(text):
            words = WORD.findall(POSSESSIVE.sub("", part.lower()))
            if len(words) > 1:
                sentences.append(words)
    return sentences


def model_size(words: list[str], dim: int, bucket: int) -> int:
    """Return the size in bytes of the model of these words, ``</s>`` included."""
    head, matrices = 92, 2 * MATRIX_HEAD
    entries = sum(len(word.encode()) + 10 for word in words)
    rows = len(words) + bucket + len(words)
    return head + entries + matrices + 4 * dim * rows


def smallest_min_count(sentences: list[list[str]], dim: int, bucket: int, max_bytes: int) -> int:
    """Return the smallest ``minCount`` with which the model fits into ``max_bytes``."""
    counts = Counter(word for sentence in sentences for word in sentence)
    for min_count in range(1, max(counts.values(), default=0) + 1):
        words = ["</s>"] + [word for word, count in counts.items() if count >= min_count]
        if model_size(words, dim, bucket) <= max_bytes:
            return min_count
    raise SystemExit(f"no vocabulary of this text fits into {max_bytes} bytes")


def train(text: Path, options: dict[str, Any]) -> Any:
    """Train until all numbers of the model are finite, at most `ATTEMPTS` times."""
    for attempt in range(1, ATTEMPTS + 1):
        try:
            model = fasttext.train_unsupervised(str(text), **options)
        except RuntimeError as error:
            # The official trainer leaves a few weights uninitialised, which may be NaN.
            if "NaN" not in str(error):
                raise
            print(f"attempt {attempt}: {error}", file=sys.stderr)
            continue
        if np.isfinite(model.get_input_matrix()).all() and (
            np.isfinite(model.get_output_matrix()).all()
        ):
            return model
        print(f"attempt {attempt}: the trained weights are not all finite", file=sys.stderr)
    raise SystemExit(f"no finite model in {ATTEMPTS} attempts")


def round_numbers(path: Path, bits: dict[str, int]) -> None:
    """Round the numbers of each matrix to so many significant bits.

    The zeros at their ends compress well: the wheel is a third smaller.
    """
    content = bytearray(path.read_bytes())
    sections = {section.name: section for section in ftl.load(path).info.sections}
    for name, kept in bits.items():
        section, dropped = sections[name], 24 - kept
        numbers = np.frombuffer(
            content,
            np.uint32,
            offset=section.offset + MATRIX_HEAD,
            count=(section.size - MATRIX_HEAD) // 4,
        )
        numbers += np.uint32(1 << (dropped - 1))
        numbers &= ~np.uint32((1 << dropped) - 1)
    path.write_bytes(content)


def parse_arguments() -> argparse.Namespace:
    """Parse the command line; the defaults are the options of the built-in model."""
    parser = argparse.ArgumentParser(description="Train the built-in sample model.")
    parser.add_argument("folder", type=Path, metavar="TEXT_FOLDER", help="folder of the texts")
    parser.add_argument("out", type=Path, metavar="OUT.bin", help="file to write")
    parser.add_argument("--max-bytes", type=int, default=4_000_000, help="default: %(default)s")
    parser.add_argument("--model", choices=("skipgram", "cbow"), default="skipgram")
    parser.add_argument("--dim", type=int, default=40, help="default: %(default)s")
    parser.add_argument("--bucket", type=int, default=10_000, help="default: %(default)s")
    parser.add_argument(
        "--bits", type=int, default=14, help="significant bits of a number, of 24 (default: 14)"
    )
    parser.add_argument(
        "--output-bits", type=int, default=8, help="the same of the output matrix (default: 8)"
    )
    parser.add_argument("--epoch", type=int, default=30, help="default: %(default)s")
    parser.add_argument("--window", type=int, default=5, help="default: %(default)s")
    parser.add_argument("--negatives", type=int, default=5, help="default: %(default)s")
    parser.add_argument("--rate", type=float, default=0.05, help="default: %(default)s")
    parser.add_argument("--sampling", type=float, default=1e-4, help="default: %(default)s")
    return parser.parse_args()


def main() -> None:
    """Read the texts, train, and save the model."""
    arguments = parse_arguments()
    sentences = read_sentences(arguments.folder)
    if not sentences:
        raise SystemExit(f"{arguments.folder}: no text found")
    min_count = smallest_min_count(sentences, arguments.dim, arguments.bucket, arguments.max_bytes)
    options = {
        "model": arguments.model,
        "loss": "ns",
        "dim": arguments.dim,
        "minCount": min_count,
        "minn": 3,
        "maxn": 6,
        "bucket": arguments.bucket,
        "epoch": arguments.epoch,
        "ws": arguments.window,
        "neg": arguments.negatives,
        "lr": arguments.rate,
        "t": arguments.sampling,
        # With ten threads the official trainer initialises all the weights when dim is a
        # multiple of ten; with fewer it leaves many as they were in memory.
        "thread": 10,
        "verbose": 1,
    }
    with tempfile.TemporaryDirectory() as folder:
        text = Path(folder) / "sentences.txt"
        text.write_text("".join(" ".join(words) + "\n" for words in sentences), encoding="utf-8")
        model = train(text, options)
    model.save_model(str(arguments.out))
    bits = {"input matrix": arguments.bits, "output matrix": arguments.output_bits}
    round_numbers(arguments.out, bits)
    size = arguments.out.stat().st_size
    print(f"{arguments.out}: {size} bytes, {len(model.words)} words, minCount {min_count}")


if __name__ == "__main__":
    main()
