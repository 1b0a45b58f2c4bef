"""Where labels may lie: one file per family of placements, all items of a family at once.

``generate`` picks the family by the kind of geometry and the mode of placement.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np
import shapely
from numpy.typing import NDArray

from qgserver.geo.geometry import Floats, Ints
from qgserver.labeling.candidates import curved, line, outside, point, polygon
from qgserver.labeling.candidates.columns import Candidates, join, parts, stand_upright
from qgserver.labeling.candidates.limits import LINES, POINTS, POLYGONS, Limits, limit
from qgserver.labeling.model import Engine, Item, Mode, PolygonFlags

Family = Callable[[Ints, Sequence[Item], Engine, int], Candidates]
"""(numbers of the items, items, engine, how many candidates each has at most)."""

_POINT, _LINE, _POLYGON = 0, 1, 3


def generate(items: Sequence[Item], engine: Engine) -> Candidates:
    """The candidates of all items, sorted by item. Geometries are Points, LineStrings and Polygons."""
    kinds = shapely.get_type_id(np.array([item.geometry for item in items], dtype=object))
    crowd = Counter(item.source for item in items)
    groups: dict[tuple[Family, int], list[int]] = {}
    for number, (item, kind) in enumerate(zip(items, kinds.tolist(), strict=True)):
        for family in _families(item, kind):
            groups.setdefault((family, limit(_LIMITS[family], crowd[item.source])), []).append(number)
    found = [family(np.array(rows), [items[i] for i in rows], engine, most) for (family, most), rows in groups.items()]
    return _fitting(stand_upright(join(found), items), items)


def _fitting(found: Candidates, items: Sequence[Item]) -> Candidates:
    """Of the labels that shall fit in their polygon, only the candidates that do."""
    bound = np.array([item.placing.fit_in_polygon and item.pinned is None for item in items], dtype=bool)
    rows = np.flatnonzero(bound[found.item])
    if not len(rows):
        return found
    inner = found.take(rows)
    shapes = np.array([item.geometry for item in items], dtype=object)
    shapely.prepare(shapes[bound])
    owner, _, corner = parts(inner)
    inside = shapely.covers(shapes[inner.item[owner]], shapely.polygons(corner))
    kept = np.ones(len(found), dtype=bool)
    kept[rows[owner[~inside]]] = False
    return found.take(kept)


def _families(item: Item, kind: int) -> tuple[Family, ...]:
    if item.pinned is not None:
        return (_pinned,)
    mode = item.placing.mode
    if mode == Mode.AROUND_POINT and kind == _POINT and item.placing.fixed_quadrant:
        return (_over,)
    if kind == _POLYGON:
        return _of_polygon(item, _TABLE.get((kind, mode), (polygon.within,)))
    return _TABLE.get((kind, mode), (_around,) if kind == _POINT else ())


def _of_polygon(item: Item, inner: tuple[Family, ...]) -> tuple[Family, ...]:
    """Labels may be allowed inside, outside or on both sides of a polygon; one that has no room inside stays outside
    if it may."""
    flags = item.placing.polygon_flags
    if item.placing.mode == Mode.OUTSIDE:
        return (outside.around,)
    if not flags & PolygonFlags.OUTSIDE:
        return inner
    left, low, right, high = item.geometry.bounds
    if not flags & PolygonFlags.INSIDE or right - left < item.width or high - low < item.height:
        return (outside.around,)
    return (*inner, outside.around)


def _pinned(which: Ints, items: Sequence[Item], engine: Engine, most: int) -> Candidates:
    """Where the data demand it, at no cost."""
    corner = np.array([item.pinned for item in items], dtype=np.float64).reshape(-1, 2)
    size = point.sizes(items)
    found = point.centred(which, items, corner + size / 2)
    return found.with_cost(np.zeros(len(found)))


def _at_points(place: Callable[[Ints, Sequence[Item], Floats, int], Candidates]) -> Family:
    def family(which: Ints, items: Sequence[Item], engine: Engine, most: int) -> Candidates:
        return place(which, items, _points(items), most)

    return family


def _points(items: Sequence[Item]) -> Floats:
    """float64[n, 2]: the point of each item, for polygons their centre (of the whole where there is one)."""
    shapes: NDArray[np.object_] = np.array([item.geometry if item.whole is None else item.whole for item in items])
    points = shapely.centroid(shapes)
    inner = np.array([item.placing.centroid_inside for item in items], dtype=bool) & ~shapely.covers(shapes, points)
    points[inner] = shapely.point_on_surface(shapes[inner])
    return np.asarray(shapely.get_coordinates(points), dtype=np.float64)


def _along_outline(which: Ints, items: Sequence[Item], engine: Engine, most: int) -> Candidates:
    return line.along(which, items, engine, most, outline=True)


def _along_line(which: Ints, items: Sequence[Item], engine: Engine, most: int) -> Candidates:
    return line.along(which, items, engine, most, outline=False)


_over, _around, _ordered, _centred = (_at_points(f) for f in (point.over, point.around, point.ordered, point.centred))

_TABLE: dict[tuple[int, Mode], tuple[Family, ...]] = {
    (_POINT, Mode.OVER_POINT): (_over,),
    (_POINT, Mode.ORDERED): (_ordered,),
    (_LINE, Mode.LINE): (_along_line,),
    (_LINE, Mode.HORIZONTAL): (line.horizontal,),
    (_LINE, Mode.CURVED): (curved.along,),
    (_LINE, Mode.PERIMETER_CURVED): (curved.along,),
    (_POLYGON, Mode.PERIMETER_CURVED): (curved.along,),
    (_POLYGON, Mode.OVER_POINT): (_over,),
    (_POLYGON, Mode.AROUND_POINT): (_centred, _around),
    (_POLYGON, Mode.LINE): (_along_outline,),
    (_POLYGON, Mode.HORIZONTAL): (polygon.within,),
    (_POLYGON, Mode.FREE): (polygon.within,),
}

_LIMITS: dict[Family, Limits] = {
    _pinned: POINTS,
    _over: POINTS,
    _around: POINTS,
    _ordered: POINTS,
    _centred: POINTS,
    _along_line: LINES,
    _along_outline: LINES,
    line.horizontal: LINES,
    curved.along: LINES,
    polygon.within: POLYGONS,
    outside.around: POLYGONS,
}
