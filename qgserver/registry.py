"""One kind of table for everything that is added by writing one more file: names -> things."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

T = TypeVar("T")


class Registry(Generic[T]):
    """Names to objects, filled by a decorator; a name taken twice is a programming error.

    >>> shapes: Registry[type] = Registry("shape")
    >>> @shapes.register("circle", "round")
    ... class Circle: ...
    """

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._items: dict[str, T] = {}

    def register(self, *names: str) -> Callable[[T], T]:
        """Decorator: make the object known under every name."""

        def add(thing: T) -> T:
            for name in names:
                if name in self._items:
                    raise ValueError(f"{self.kind} {name!r} is registered twice")
                self._items[name] = thing
            return thing

        return add

    def get(self, name: str) -> T | None:
        """The object of that name, or None."""
        return self._items.get(name)

    def __getitem__(self, name: str) -> T:
        return self._items[name]

    def __contains__(self, name: object) -> bool:
        return name in self._items

    def __iter__(self) -> Iterator[str]:
        return iter(self._items)

    def items(self) -> Iterator[tuple[str, T]]:
        """Pairs of name and object in order of registration."""
        return iter(self._items.items())
