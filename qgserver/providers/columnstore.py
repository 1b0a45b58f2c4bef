"""A whole layer of a file in memory, as columns: a view of it is a few array operations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qgserver.geo.extent import Extent
from qgserver.geo.geometry import Floats, GeometryArray, Ints
from qgserver.geo.wkb import take
from qgserver.providers.batch import Batch, Column
from qgserver.providers.selection import Batches, pick_column

Fids = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Shapes:
    """Feature ids and geometry of a layer in its own order, and ``boxes`` float64[4, n] (xmin, ymin, xmax, ymax, NaN
    without a geometry). ``drawing`` are places in the order in which the source's spatial index finds them (None: in
    the layer's own order)."""

    fids: NDArray[np.int64]
    geometry: GeometryArray
    boxes: Floats
    drawing: Ints | None

    @property
    def size(self) -> int:
        """Bytes, about."""
        drawing = 0 if self.drawing is None else self.drawing.nbytes
        return self.fids.nbytes + geometry_bytes(self.geometry) + self.boxes.nbytes + drawing

    def within(self, extent: Extent, whole: Extent | None) -> Ints:
        """Places of the features whose box meets the extent. A view of everything (``whole``) has the layer's own
        order, any other the index's: so does GDAL, and it shows where features overlap."""
        hits = meets(self.boxes, extent)
        if self.drawing is None or (whole is not None and extent.contains(whole)):
            return np.flatnonzero(hits)
        return self.drawing[hits[self.drawing]]


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


def batches(
    shapes: Shapes, columns: Mapping[str, Column], places: Ints, sizes: Sequence[int], geometry: bool
) -> Batches:
    """The features at ``places``: a batch of ``sizes[0]``, then batches of ``sizes[1]``."""
    first, size = sizes
    for start in range(0, len(places), size) if first == size else [0, *range(first, len(places), size)]:
        part = places[start : start + (first if start == 0 else size)]
        yield Batch(
            shapes.fids[part],
            {name: pick_column(column, part) for name, column in columns.items()},
            take(shapes.geometry, part) if geometry else None,
        )
