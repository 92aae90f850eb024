"""Where a model is: names of the official site, files of the Hugging Face hub, and addresses.

The names and their addresses are those of https://fasttext.cc (crawl-vectors, pretrained-vectors
and language-identification).
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from difflib import get_close_matches
from urllib.parse import quote, unquote, urlsplit

from fasttext_lite.errors import InputValueError
from fasttext_lite.hub.transport import without_secrets

__all__ = ["CRAWL_LANGUAGES", "Hub", "Web", "endpoint", "is_address", "licence", "parse"]

# Languages of cc.XX.300.
_CODES = """
    af als am an ar arz as ast az azb ba bar bcl be bg bh bn bo bpy br bs ca ce ceb ckb co
    cs cv cy da de diq dv el eml en eo es et eu fa fi fr frr fy ga gd gl gom gu gv he hi hif
    hr hsb ht hu hy ia id ilo io is it ja jv ka kk km kn ko ku ky la lb li lmo lt lv mai mg
    mhr min mk ml mn mr mrj ms mt mwl my myv mzn nah nap nds ne new nl nn no nso oc or os pa
    pam pfl pl pms pnb ps pt qu rm ro ru sa sah sc scn sco sd sh si sk sl so sq sr su sv sw
    ta te tg th tk tl tr tt ug uk ur uz vec vi vls vo wa war xmf yi yo zea zh
"""
CRAWL_LANGUAGES = tuple(_CODES.split())
_SITE = "https://dl.fbaipublicfiles.com/fasttext"
_NAME = re.compile(r"cc\.[A-Za-z_-]+\.300|wiki\.[A-Za-z_-]+|lid\.176")
# A part of a path that stays in its folder on every platform.
_PART = re.compile(r"(?!\.{1,2}\Z)[^\\:/\x00-\x1f]+")
_HASH = re.compile(r"sha256=([0-9a-fA-F]{64})")
# Repositories and names by their beginnings, in the order in which they are tried.
_LICENCES = {
    "facebook/fasttext-language-identification": "CC-BY-NC-4.0 (not for commercial use)",
    "facebook/fasttext-": "CC-BY-SA-3.0",
    "cis-lmu/glotlid": "Apache-2.0",
    "laurievb/OpenLID": "GPL-3.0",
    "cc.": "CC-BY-SA-3.0",
    "wiki.": "CC-BY-SA-3.0",
    "lid.176": "CC-BY-SA-3.0",
}


@dataclass(frozen=True)
class Web:
    """A file of a web server.

    Attributes
    ----------
    url : str
    name : str
        The name it was asked for by, for messages.
    sha256 : str or None
        The SHA-256 that it must have.
    """

    url: str
    name: str
    sha256: str | None = None

    @property
    def file(self) -> str:
        """The last part of the path, as the name of a file."""
        last = unquote(urlsplit(self.url).path).rpartition("/")[2]
        # The end of a long name tells what it is; a name with a dot first is one of the cache.
        return re.sub(r"[^\w.+-]", "_", last)[-100:].lstrip(".") or "model"


def endpoint() -> str:
    """Return the address of the hub: ``HF_ENDPOINT``, if that is set."""
    return (os.environ.get("HF_ENDPOINT") or "https://huggingface.co").rstrip("/")


@dataclass(frozen=True)
class Hub:
    """A file of a repository on the Hugging Face hub, at a revision."""

    repository: str
    file: str
    revision: str = "main"
    sha256: str | None = None

    @property
    def name(self) -> str:
        """The address."""
        return f"hf://{self.repository}/{self.file}"

    @property
    def url(self) -> str:
        """Where the file is."""
        revision = quote(self.revision, safe="")
        return f"{endpoint()}/{self.repository}/resolve/{revision}/{quote(self.file)}"


def is_address(path: object) -> bool:
    """Return whether a path is an address or a name of the official site."""
    return isinstance(path, str) and (
        path.startswith(("hf://", "http://", "https://")) or bool(_NAME.fullmatch(path))
    )


def parse(address: str) -> Hub | Web:
    """Take an address or name apart.

    Raises
    ------
    InputValueError
        It has another form than ``hf://ORG/REPO/FILE[@revision]``, ``http(s)://HOST/FILE``, each
        with ``#sha256=…`` if wanted, or a name like ``cc.de.300``, ``wiki.fr`` or ``lid.176``.
    """
    if not address.startswith(("hf://", "http://", "https://")):
        return _named(address)
    place, hash_sign, fragment = address.partition("#")
    found = _HASH.fullmatch(fragment)
    if hash_sign and not found:
        raise InputValueError(
            f"{address}: what follows # must be sha256= and 64 hexadecimal digits"
        )
    sha256 = found[1].lower() if found else None
    if not place.startswith("hf://"):
        try:
            host = urlsplit(place).hostname
        except ValueError:
            host = None
        if not host:
            raise InputValueError("the address names no host")
        return Web(place, without_secrets(place), sha256)
    path, _, revision = place[len("hf://") :].partition("@")
    parts = path.split("/", 2)
    names = [*path.split("/"), *(revision or "main").split("/")]
    if len(parts) < 3 or not all(map(_PART.fullmatch, names)):
        raise InputValueError(
            f"{address}: an address on the hub is hf://ORG/REPO/FILE or hf://ORG/REPO/FILE@REVISION"
        )
    return Hub("/".join(parts[:2]), parts[2], revision or "main", sha256)


def _named(name: str) -> Web:
    """Return the address of a name of the official site, or of ``FASTTEXT_LITE_SITE``."""
    site = os.environ.get("FASTTEXT_LITE_SITE", _SITE).rstrip("/")
    if name == "lid.176":
        return Web(f"{site}/supervised-models/lid.176.bin", name)
    if not _NAME.fullmatch(name):
        raise InputValueError(f"{name!r} is no address and no name of a model")
    kind, language = name.split(".")[:2]
    if kind == "wiki":
        return Web(f"{site}/vectors-wiki/wiki.{language}.zip", name)
    if language not in CRAWL_LANGUAGES:
        near = get_close_matches(language, CRAWL_LANGUAGES, 3, 0.4)
        like = f", but {', '.join(f'cc.{one}.300' for one in near)}" if near else ""
        raise InputValueError(f"there is no model {name}{like}: see https://fasttext.cc")
    return Web(f"{site}/vectors-crawl/cc.{language}.300.bin.gz", name)


def licence(name: str) -> str | None:
    """Return the licence of a model by its name, or ``ORG/REPO`` on the hub, where it is known."""
    return next((text for begin, text in _LICENCES.items() if name.startswith(begin)), None)
