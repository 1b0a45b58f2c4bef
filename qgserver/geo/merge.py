"""Many shapes as one: unions, and what they leave of a rectangle."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from qgserver.geo.extent import Extent
from qgserver.geo.geometry import LINESTRING, MULTIPOLYGON, POLYGON, Floats, GeometryArray, Ints, offsets, spans
from qgserver.geo.wkb import decode, take, to_shapely


def union(geometry: GeometryArray, groups: Ints, count: int) -> GeometryArray:
    """``count`` features: the union of all features of each group (int64[n]); lines that meet end to end become one."""
    import shapely

    return decode(shapely.to_wkb(_unions(geometry, groups, count)).tolist())


def beyond(geometry: GeometryArray, groups: Ints, count: int, extent: Extent) -> GeometryArray:
    """``count`` features: what the union of the polygons of each group leaves of ``extent``."""
    import shapely

    left = shapely.difference(shapely.box(*extent.as_tuple()), _unions(geometry, groups, count))
    return decode(shapely.to_wkb(left).tolist())


def _unions(geometry: GeometryArray, groups: Ints, count: int) -> NDArray[np.object_]:
    import shapely

    shapes = to_shapely(geometry)
    order = np.argsort(groups, kind="stable")
    bounds = np.searchsorted(groups[order], np.arange(count + 1))
    found = np.full(count, shapely.GeometryCollection(), dtype=object)
    for number in range(count):
        found[number] = _union(shapes[order[bounds[number] : bounds[number + 1]]])
    return found


def _union(shapes: NDArray[np.object_]) -> object:
    import shapely

    try:
        merged = shapely.union_all(shapes)
    except shapely.errors.GEOSException:  # rings that cross themselves
        merged = shapely.union_all(shapely.make_valid(shapes))
    return shapely.line_merge(merged) if shapely.get_dimensions(merged) == 1 else merged


def holes_in(geometry: GeometryArray, groups: Ints, count: int, extent: Extent) -> GeometryArray:
    """``count`` features: ``extent`` with the outer rings of all polygons of a group as its holes (where two overlap it
    is filled again), and each of their own holes as a polygon: QGIS's way to draw what is outside of polygons."""
    members = [take(geometry, np.flatnonzero(groups == number)) for number in range(count)]
    west, south, east, north = extent.as_tuple()
    frame = np.array([(west, south), (east, south), (east, north), (west, north), (west, south)])
    coords: list[Floats] = []
    ring_counts: list[Ints] = []
    part_counts: list[Ints] = []
    for some in members:
        polygons = some.ring_kinds() == POLYGON
        numbers = np.arange(len(polygons))
        first = np.isin(numbers, some.parts[:-1])
        outer, holes = numbers[first & polygons], numbers[~first & polygons]
        rings = np.concatenate([outer, holes])
        starts, ends = some.rings[rings], some.rings[rings + 1]
        coords += [frame, some.coords[spans(starts, ends)]]
        ring_counts.append(np.concatenate([[len(frame)], ends - starts]))
        part_counts.append(np.concatenate([[1 + len(outer)], np.ones(len(holes), dtype=np.int64)]))
    empty = np.empty(0, dtype=np.int64)
    return GeometryArray(
        np.full(count, MULTIPOLYGON, dtype=np.uint8),
        np.concatenate([np.empty((0, 2)), *coords]),
        offsets(np.concatenate([empty, *ring_counts])),
        offsets(np.concatenate([empty, *part_counts])),
        offsets(np.array([len(parts) for parts in part_counts], dtype=np.int64)),
    )


def snapped(geometry: GeometryArray, cell: float) -> GeometryArray:
    """Lines and rings with their vertices on a grid, those that fall together but once: neighbours still share their
    boundary, which simplifying each for itself would not keep."""
    coords = np.round(geometry.coords / cell) * cell
    fresh = np.ones(len(coords), dtype=bool)
    fresh[1:] = (coords[1:] != coords[:-1]).any(axis=1)
    fresh[geometry.rings[:-1][np.diff(geometry.rings) > 0]] = True
    kinds = geometry.ring_kinds()
    left = np.add.reduceat(fresh, geometry.rings[:-1]) if len(kinds) else np.empty(0, dtype=np.int64)
    least = np.where(kinds == POLYGON, 4, np.where(kinds == LINESTRING, 2, 1))
    fresh &= np.repeat(left >= least, np.diff(geometry.rings))
    return GeometryArray(
        geometry.types, coords, geometry.rings, geometry.parts, geometry.features, part_types=geometry.part_types
    ).keep_vertices(fresh)
