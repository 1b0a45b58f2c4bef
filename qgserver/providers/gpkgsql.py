"""The SQL of a GeoPackage layer: names quoted, values always bound."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from qgserver.expression.sql import Sql
from qgserver.geo.extent import Extent
from qgserver.providers.gpkgschema import Relation
from qgserver.providers.protocol import OrderBy
from qgserver.providers.sqlitefile import quoted


@dataclass(frozen=True, slots=True)
class Selection:
    """Which rows, in which order. ``box`` goes through the spatial index and gives the index's order, unless
    ``key_order``; ``where`` is one more condition."""

    box: Extent | None = None
    fids: Sequence[int] | None = None
    where: Sql | None = None
    order_by: tuple[OrderBy, ...] = ()
    limit: int | None = None
    offset: int = 0
    key_order: bool = False


def select(relation: Relation, items: Sequence[str], selection: Selection) -> Sql:
    """``items`` (column names) of the rows selected."""
    return _statement(relation, ", ".join(map(quoted, items)), selection)


def aggregate(relation: Relation, expression: str, selection: Selection) -> Sql:
    """One row: an aggregate (SQL) of the rows selected."""
    return _statement(relation, expression, selection)


def _statement(relation: Relation, items: str, selection: Selection) -> Sql:
    values: list[object] = []
    table = relation.table
    if selection.box is not None and relation.index:
        # The index stands left of a CROSS JOIN: SQLite must not turn them round, its order is the drawing order.
        table = (
            f'(SELECT id AS "rtree id" FROM {quoted(relation.index)}'  # noqa: S608
            f" WHERE maxx >= ? AND minx <= ? AND maxy >= ? AND miny <= ?)"
            f' CROSS JOIN {relation.table} ON {quoted(relation.fid)} = "rtree id"'
        )
        box = selection.box
        values += [box.xmin, box.xmax, box.ymin, box.ymax]
    conditions = [relation.condition] if relation.condition else []
    if selection.fids is not None:
        conditions.append(f"{quoted(relation.fid)} IN (SELECT value FROM json_each(?))")  # noqa: S608
        values.append(json.dumps(list(selection.fids)))
    if selection.where is not None:
        conditions.append(f"({selection.where.text})")
        values += selection.where.params
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    text = f"SELECT {items} FROM {table}{where}{_order(relation, selection)}"  # noqa: S608
    if selection.limit is not None or selection.offset:
        text += " LIMIT ? OFFSET ?"
        values += [-1 if selection.limit is None else selection.limit, selection.offset]
    return Sql(text, tuple(values))


def _order(relation: Relation, selection: Selection) -> str:
    keys = [
        f"{quoted(key.column)} {'ASC' if key.ascending else 'DESC'} NULLS {'FIRST' if key.nulls_first else 'LAST'}"
        for key in selection.order_by
    ]
    if relation.fid and (keys or selection.box is None or selection.key_order):
        keys.append(quoted(relation.fid))
    return f" ORDER BY {', '.join(keys)}" if keys else ""
