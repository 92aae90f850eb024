"""`push`: a model as a repository on the Hugging Face hub, with a card that describes it."""

from __future__ import annotations

import errno
import json
import os
import re
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fasttext_lite.arguments import absolute_path, flag, is_path
from fasttext_lite.conversion import convert
from fasttext_lite.errors import FileError, InputTypeError, InputValueError, MissingExtraError
from fasttext_lite.formats.atomic import AtomicFile
from fasttext_lite.formats.compact import DTYPES
from fasttext_lite.formats.safetensors import looks_like
from fasttext_lite.hub.addresses import licence as known_licence
from fasttext_lite.loading import load
from fasttext_lite.model import Model

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fasttext_lite.arguments import PathType
    from fasttext_lite.conversion import Report

__all__ = ["push"]

# The name that the hub's site and its clients look for.
_MODEL = "model.safetensors"
_CARD = "README.md"
_REPOSITORY = re.compile(r"[\w][\w.-]*/[\w][\w.-]*", re.ASCII)
_COMPACT = "fasttext-lite compact file"


def push(
    model: Model | PathType,
    repository: str,
    *,
    dtype: str | None = None,
    source: str | None = None,
    licence: str | None = None,
    language: str | None = None,
    private: bool = False,
    folder: PathType | None = None,
    dry_run: bool = False,
    progress: bool = True,
) -> str:
    """Upload a model to the Hugging Face hub, as a compact file with a model card.

    Parameters
    ----------
    model : Model or path
        Any model. A compact file is uploaded as it is, others are converted first.
    repository : str
        ``OWNER/NAME``; it is created if it does not exist.
    dtype : {"float32", "float16", "int8"}, optional
        Number format; that of a compact file, or float32, by default.
    source : str, optional
        Where the model is from: a repository on the hub, which becomes its ``base_model``, or an
        address or name for the card.
    licence : str, optional
        Identifier of the licence, as the hub has it (``cc-by-sa-3.0``). By default that of
        `source`, where it is known; a derived file is under the licence of its source.
    language : str, optional
        Code of the language, as the hub has it (``de``).
    private : bool
        Create the repository as private.
    folder : path, optional
        Write the files of the repository into this folder, which may exist if it has no other
        files, and keep it. By default a temporary folder.
    dry_run : bool
        Only write the folder, which is needed for it; nothing is uploaded.
    progress : bool
        Show bars if stderr is a terminal.

    Returns
    -------
    str
        The address of the repository; the path of the folder of a dry run.

    Raises
    ------
    InputTypeError, InputValueError
        An argument has the wrong type or value, or the folder holds other files.
    MissingExtraError
        ``huggingface_hub`` is not installed (extra ``hub``); a dry run does not need it.
    FileError
        The folder cannot be written, or the hub refuses the upload.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     path = push("sample", "me/english", folder=folder, dry_run=True, progress=False)
    ...     sorted(file.name for file in Path(path).iterdir())
    ['README.md', 'model.safetensors']
    """
    if not isinstance(repository, str) or not _REPOSITORY.fullmatch(repository):
        raise InputValueError(f"repository must be OWNER/NAME, not {repository!r}")
    if dtype is not None and dtype not in DTYPES:
        raise InputValueError(f"dtype must be one of {', '.join(DTYPES)}, not {dtype!r}")
    for name, value in (("source", source), ("licence", licence), ("language", language)):
        if value is not None and (not isinstance(value, str) or not value.isprintable()):
            raise InputTypeError(f"{name} must be a printable str, not {value!r}")
    private, dry_run = flag("private", private), flag("dry_run", dry_run)
    progress = flag("progress", progress)
    if dry_run and folder is None:
        raise InputValueError("a dry run needs a folder to write")
    hub = None if dry_run else _client()
    if not isinstance(model, Model):
        model = load(model)
    with tempfile.TemporaryDirectory(prefix="fasttext-lite-") as temporary:
        place = Path(temporary) if folder is None else _checked_folder(folder)
        _write(model, place, repository, dtype, source, licence, language, progress=progress)
        if hub is None:
            return str(place)
        return _upload(hub, place, repository, private=private)


def _client() -> Any:
    try:
        import huggingface_hub
    except ModuleNotFoundError as error:
        if error.name != "huggingface_hub":
            raise
        raise MissingExtraError("huggingface_hub", "hub") from None
    return huggingface_hub


def _checked_folder(folder: PathType) -> Path:
    if not is_path(folder):
        raise InputTypeError(f"folder must be a path, not {type(folder).__name__}")
    place = Path(absolute_path(folder))
    try:
        place.mkdir(exist_ok=True)
        others = sorted({path.name for path in place.iterdir()} - {_MODEL, _CARD})
    except OSError as error:
        raise FileError.from_os(error, str(place)) from None
    if others:
        raise InputValueError(f"{place} holds other files, such as {others[0]}: name a new folder")
    return place


