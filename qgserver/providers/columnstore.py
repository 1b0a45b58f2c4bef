"""A whole layer in memory, as columns: a view of it is a few array operations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qgserver.expression.evaluate import select
from qgserver.expression.nodes import needs_geometry
from qgserver.geo.extent import Extent
from qgserver.geo.geometry import Floats, GeometryArray
from qgserver.providers.batch import Batch, Column, take_batch
from qgserver.providers.protocol import OrderBy, Query
from qgserver.providers.selection import Batches, integer

Numbers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Shapes:
    """Feature ids and geometry of a layer in its own order, and ``boxes`` float64[4, n] (xmin, ymin, xmax, ymax, NaN
    without a geometry). ``drawing`` are places in the order in which the source's spatial index finds them (None: in
    the layer's own order)."""

    fids: Numbers
    geometry: GeometryArray
    boxes: Floats
    drawing: Numbers | None = None

    @property
    def size(self) -> int:
        """Bytes, about."""
        drawing = 0 if self.drawing is None else self.drawing.nbytes
        return self.fids.nbytes + geometry_bytes(self.geometry) + self.boxes.nbytes + drawing

    def extent(self) -> Extent | None:
        """The box of all features, None when no feature has a geometry."""
        return extent_of(self.boxes)

    def within(self, extent: Extent, whole: Extent | None) -> Numbers:
        """Places of the features whose box meets the extent. A view of everything (``whole``) has the layer's own
        order, any other the index's: so does GDAL, and it shows where features overlap."""
        hits = meets(self.boxes, extent)
        if self.drawing is None or (whole is not None and extent.contains(whole)):
            return np.flatnonzero(hits)
        return self.drawing[hits[self.drawing]]


def extent_of(boxes: Floats) -> Extent | None:
    """The box around ``boxes`` float64[4, n]; None when all are NaN."""
    filled = boxes[:, ~np.isnan(boxes[0])]
    if not filled.shape[1]:
        return None
    return Extent(*filled[:2].min(axis=1).tolist(), *filled[2:].max(axis=1).tolist())


def meets(boxes: Floats, extent: Extent) -> NDArray[np.bool_]:
    """bool[n]: which of ``boxes`` float64[4, n] meet the extent; touching counts, NaN never does."""
    xmin, ymin, xmax, ymax = boxes
    hits: NDArray[np.bool_] = xmin <= extent.xmax
    hits &= xmax >= extent.xmin
    hits &= ymin <= extent.ymax
    hits &= ymax >= extent.ymin
    return hits


def geometry_bytes(geometry: GeometryArray) -> int:
    """Bytes of the arrays."""
    arrays = (
        *(geometry.types, geometry.coords, geometry.rings, geometry.parts, geometry.features),
        *(geometry.z, geometry.m, geometry.part_types),
    )
    # One offset array may serve several levels.
    return sum({id(a): a.nbytes for a in arrays if a is not None}.values())


def column_bytes(column: Column) -> int:
    """Bytes of a column; an object counts what Python's text of that length takes."""
    values = column.values
    if values.dtype != object:
        return int(values.nbytes)
    distinct = {id(v): v for v in values.tolist()}
    return int(values.nbytes) + sum(56 + (len(v) if isinstance(v, str | bytes) else 200) for v in distinct.values())


def read(
    shapes: Shapes, columns: Mapping[str, Column], query: Query, names: Sequence[str], whole: Extent | None
) -> Batches:
    """Answer a query from memory. ``columns`` are all that the query needs, ``names`` those that it wants."""
    places = matching(shapes, columns, query, whole)
    if query.order_by:
        keys = {key.column: taken(columns[key.column], places) for key in query.order_by}
        places = places[sort_order(keys, query.order_by)]
    end = None if query.limit is None else query.offset + query.limit
    places = places[query.offset : end]
    table = Batch(shapes.fids, {name: columns[name] for name in names}, shapes.geometry if query.geometry else None)
    start, size = 0, min(query.first_batch, query.batch_size)
    while start < len(places):
        yield take_batch(table, places[start : start + size])
        start, size = start + size, query.batch_size


def matching(shapes: Shapes, columns: Mapping[str, Column], query: Query, whole: Extent | None) -> Numbers:
    """Places of the features asked for, whatever ``limit`` and ``offset`` say."""
    if query.extent is None:
        places = np.arange(len(shapes.fids))
    else:
        places = shapes.within(query.extent, query.extent if query.key_order else whole)
    if query.fids is not None:
        wanted = [number for fid in query.fids if (number := integer(fid)) is not None]
        places = places[np.isin(shapes.fids[places], wanted)]
    if query.where is not None:
        table = Batch(shapes.fids, columns, shapes.geometry if needs_geometry(query.where) else None)
        rows = table if len(places) == len(table) else take_batch(table, places)
        places = places[select(query.where, rows, query.context)]
    return places


def taken(column: Column, places: Numbers) -> Column:
    """The values of a column at some places."""
    return Column(column.values[places], None if column.nulls is None else column.nulls[places])


def sort_order(columns: Mapping[str, Column], keys: Sequence[OrderBy]) -> Numbers:
    """The numbers of the rows in the order of one or more sort keys; equal ones stay as they are."""
    ranks = []
    for key in keys:
        column = columns[key.column]
        count = len(column)
        nulls = np.zeros(count, bool) if column.nulls is None else column.nulls
        rank = np.zeros(count, np.int64)
        rank[~nulls] = np.unique(_sortable(column.values[~nulls]), return_inverse=True)[1]
        rank = rank if key.ascending else -rank
        rank[nulls] = -count - 1 if key.nulls_first else count + 1
        ranks.append(rank)
    return np.lexsort(ranks[::-1])


def _sortable(values: NDArray[Any]) -> NDArray[Any]:
    """Lists and maps have no order: they are sorted by their text."""
    if values.dtype == object and any(isinstance(value, list | dict) for value in values):
        return np.array([str(value) for value in values], object)
    return values
