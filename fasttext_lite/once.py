"""Attributes that are computed once, on first use."""

from __future__ import annotations

import os
from _thread import allocate_lock  # `threading` takes milliseconds to import
from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload

if TYPE_CHECKING:
    from _thread import LockType
    from collections.abc import Callable

__all__ = ["once"]

T = TypeVar("T")

# Locks of the values that are being computed, by object and attribute. They are dropped in a forked
# process, where the threads that hold them do not exist.
_locks: dict[tuple[int, str], LockType] = {}
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_locks.clear)


class once(Generic[T]):  # noqa: N801 - used as a decorator, like `property`
    """Turn a method into an attribute that is computed on first use and then stored.

    Concurrent threads compute it once. The value is stored in the ``__dict__`` of the object under
    the name of the method, so later reads are plain attribute reads, and the object holds no
    reference to itself: it is freed as soon as the last reference to it is dropped. A method that
    raises is called again on the next use.

    Examples
    --------
    >>> class Circle:
    ...     @once
    ...     def area(self):
    ...         print("computing")
    ...         return 3
    >>> circle = Circle()
    >>> circle.area + circle.area
    computing
    6
    """

    def __init__(self, compute: Callable[[Any], T]) -> None:
        self._compute = compute
        self._name = compute.__name__
        self.__doc__ = compute.__doc__

    @overload
    def __get__(self, instance: None, owner: type) -> once[T]: ...
    @overload
    def __get__(self, instance: object, owner: type) -> T: ...
    def __get__(self, instance: object | None, owner: type) -> once[T] | T:
        if instance is None:
            return self
        values, name = instance.__dict__, self._name
        key = id(instance), name
        with _locks.setdefault(key, allocate_lock()):
            try:
                if name not in values:
                    values.setdefault(name, self._compute(instance))
            finally:
                _locks.pop(key, None)
        value: T = values[name]
        return value
