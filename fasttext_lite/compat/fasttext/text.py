"""Text as the official package accepts and returns it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from fasttext_lite._core.text.batch import to_bytes
from fasttext_lite.errors import InputTypeError, InputValueError

if TYPE_CHECKING:
    from fasttext_lite._core.labels.tokens import Tokenizer

__all__ = ["BOW", "EOS", "EOW", "as_text", "check_word", "decode_as", "split_line", "tokenize"]

EOS = "</s>"
BOW = "<"
EOW = ">"

_TOKEN = re.compile(r"[^ \n\r\t\v\f\0]+|\n")


def tokenize(text: str | bytes) -> list[str]:
    r"""Split a text into tokens; each newline gives an end token.

    Parameters
    ----------
    text : str or bytes

    Returns
    -------
    list of str

    Examples
    --------
    >>> tokenize("over the rainbow\n")
    ['over', 'the', 'rainbow', '</s>']
    """
    return [EOS if found == "\n" else found for found in _TOKEN.findall(as_text(text))]


def split_line(
    tokens: Tokenizer, text: str | bytes, on_unicode_error: str
) -> tuple[list[str], list[str]]:
    """Split a line into its words and labels; raise `InputValueError` for a newline."""
    line = to_bytes(text)
    if b"\n" in line:
        raise InputValueError("get_line splits one line at a time: remove '\\n'")
    return tokens.split(line, on_unicode_error)


def as_text(text: str | bytes) -> str:
    """Return a text as str; bytes that are not UTF-8 become lone surrogates."""
    if isinstance(text, str):
        return text
    return to_bytes(text).decode("utf-8", "surrogateescape")


def check_word(word: str | bytes) -> str | bytes:
    """Return a word, or raise `InputTypeError` for anything else."""
    if not isinstance(word, (str, bytes)):
        raise InputTypeError(f"a word must be str or bytes, not {type(word).__name__}")
    return word


def decode_as(text: str, on_unicode_error: str) -> str:
    """Decode bytes that are not UTF-8, here lone surrogates, with the given error handler."""
    if text.isascii():
        return text
    return text.encode("utf-8", "surrogateescape").decode("utf-8", on_unicode_error)
