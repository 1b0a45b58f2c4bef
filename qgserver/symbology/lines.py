"""Pieces that line symbol layers share: device paths of a geometry, parallels, trimming, fitting dashes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from qgserver.draw.paths import Paths
from qgserver.geo.geometry import MULTIPOLYGON, POLYGON, GeometryArray
from qgserver.geo.wkb import decode, to_shapely

if TYPE_CHECKING:
    import shapely

MITRE_LIMIT = 5.0
NEAREST, FARTHEST = 1e-6, 1e6
"""Pixels: parallels nearer are the line itself, and so are those so far away that no style can mean it."""
ALL_RINGS, EXTERIOR_ONLY, INTERIOR_ONLY = 0, 1, 2
Trim = tuple[float, bool]
"""(pixels, False) or (share of the line's length, True)."""


def is_polygonal(geometry: GeometryArray) -> bool:
    """True when there are features and all of them are polygons."""
    return bool(len(geometry)) and bool(np.isin(geometry.types, (POLYGON, MULTIPOLYGON)).all())


def offset_lines(geometry: GeometryArray, offset: float) -> GeometryArray:
    """Parallels at ``offset`` pixels, positive to the right as it is seen (down for a line that runs right)."""
    import shapely

    if not NEAREST < abs(offset) < FARTHEST:
        return geometry
    shapes = to_shapely(geometry).tolist()
    return _arrays(shapely.offset_curve(shapes, offset, join_style="mitre", mitre_limit=MITRE_LIMIT))


def offset_polygons(geometry: GeometryArray, offset: float) -> GeometryArray:
    """Polygons shrunk by ``offset`` pixels (grown when negative), whatever the orientation of their rings."""
    import shapely

    if not NEAREST < abs(offset) < FARTHEST:
        return geometry
    shapes = to_shapely(geometry).tolist()
    return _arrays(shapely.buffer(shapes, -offset, join_style="mitre", mitre_limit=MITRE_LIMIT))


def _arrays(shapes: NDArray[np.object_]) -> GeometryArray:
    import shapely

    return decode(shapely.to_wkb(shapes).tolist())


def filtered_rings(geometry: GeometryArray, ring_filter: int) -> GeometryArray:
    """Only the exterior or only the interior rings of polygons."""
    if ring_filter == ALL_RINGS or not len(geometry.rings) > 1:
        return geometry
    is_exterior = np.zeros(len(geometry.rings) - 1, dtype=bool)
    is_exterior[geometry.parts[:-1][np.diff(geometry.parts) > 0]] = True
    keep = is_exterior if ring_filter == EXTERIOR_ONLY else ~is_exterior
    sizes = np.diff(geometry.rings)
    counts = np.diff(np.concatenate([[0], np.cumsum(keep)])[geometry.parts])
    return replace(
        geometry,
        coords=geometry.coords[np.repeat(keep, sizes)],
        rings=np.concatenate([[0], np.cumsum(sizes[keep])]),
        parts=np.concatenate([[0], np.cumsum(counts)]),
        z=None,
        m=None,
    )


def trim_lines(paths: Paths, start: Trim, end: Trim) -> Paths:
    """Open paths without their first ``start`` and last ``end``; those too short for it vanish."""
    import shapely

    pieces = []
    for i in range(len(paths)):
        coords = paths.coords[paths.starts[i] : paths.starts[i + 1]]
        if len(coords) < 2:
            continue
        line = shapely.LineString(coords)
        first = start[0] * line.length if start[1] else start[0]
        last = line.length - (end[0] * line.length if end[1] else end[0])
        if first < last:
            pieces.append(shapely.get_coordinates(_substring(line, first, last)))
    if not pieces:
        return Paths(np.empty((0, 2)), np.zeros(1, dtype=np.int64), False)
    starts = np.cumsum([0, *(len(piece) for piece in pieces)]).astype(np.int64)
    return Paths(np.concatenate(pieces), starts, False)


def _substring(line: shapely.LineString, first: float, last: float) -> shapely.Geometry:
    from shapely.ops import substring

    return substring(line, first, last)


def aligned_dashes(line: Paths, dashes: tuple[float, ...]) -> tuple[float, ...]:
    """The pattern stretched so that a whole number of patterns and one last dash fill the line."""
    length = float(np.hypot(*np.diff(line.coords, axis=0).T).sum())
    period, gap = sum(dashes), dashes[-1]
    if not period > 0 or not length > 0:
        return dashes
    count = max(round((length + gap) / period), 1)
    factor = length / (count * period - gap) if count * period > gap else 1.0
    return tuple(value * factor for value in dashes)