def _write(
    model: Model,
    folder: Path,
    repository: str,
    dtype: str | None,
    source: str | None,
    licence: str | None,
    language: str | None,
    *,
    progress: bool,
) -> None:
    """Write the files of the repository."""
    target, own = folder / _MODEL, Path(model.info.path)
    report = None
    stored = model.info.format.rpartition(", ")[2]
    if model.info.format.startswith(_COMPACT) and dtype in (None, stored) and _is_stored(model):
        _link_or_copy(own, target)
    elif own.resolve() == target.resolve():
        raise InputValueError(f"{folder} holds the model itself: name another folder")
    else:
        # The target may be a link to the source, made by an earlier call.
        target.unlink(missing_ok=True)
        report = convert(model, target, dtype or "float32", progress=progress)
    card = "\n".join(_card(load(target), report, repository, source, licence, language))
    with AtomicFile(str(folder / _CARD)) as file:
        file.write(card.encode())


def _is_stored(model: Model) -> bool:
    """Return whether the file of a compact model is not packed, and there."""
    try:
        with Path(model.info.path).open("rb") as file:
            return looks_like(file.read(12))
    except (OSError, ValueError):
        return False


def _link_or_copy(path: Path, target: Path) -> None:
    """Give the content of a file another name, by a link where that is possible."""
    if target.exists() and target.samefile(path):
        return
    beside = target.with_name(f"{target.name}.{os.urandom(4).hex()}.part")
    try:
        try:
            os.link(path, beside)
        except OSError:  # another file system, or one without links
            shutil.copyfile(path, beside)
        beside.replace(target)
    except OSError as error:
        with suppress(OSError):
            beside.unlink(missing_ok=True)
        raise FileError.from_os(error, str(target)) from None


def _card(
    model: Model,
    report: Report | None,
    repository: str,
    source: str | None,
    licence: str | None,
    language: str | None,
) -> Iterator[str]:
    """Yield the lines of the card: metadata in YAML, then text."""
    info = model.info
    if source and source.startswith("hf://"):
        source = "/".join(source.removeprefix("hf://").split("/")[:2])
    known = known_licence(source) if source else None
    licence = licence or (known.split(" ")[0].lower() if known else None)
    supervised = info.kind == "supervised"
    # Strings in JSON are strings in YAML.
    yield "---"
    yield "library_name: fasttext-lite"
    if licence:
        yield f"license: {json.dumps(licence)}"
    if language:
        yield f"language: {json.dumps(language)}"
    if source and _REPOSITORY.fullmatch(source):
        yield f"base_model: {json.dumps(source)}"
    yield f"pipeline_tag: {'text-classification' if supervised else 'feature-extraction'}"
    yield "tags:"
    yield from ("- fasttext", "- word-embeddings", "---", "")
    yield f"# {repository.partition('/')[2]}"
    yield ""
    what = "A text classifier" if supervised else "Word vectors"
    yield (
        f"{what} of fastText ({info.kind}), in one file that "
        "[fasttext-lite](https://pypi.org/project/fasttext-lite/) maps."
    )
    yield ""
    rows = {
        "source": source or (Path(report.source).name if report else None),
        "licence": known or licence or "not known: that of the source",
        "words": f"{info.word_count:,}",
        "labels": f"{info.label_count:,}" if supervised else None,
        "rows of n-grams": f"{info.subword_rows:,}",
        "dimensions": str(model.dim),
        "number format": info.format.rpartition(", ")[2],
        "size": f"{info.file_size:,} bytes",
        "size of the source": f"{report.source_size:,} bytes" if report else None,
    }
    if report and report.loss:
        rows["loss of the precision"] = (
            f"cosine to the exact vectors: mean {report.loss.mean:.6f}, 1st percentile "
            f"{report.loss.percentile_1:.6f}, worst {report.loss.worst:.6f}"
        )
    yield from ("| | |", "| --- | --- |")
    yield from (f"| {name} | {_cell(text)} |" for name, text in rows.items() if text)
    ask = 'model.predict("a text")' if supervised else 'model["doomscrolling"]'
    yield from ("", "```python", "import fasttext_lite as ftl", "")
    yield f'model = ftl.load("hf://{repository}/{_MODEL}")'
    yield from (ask, "```", "")


def _cell(text: str) -> str:
    """Return a text for a cell of a table in Markdown."""
    return re.sub(r"([\\|<>`*_\[\]])", r"\\\1", text)


def _upload(hub: Any, folder: Path, repository: str, *, private: bool) -> str:
    try:
        client = hub.HfApi()
        url = client.create_repo(repository, private=private, exist_ok=True)
        client.upload_folder(
            repo_id=repository,
            folder_path=str(folder),
            allow_patterns=[_MODEL, _CARD],
            commit_message="Upload a model with fasttext-lite",
        )
    except Exception as error:  # the client also raises those of the library for its requests
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise FileError(
            f"the hub refuses the upload: {reason}; HF_TOKEN must hold a token that may write",
            repository,
            getattr(error, "errno", None) or errno.EACCES,
        ) from None
    return str(url)
