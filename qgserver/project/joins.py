"""Columns of joined layers, looked up by equal keys: first match wins, no match is null.

A null key meets nothing. QGIS takes it for 0 where the key is a whole number and the joined layer is held in memory
(measured), so that a row without a partner shows the values of number 0: a mistake that is not made here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from qgserver.expression.columns import to_values
from qgserver.expression.context import Context
from qgserver.expression.values import to_text
from qgserver.project.model import Join
from qgserver.providers.batch import Column, concat_batches
from qgserver.providers.columns import column
from qgserver.providers.protocol import Field, Provider, Query


@dataclass(frozen=True, slots=True)
class Joined:
    """A column of a joined layer: by which join, from where, and the field there."""

    join: Join
    provider: Provider
    field: Field


def joined_columns(joins: Sequence[tuple[Join, Provider]]) -> dict[str, Joined]:
    """The columns that joins add, by the name they have in the layer. The join's key is left out."""
    out: dict[str, Joined] = {}
    for join, provider in joins:
        for field in provider.schema().fields:
            if field.name != join.join_field and (join.fields is None or field.name in join.fields):
                out.setdefault(join.prefix + field.name, Joined(join, provider, field))
    return out


class Lookup:
    """The other side of one join, read whole for one query."""

    def __init__(self, columns: Iterable[Joined], context: Context) -> None:
        self._columns = tuple(columns)
        self._context = context
        self._table: Mapping[str, Column] | None = None
        self._rows: dict[str, int] = {}

    def add(self, keys: Column, name: str) -> Column:
        """The joined layer's column ``name`` for these keys."""
        table = self._read()
        field = next(joined.field for joined in self._columns if joined.field.name == name)
        found = np.fromiter((self._rows.get(key, -1) if key is not None else -1 for key in _texts(keys)), np.int64)
        missing = found < 0
        if name not in table or missing.all():
            return column([None] * len(keys), field.type)
        other = table[name]
        places = np.where(missing, 0, found)
        nulls = missing if other.nulls is None else missing | other.nulls[places]
        return Column(other.values[places], nulls if nulls.any() else None)

    def _read(self) -> Mapping[str, Column]:
        if self._table is None:
            join, provider = self._columns[0].join, self._columns[0].provider
            names = dict.fromkeys((join.join_field, *(joined.field.name for joined in self._columns)))
            query = Query(columns=tuple(names), geometry=False, context=self._context)
            batches = list(provider.read(query))
            self._table = concat_batches(batches).columns if batches else {}
            if join.join_field in self._table:
                for row, key in enumerate(_texts(self._table[join.join_field])):
                    if key is not None:
                        self._rows.setdefault(key, row)
        return self._table


def _texts(keys: Column) -> list[str | None]:
    """Keys are compared as texts, as in QGIS: the integer 1 meets the text '1'."""
    return [None if value is None else to_text(value) for value in to_values(keys)]
