"""Objects that pass for those of gensim, where gensim is loaded."""

from __future__ import annotations

import sys
import warnings
from typing import Any

__all__ = ["Emulated", "deprecated"]


class Emulated:
    """An object that is an instance of a class of gensim, as far as ``isinstance`` can tell.

    ``isinstance`` looks at the type of an object, then at its attribute ``__class__``. This is the
    class of gensim if the program has imported that; this package never imports it for this.
    """

    _module = "gensim.models.keyedvectors"
    _name = "KeyedVectors"

    @property  # type: ignore[misc]
    def __class__(self) -> type[Any]:
        """The class of gensim with the same name if gensim is loaded, else the type."""
        theirs: type[Any] | None = getattr(sys.modules.get(self._module), self._name, None)
        return theirs or type(self)

    def __dir__(self) -> list[str]:
        # By default it would list the attributes of the class of gensim.
        return sorted({*dir(type(self)), *vars(self)})

    def __reduce_ex__(self, protocol: Any) -> Any:
        return self.__reduce__()


def deprecated(name: str, successor: str) -> None:
    """Warn that the caller of a method uses a name of gensim 3, as gensim 4 does."""
    warnings.warn(
        f"Call to deprecated `{name}` (Use {successor} instead).", DeprecationWarning, stacklevel=3
    )
