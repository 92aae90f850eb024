"""The options of texts: missing ones, newlines, and halves of surrogate pairs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fasttext_lite.errors import InputTypeError, InputValueError

if TYPE_CHECKING:
    from typing import Literal, TypedDict

    class TextOptions(TypedDict, total=False):
        """The options of all methods that accept texts.

        Attributes
        ----------
        missing : {"raise", "empty"}
            Whether a missing text (None, NaN, NA or a null of an array) raises an error, or has an
            empty answer: no labels, zeros as probabilities or vector, no evidence. The empty text
            ``""`` is another one: it has the row of the end token.
        newlines : {"raise", "space"}
            Whether a text that holds a newline raises an error, or is read as if it held a space.
        errors : {"strict", "replace"}
            Whether a str that holds half of a surrogate pair raises an error, or is read as if it
            held U+FFFD. U+DC80 to U+DCFF stand for bytes that are not UTF-8
            (``errors="surrogateescape"``), unless they follow a high half.
        """

        missing: Literal["raise", "empty"]
        newlines: Literal["raise", "space"]
        errors: Literal["strict", "replace"]


__all__ = ["TextOptions", "advice", "is_missing", "mended", "text_option"]

# The usual value of each option, and the other one.
_VALUES = {
    "missing": ("raise", "empty"),
    "newlines": ("raise", "space"),
    "errors": ("strict", "replace"),
}


def text_option(name: str, value: object) -> bool:
    """Return whether an option of texts has another value than its usual one.

    Raises
    ------
    InputTypeError, InputValueError
        The value is not a str, or is unknown.

    Examples
    --------
    >>> text_option("newlines", "space")
    True
    """
    usual, other = _VALUES[name]
    if not isinstance(value, str):
        raise InputTypeError(f"{name} must be str, not {type(value).__name__}")
    if value not in (usual, other):
        raise InputValueError(f"{name} must be {usual!r} or {other!r}, not {value!r:.60}")
    return value == other


def is_missing(item: object) -> bool:
    """Return whether an item stands for a missing value: None, NaN, NA or NaT."""
    if item is None:
        return True
    if isinstance(item, (float, np.floating, np.datetime64, np.timedelta64)):
        return bool(item != item)
    name = type(item).__name__
    # Types of pandas and of `decimal`, without importing these.
    return name in ("NAType", "NaTType") or (name == "Decimal" and str(item) in ("NaN", "sNaN"))


def advice(noun: str) -> str:
    """Return what to do about a missing item."""
    found = f"drop the nulls, or fill them with a {noun}"
    return found + ", or pass missing='empty'" if noun == "text" else found


def mended(text: str) -> bytes:
    r"""Encode a str, with U+FFFD in place of each half of a surrogate pair.

    Examples
    --------
    >>> mended("cut \ud83d").decode() == "cut \ufffd"
    True
    """
    import re

    # A low half after a high one is no byte of errors="surrogateescape".
    halves = r"[\ud800-\udbff\udc00-\udc7f\udd00-\udfff]|(?<=[\ud800-\udbff])[\udc80-\udcff]"
    return re.sub(halves, "\ufffd", text).encode("utf-8", "surrogateescape")
