"""What a request asks for, read from its query string or its body, and checked."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import parse_qsl

from fasttext_lite.arguments import real, whole
from fasttext_lite.errors import InputTypeError, InputValueError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

__all__ = ["Endpoint", "Limits", "Query", "Refusal", "read_body", "read_query"]

# The fields of GET, and those of POST.
_PLURALS = {"query": "queries", "word": "words", "text": "texts"}


class Refusal(Exception):  # noqa: N818 - it is an answer
    """An answer that says why there is no other one.

    Parameters
    ----------
    status : int
        The status of HTTP.
    message : str
    field : str, optional
        The parameter that is wrong.
    headers : dict of str to str, optional
        More headers of the answer.
    """

    def __init__(
        self,
        status: int,
        message: str,
        field: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.field = field
        self.headers = headers


@dataclass(frozen=True)
class Limits:
    """The most that one request may ask for.

    Attributes
    ----------
    body : int
        Bytes of a body.
    texts : int
        Words, texts or queries.
    length : int
        Characters of each.
    k : int
        The parameter `k`.
    results : int
        Words, labels or texts in all answers of a request.
    """

    body: int = 1 << 20
    texts: int = 1000
    length: int = 10_000
    k: int = 1000
    results: int = 20_000

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            whole(name, value, least=1)


@dataclass(frozen=True)
class Endpoint:
    """What may be asked at an address.

    Attributes
    ----------
    answers : mapping of str to callable
        By ``query``, ``word`` or ``text``: a function of a list of those, and of `options`, that
        returns a JSON object for each.
    options : mapping of str to (type, least, default)
        The other parameters: int or float, the least value, and the usual one.
    most : int
        How many results there are at most for each text, whatever `k` is.
    """

    answers: Mapping[str, Callable[..., list[str]]]
    options: Mapping[str, tuple[type[int | float], float, float | None]]
    most: int = 1


class Query(NamedTuple):
    """A request that is as it should be.

    Attributes
    ----------
    kind : str
        ``query``, ``word`` or ``text``.
    values : list of str
    options : dict of str to number
    """

    kind: str
    values: list[str]
    options: dict[str, float | int]


def read_query(text: bytes, endpoint: Endpoint, limits: Limits) -> Query:
    """Read the parameters of a GET request.

    Parameters
    ----------
    text : bytes
        The part of the address after the question mark.
    endpoint : Endpoint
    limits : Limits

    Returns
    -------
    Query
        With one value.

    Raises
    ------
    Refusal
        A parameter is missing, unknown, given twice, too long or no UTF-8, or has a wrong value.

    Examples
    --------
    >>> endpoint = Endpoint({"word": list}, {"k": (int, 1, 10)})
    >>> read_query(b"word=na%C3%AFve&k=3", endpoint, Limits())
    Query(kind='word', values=['naïve'], options={'k': 3})
    """
    try:
        pairs = parse_qsl(
            text.decode("utf-8"), keep_blank_values=True, errors="strict", max_num_fields=100
        )
    except UnicodeDecodeError:
        raise Refusal(400, "the query string is not UTF-8") from None
    except ValueError:
        raise Refusal(400, "the query string has more than 100 parameters") from None
    given = _unique(pairs)
    kind, value = _only(given, list(endpoint.answers))
    numbers = {
        name: _number(name, written, endpoint.options[name][0])
        for name, written in given.items()
        if name != kind and name in endpoint.options
    }
    _check_names(given, [kind, *endpoint.options])
    return _checked(kind, [value], numbers, endpoint, limits, names=[kind])


def read_body(body: bytes, endpoint: Endpoint, limits: Limits) -> Query:
    """Read the parameters of a POST request.

    Parameters
    ----------
    body : bytes
        A JSON object.
    endpoint : Endpoint
    limits : Limits

    Returns
    -------
    Query

    Raises
    ------
    Refusal
        The body is no JSON object in UTF-8, or a field is missing, unknown, or has a wrong value.

    Examples
    --------
    >>> endpoint = Endpoint({"word": list}, {"k": (int, 1, 10)})
    >>> read_body(b'{"words": ["one", "two"]}', endpoint, Limits())
    Query(kind='word', values=['one', 'two'], options={'k': 10})
    """
    given = _object(body)
    plurals = {_PLURALS[kind]: kind for kind in endpoint.answers}
    field, values = _only(given, list(plurals))
    _check_names(given, [field, *endpoint.options])
    if not isinstance(values, list):
        raise Refusal(422, f"{field} must be an array of strings, not {_kind(values)}", field)
    if len(values) > limits.texts:
        raise Refusal(
            422, f"{field} may hold {limits.texts:,} items at most, not {len(values):,}", field
        )
    numbers = {name: given[name] for name in endpoint.options if name in given}
    return _checked(
        plurals[field],
        values,
        numbers,
        endpoint,
        limits,
        names=[f"{field}[{i}]" for i in range(len(values))],
    )


def _object(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(
            body.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_no_number
        )
    except UnicodeDecodeError as error:
        raise Refusal(400, f"the body is not UTF-8 at byte {error.start:,}") from None
    except RecursionError:
        raise Refusal(400, "the body is nested too deeply") from None
    except json.JSONDecodeError as error:
        raise Refusal(
            400, f"the body is not JSON: {error.msg} at character {error.pos:,}"
        ) from None
    except ValueError:
        # Python refuses to read so many digits.
        raise Refusal(400, "the body holds a number of thousands of digits") from None
    if not isinstance(found, dict):
        raise Refusal(400, f"the body must be a JSON object, not {_kind(found)}")
    return found


def _no_number(name: str) -> float:
    raise Refusal(400, f"the body is not JSON: {name} is no number there")


def _unique(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise Refusal(400, f"{name:.40} is given twice", f"{name:.40}")
        found[name] = value
    return found


def _only(given: Mapping[str, Any], names: list[str]) -> tuple[str, Any]:
    """Return the one parameter of those that exclude each other."""
    found = [name for name in names if name in given]
    if len(found) == 1:
        return found[0], given[found[0]]
    choice = " or ".join(names)
    if found:
        raise Refusal(422, f"give {choice}, not both", found[1])
    raise Refusal(422, f"{choice} is missing", names[0])


def _check_names(given: Mapping[str, Any], names: list[str]) -> None:
    for name in given:
        if name not in names:
            short, known = f"{name:.40}", ", ".join(names)
            raise Refusal(422, f"there is no parameter {short} here, only {known}", short)


def _checked(
    kind: str,
    values: list[Any],
    given: Mapping[str, Any],
    endpoint: Endpoint,
    limits: Limits,
    names: list[str],
) -> Query:
    for name, value in zip(names, values, strict=True):
        if not isinstance(value, str):
            raise Refusal(422, f"{name} must be a string, not {_kind(value)}", name)
        if len(value) > limits.length:
            raise Refusal(
                422,
                f"{name} may have {limits.length:,} characters at most, not {len(value):,}",
                name,
            )
    options = {}
    for name, (number, least, usual) in endpoint.options.items():
        value = given.get(name, usual)
        if value is None and name not in given:
            continue
        try:
            if number is float:
                options[name] = real(name, value, least, 1.0)
            else:
                options[name] = whole(name, value, int(least), limits.k)
        except InputTypeError:
            what = "a number" if number is float else "a whole number"
            raise Refusal(422, f"{name} must be {what}, not {_kind(value)}", name) from None
        except InputValueError as error:
            raise Refusal(422, str(error), name) from None
    results = len(values) * min(options.get("k", 1), endpoint.most)
    if results > limits.results:
        raise Refusal(
            422,
            f"an answer may hold {limits.results:,} results at most, not {int(results):,}: ask for "
            "less at a time",
            "k",
        )
    return Query(kind, values, options)


def _number(name: str, text: str, number: type[int | float]) -> float | int:
    """Read a number of a query string as JSON has it."""
    # Longer ones are out of every bound.
    if re.fullmatch(r"-?[0-9]{1,18}", text, re.ASCII):
        return int(text)
    if number is float and re.fullmatch(
        r"-?[0-9]{1,40}(\.[0-9]{1,40})?([eE][-+]?[0-9]{1,3})?", text, re.ASCII
    ):
        return float(text)
    what = "a number" if number is float else "a whole number"
    raise Refusal(422, f"{name} must be {what}, not {text!r:.40}", name)


def _kind(value: object) -> str:
    """Return the name that JSON has for the type of a value."""
    names = {dict: "an object", list: "an array", str: "a string", bool: "a Boolean"}
    return "null" if value is None else names.get(type(value), "a number")
