"""Layers that are read whole: their questions are answered from columns in memory."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import replace

from qgserver.providers import columnstore
from qgserver.providers.batch import Column
from qgserver.providers.protocol import Query, Schema
from qgserver.providers.selection import Batches, needed_columns, paged_count, wanted_columns


class StoredProvider(ABC):
    """What providers have in common that give a query the whole layer (``table``), for it to choose from."""

    __slots__ = ()

    @abstractmethod
    def schema(self) -> Schema:
        """See ``Provider``."""

    @abstractmethod
    def table(self, query: Query, names: Sequence[str]) -> tuple[columnstore.Shapes, Mapping[str, Column]]:
        """The layer's features with the columns ``names``, which are all that ``query`` needs; more may be given."""

    def count(self, query: Query) -> int:
        """See ``Provider``."""
        bare = replace(query, columns=(), order_by=(), geometry=query.extent is not None)
        shapes, columns = self.table(bare, _needed(self.schema(), bare))
        return paged_count(len(columnstore.matching(shapes, columns, query, None)), query)

    def read(self, query: Query) -> Batches:
        """See ``Provider``."""
        schema = self.schema()
        flat = schema.geometry_type == "NoGeometry"
        if query.extent is not None and (query.extent.is_empty or flat):
            return
        shapes, columns = self.table(query, _needed(schema, query))
        names = wanted_columns(query, [field.name for field in schema.fields])
        shown = replace(query, geometry=query.geometry and not flat)
        yield from columnstore.read(shapes, columns, shown, names, None)

    def close(self) -> None:  # noqa: B027 (that nothing is done is what they share)
        """See ``Provider``. Nothing is held open."""


def _needed(schema: Schema, query: Query) -> tuple[str, ...]:
    """The columns that are wanted, filtered or sorted by."""
    names = needed_columns(query, query.where, [field.name for field in schema.fields])
    return tuple(dict.fromkeys((*names, *(key.column for key in query.order_by))))
