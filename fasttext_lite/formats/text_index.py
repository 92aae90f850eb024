"""The file of a text index: a compact file whose words are texts, with ids and labels.

``docs/text-index.md`` specifies what it has besides the arrays of a compact file.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

from fasttext_lite.collection import TextArrays, TextIds
from fasttext_lite.errors import FormatError
from fasttext_lite.formats import compact
from fasttext_lite.formats.safetensors import Tensor, looks_like, read_header
from fasttext_lite.spelling import DIM

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from fasttext_lite.formats.file import ModelFile
    from fasttext_lite.formats.safetensors import Header
    from fasttext_lite.parts import Parts

__all__ = ["DESCRIPTION", "id_kind", "metadata", "more_arrays", "read"]

# The key of the metadata that describes an index.
DESCRIPTION = "texts"
_VERSION = 1
_ID_KINDS = ("rows", "numbers", "texts")


def more_arrays(
    labels: Sequence[NDArray[np.uint32]],
    ids: NDArray[np.int64] | TextIds | range,
    common: NDArray[np.float32] | None,
) -> list[tuple[Tensor, NDArray[Any]]]:
    """Return the arrays that a compact file of words does not have."""
    count = len(ids)
    found: list[tuple[Tensor, NDArray[Any]]] = [
        (Tensor("texts.labels", "U32", (count,)), np.concatenate(labels))
    ]
    if isinstance(ids, TextIds):
        found.append((Tensor("texts.ids.text", "U8", (len(ids.text),)), ids.text))
        found.append((Tensor("texts.ids.offsets", "U64", (count + 1,)), ids.offsets))
    elif not isinstance(ids, range):
        found.append((Tensor("texts.ids", "I64", (count,)), ids))
    if common is not None:
        found.append((Tensor("texts.common", "F32", common.shape), common))
    return found


def id_kind(ids: object) -> str:
    """Return how a description names the kind of ids."""
    return "texts" if isinstance(ids, TextIds) else "rows" if isinstance(ids, range) else "numbers"


def metadata(description: dict[str, Any]) -> dict[str, str]:
    """Return the metadata of the file of an index."""
    return {DESCRIPTION: json.dumps({"version": _VERSION} | description)}


def read(
    file: ModelFile,
) -> tuple[TextArrays, Parts, dict[str, Any], NDArray[np.float32] | None]:
    """Map the file of an index, and check it.

    Parameters
    ----------
    file : ModelFile

    Returns
    -------
    arrays : TextArrays
    parts : Parts
        The texts and vectors as the parts of a model of word vectors.
    description : dict
        The checked description.
    common : ndarray or None
        The directions that a SIF removes: float32, shape (n, dim).

    Raises
    ------
    FormatError
        The file is damaged, or is not a text index.
    FileError
        The file cannot be mapped.
    """
    path = file.name
    header = None
    if looks_like(file.begin(12)):
        data = file.map_or_read(map_file=True)
        header = read_header(data, path)
    if header is None or DESCRIPTION not in header.metadata:
        raise FormatError(
            "__metadata__",
            8,
            "this is not a text index: make one with TextIndex.build, or `fasttext-lite "
            "index-texts`",
            path,
        )
    parts = compact.read(data, path, file)
    if parts.vectors is None:
        raise FormatError("words", 8, "the file of a text index must hold vectors", path)
    count, dim = parts.info.word_count, parts.info.parameters.dim
    description = _checked(header, dim)
    common = None
    if isinstance(description["weighting"], dict):
        model_dim = dim - (DIM if description["spelling"] else 0)
        common = header.array("texts.common", "F32", (_length(header, "texts.common"), model_dim))
        if not np.isfinite(common).all():
            tensor = header.tensors["texts.common"]
            raise FormatError(
                tensor.name, tensor.offset, "there are numbers that are not finite", path
            )
    ids: NDArray[np.int64] | TextIds | range = range(count)
    if description["ids"] == "numbers":
        ids = header.array("texts.ids", "I64", (count,))
    elif description["ids"] == "texts":
        ids = TextIds(
            header.array("texts.ids.text", "U8", (_length(header, "texts.ids.text"),)),
            header.array("texts.ids.offsets", "U64", (count + 1,)),
            path,
        )
    words = header.tensors["words"]
    numbers = header.array("words", words.dtype, words.shape)
    text = header.tensors["vocabulary.text"]
    coded, (codes, scales, errors) = parts.codes is not None, compact.NEIGHBORS_INDEX
    arrays = TextArrays(
        header.array(text.name, text.dtype, text.shape),
        header.array("vocabulary.offsets", "U64", (count + parts.info.label_count + 1,))[
            : count + 1
        ],
        numbers,
        header.array("words.scales", "F32", (count,)) if words.dtype == "I8" else None,
        header.array("words.norms", "F32", (count,)),
        header.array("texts.labels", "U32", (count,)),
        ids,
        (_stored(header, codes), _stored(header, scales), _stored(header, errors))
        if coded
        else None,
        parts.graph,
        header.metadata.get("graph", ""),
    )
    return arrays, parts, description, common


def _length(header: Header, name: str) -> int:
    tensor = header.tensors.get(name)
    return tensor.shape[0] if tensor is not None and tensor.shape else 0


def _stored(header: Header, name: str) -> NDArray[Any]:
    """Return an array that was checked before."""
    tensor = header.tensors[name]
    return header.array(name, tensor.dtype, tensor.shape)


def _checked(header: Header, dim: int) -> dict[str, Any]:
    """Return the description of an index, each value of which is checked."""

    def error(field: str, reason: str) -> FormatError:
        return FormatError(f"{DESCRIPTION}.{field}", 8, reason, header.path)

    try:
        found = json.loads(header.metadata[DESCRIPTION])
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise error("*", "the metadata does not describe the texts")
    if found.get("version") != _VERSION or isinstance(found.get("version"), bool):
        raise error(
            "version",
            f"version {found.get('version')!r} of text indexes is not supported, only {_VERSION}: "
            "update fasttext-lite, or build the index again",
        )
    if found.get("ids") not in _ID_KINDS:
        raise error("ids", f"ids is {found.get('ids')!r}, but must be one of {_ID_KINDS}")
    if not isinstance(found.get("lowercase"), bool):
        raise error("lowercase", "lowercase must be true or false")
    spelling = found.get("spelling")
    if (
        isinstance(spelling, bool)
        or not isinstance(spelling, (int, float))
        or not (0 <= spelling <= 1 and (spelling == 0 or dim > DIM))
    ):
        raise error("spelling", f"spelling is {spelling!r}, but must be from 0 to 1")
    weighting = found.get("weighting")
    if isinstance(weighting, dict):
        a, components = weighting.get("a"), weighting.get("components")
        if isinstance(a, bool) or not isinstance(a, (int, float)) or not 0 < a < np.inf:
            raise error("weighting", f"a is {a!r}, but must be a number above 0")
        if (
            isinstance(components, bool)
            or not isinstance(components, int)
            or not (0 <= components <= dim)
        ):
            raise error("weighting", f"components is {components!r}, outside [0, {dim}]")
    elif weighting != "mean":
        raise error("weighting", f"weighting is {weighting!r:.60}, but must be mean or an object")
    model = found.get("model")
    if model is not None and not (
        isinstance(model, dict)
        and isinstance(model.get("path"), str)
        and all(type(model.get(name)) is int for name in ("size", "crc32"))
    ):
        raise error("model", "model must be null or have a path, a size and a CRC-32")
    return found
