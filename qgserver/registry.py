"""One kind of table for everything that is added by writing one more file: names -> things."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Mapping
from typing import Generic, TypeVar

T = TypeVar("T")


class Registry(Generic[T]):
    """Names to objects, filled by a decorator; a name taken twice is a programming error. Of a large family, of which a
    process needs but a few, ``locate`` says where each is.

    >>> shapes: Registry[type] = Registry("shape")
    >>> @shapes.register("circle", "round")
    ... class Circle: ...
    """

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._items: dict[str, T] = {}
        self._modules: dict[str, str] = {}

    def locate(self, package: str, modules: Mapping[str, str]) -> None:
        """Say which module of a package registers which names (separated by blanks): it is imported by the first who
        asks for one of them."""
        self._modules |= {name: f"{package}.{module}" for module, names in modules.items() for name in names.split()}

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
        if name not in self._items and name in self._modules:
            importlib.import_module(self._modules[name])
        return self._items.get(name)

    def __getitem__(self, name: str) -> T:
        found = self.get(name)
        if found is None:
            raise KeyError(name)
        return found

    def __contains__(self, name: object) -> bool:
        return name in self._items or name in self._modules

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys((*self._modules, *self._items)))

    def items(self) -> Iterator[tuple[str, T]]:
        """Pairs of name and object, located ones first, then in order of registration."""
        return ((name, self[name]) for name in self)
