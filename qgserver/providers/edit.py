"""Writing: what a data source that can be edited offers, and how it says no."""

from __future__ import annotations

import importlib
from collections.abc import Hashable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from types import MappingProxyType
from typing import Protocol

from qgserver.errors import ProviderError
from qgserver.geo.crs import Crs
from qgserver.providers.protocol import Provider
from qgserver.providers.resources import Resources
from qgserver.providers.uri import DataSource


class EditError(ProviderError):
    """The source refuses these data: a constraint, a type, a key that is taken."""


class EditConflict(ProviderError):
    """Somebody else is writing; nothing has been changed and the same may succeed when tried again."""


class ReadOnlyError(ProviderError):
    """The source, or this layer of it, can't be written at all."""


@dataclass(frozen=True, slots=True)
class Rows:
    """n rows to write. ``values[i]`` stand beside ``columns``: plain Python values as the columns' types want them,
    None for NULL. ``shapes`` are WKB in the layer's CRS, x before y, None for NULL; ``shapes`` itself is None when
    the geometry is not written."""

    columns: tuple[str, ...]
    values: Sequence[Sequence[object]]
    shapes: Sequence[bytes | None] | None = None


class LayerEditor(Protocol):
    """One layer inside a transaction. Every method may raise ``ProviderError`` and its kinds above."""

    @property
    def provider(self) -> Provider:
        """Reads the layer as it is inside the transaction."""

    def lock(self, fids: Sequence[int | str]) -> None:
        """Keep these features from being changed by others until the transaction ends."""

    def insert(self, rows: Rows) -> list[int | str]:
        """Add rows; the feature ids they got, in the same order."""

    def update(self, fids: Sequence[int | str], rows: Rows) -> None:
        """Write the one row into all these features (each named once), or to each its own. Raises ``EditError`` unless
        every one is there."""

    def delete(self, fids: Sequence[int | str]) -> None:
        """Remove these features. Raises ``EditError`` unless every one was there."""


class Editor(Protocol):
    """A transaction that has begun."""

    @property
    def exclusive(self) -> bool:
        """Whether the store has one writer at a time, so that nothing needs to be locked."""

    def layer(self, source: DataSource, crs: Crs | None) -> LayerEditor:
        """A layer of the store this transaction belongs to. Raises ``ReadOnlyError`` for queries, views and such."""


class Store(Protocol):
    """What holds layers that can be changed together: a database, a file."""

    @property
    def key(self) -> Hashable:
        """Equal for layers of the same store."""

    def edit(self) -> AbstractContextManager[Editor]:
        """A transaction over all layers of the store: left normally it is committed, left by an exception nothing has
        happened. Raises ``EditConflict`` when the store is busy for too long."""


_MODULES: Mapping[str, str] = MappingProxyType(
    {"postgres": "qgserver.providers.pgedit", "geopackage": "qgserver.providers.gpkgedit"}
)
"""Provider's name -> the module that edits it, imported on first use."""


def takes_edits(name: str, source: DataSource) -> bool:
    """Whether a data source of the provider ``name`` is of a kind that can be written. Nothing is opened."""
    return name in _MODULES and not source.query


def open_store(name: str, source: DataSource, resources: Resources) -> Store:
    """The store of a data source of the provider ``name``. Nothing is opened yet. Raises ``ReadOnlyError``."""
    if not takes_edits(name, source):
        raise ReadOnlyError("The layer's kind of data source can't be written", detail=f"provider {name!r}")
    store: Store = importlib.import_module(_MODULES[name]).open_store(source, resources)
    return store
