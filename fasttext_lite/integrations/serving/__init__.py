"""A local page and JSON over HTTP, for an index of texts or a model, by Starlette and uvicorn.

`application` returns an ASGI application, which can be mounted in another one; `serve` runs it,
and is what ``fasttext-lite serve`` calls. `docs/server.md` describes the requests and answers.
"""

from __future__ import annotations

from fasttext_lite.errors import MissingExtraError

try:
    import starlette  # noqa: F401
    import uvicorn  # noqa: F401
except ImportError:
    raise MissingExtraError("Starlette and uvicorn", "serve") from None

from fasttext_lite.integrations.serving.application import application
from fasttext_lite.integrations.serving.parameters import Limits
from fasttext_lite.integrations.serving.server import serve

__all__ = ["Limits", "application", "serve"]
