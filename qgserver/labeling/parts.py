"""The geometry that is labelled: clipped to the map, taken apart, the largest part chosen. Arrays of shapely objects
in engine space go in and out."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import shapely
from numpy.typing import NDArray

from qgserver.geo.geometry import GeometryArray, Ints
from qgserver.geo.wkb import to_shapely
from qgserver.labeling.variants import Aim

Shapes = NDArray[np.object_]


@dataclass(frozen=True, slots=True, eq=False)
class Parts:
    """Single geometries ``shapes`` object[k]; ``owners`` int64[k]: which feature each belongs to, ascending."""

    shapes: Shapes
    owners: Ints


def engine_shapes(geometry: GeometryArray, height: float) -> Shapes:
    """Geometry in device pixels (y down) as shapely objects in engine space (y up)."""
    coords = geometry.coords * (1.0, -1.0) + (0.0, height)
    return to_shapely(replace(geometry, coords=coords, z=None, m=None))


def repaired(shapes: Shapes) -> Shapes:
    """With polygons that cross themselves made valid, as QGIS does before it labels them."""
    polygons = np.flatnonzero(shapely.get_dimensions(shapes) == 2)
    broken = polygons[~shapely.is_valid(shapes[polygons])]
    if not len(broken):
        return shapes
    out = shapes.copy()
    out[broken] = shapely.buffer(shapes[broken], 0.0)
    return out


def clipped(shapes: Shapes, frame: shapely.Polygon) -> Shapes:
    """What lies in the map's ``frame``; empty geometry where nothing does."""
    boxes = shapely.bounds(shapes)
    x1, y1, x2, y2 = shapely.bounds(frame).tolist()
    with np.errstate(invalid="ignore"):
        outside = ~((boxes[:, 0] >= x1) & (boxes[:, 1] >= y1) & (boxes[:, 2] <= x2) & (boxes[:, 3] <= y2)) & ~np.isnan(
            boxes[:, 0]
        )
    if not outside.any():
        return shapes
    out = shapes.copy()
    out[outside] = shapely.intersection(shapes[outside], frame)
    return out


def outlines(shapes: Shapes) -> Shapes:
    """Polygons as the lines around them, all else as it is."""
    polygons = shapely.get_dimensions(shapes) == 2
    if not polygons.any():
        return shapes
    out = shapes.copy()
    out[polygons] = shapely.boundary(shapes[polygons])
    return out


def large_enough(shapes: Shapes, least: float) -> NDArray[np.bool_]:
    """bool[n]: lines at least ``least`` pixels long, polygons as large as a square of that side; points always."""
    if least <= 0:
        return np.ones(len(shapes), bool)
    dimensions = shapely.get_dimensions(shapes)
    size = np.where(dimensions == 2, np.sqrt(shapely.area(shapes)), shapely.length(shapes))
    enough: NDArray[np.bool_] = (dimensions < 1) | (size >= least)
    return enough


def aimed(shapes: Shapes, aim: Aim, frame: shapely.Polygon) -> Shapes:
    """What is labelled of geometries: within the map's ``frame`` unless all of it counts (but nothing of what lies
    outside)."""
    if aim.along_lines:
        shapes = outlines(shapes)
    cut = clipped(shapes, frame)
    if not aim.whole_polygon and not aim.whole_line:
        return cut
    dimensions = shapely.get_dimensions(shapes)
    whole = ((dimensions == 2) & aim.whole_polygon) | ((dimensions == 1) & aim.whole_line)
    return np.where(whole & ~shapely.is_empty(cut), shapes, cut)


def labelled_parts(shapes: Shapes, every: bool) -> Parts:
    """What of each geometry gets a label: all points; of lines and polygons the largest part, or ``every`` one.
    Geometry that has parts of several kinds counts by the kind of most dimensions."""
    singles, first = shapely.get_parts(shapes, return_index=True)
    single, second = shapely.get_parts(singles, return_index=True)  # members of collections may be multi geometries
    owners = first[second]
    dimensions = shapely.get_dimensions(single)
    usable = (dimensions == shapely.get_dimensions(shapes)[owners]) & ~shapely.is_empty(single)
    single, owners, dimensions = single[usable], owners[usable].astype(np.int64), dimensions[usable]
    if every or len(owners) == len(np.unique(owners)):
        return Parts(single, owners)
    size = np.where(dimensions == 2, shapely.area(single), shapely.length(single))
    order = np.lexsort((np.arange(len(owners)), -size, owners))
    largest = np.ones(len(owners), bool)
    largest[1:] = np.diff(owners[order]) > 0
    keep = np.sort(np.concatenate([order[largest & (dimensions[order] > 0)], np.flatnonzero(dimensions == 0)]))
    return Parts(single[keep], owners[keep])
