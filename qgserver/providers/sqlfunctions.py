"""Functions of virtual layers' SQL: SpatiaLite's ``ST_...``, as far as projects use them, and QGIS's own.

A geometry in SQLite is EWKB with its SRID (0 = none), as ``blobs`` makes it.
"""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry as Geometry

from qgserver.errors import ExpressionError
from qgserver.expression.context import Context, Feature, Frame
from qgserver.expression.functions import find
from qgserver.expression.parser import parse
from qgserver.expression.rows import RowFunction, compile_row
from qgserver.geo.crs import parse_crs
from qgserver.geo.transform import get_transform

SqlValue = int | float | str | bytes | None
SqlFunction = Callable[..., SqlValue]

_FAULTS = (shapely.errors.ShapelyError, ValueError, TypeError, AttributeError, OverflowError, IndexError)
_SRID_FLAG = 0x20
_CLOSED = Context(closed_world=True)


class Aggregate(Protocol):
    """What ``sqlite3`` makes one of for each group."""

    def step(self, value: SqlValue, /) -> None: ...
    def finalize(self) -> SqlValue: ...


def blobs(shapes: NDArray[np.object_], srid: int) -> list[bytes | None]:
    """Geometries as SQLite holds them."""
    written: list[bytes | None] = shapely.to_wkb(
        shapely.set_srid(shapes, srid), include_srid=True, byte_order=1
    ).tolist()
    # Without an SRID the library leaves out the word: put it in, it tells geometries from other binaries.
    return [
        b if b is None or b[4] & _SRID_FLAG else b[:4] + bytes([b[4] | _SRID_FLAG]) + bytes(4) + b[5:] for b in written
    ]


def is_geometry(value: object) -> bool:
    """Whether a value out of SQLite is a geometry."""
    return isinstance(value, bytes) and len(value) >= 9 and value[0] == 1 and bool(value[4] & _SRID_FLAG)


def function(name: str) -> tuple[SqlFunction, bool] | None:
    """The function of a name and whether it gives the same for the same always; None when there is none. A name without
    ``st_`` is one of QGIS's expression functions first, if that is fit for clients, too."""
    plain = name.lower()
    short = plain.removeprefix("st_")
    own = _PREDICATES.get(short) or _FUNCTIONS.get(short)
    spatial = None if own is None else _spatial(own, -1 if short in _PREDICATES else None)
    known = find(plain) if plain == short else None
    if known is not None and known.client_safe:
        return functools.partial(_expression, plain, spatial), known.pure
    return None if spatial is None else (spatial, True)


def aggregate(name: str) -> Callable[[], Aggregate] | None:
    """The aggregate of a name, None when there is none."""
    merge = _AGGREGATES.get(name.lower().removeprefix("st_"))
    return None if merge is None else _aggregate(merge)


# -- values ---------------------------------------------------------------------------------------------------------


def _read(value: SqlValue) -> object:
    return shapely.from_wkb(value) if isinstance(value, bytes) and is_geometry(value) else value


def _written(value: object, srid: int = 0) -> SqlValue:
    if isinstance(value, Geometry):
        array = np.array([value], object)
        return blobs(array, int(shapely.get_srid(value)) or srid)[0]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    return value if isinstance(value, int | float | str | bytes) else None


def _spatial(call: Callable[..., object], of_null: int | None) -> SqlFunction:
    """A function over geometries: NULL, or ``of_null``, when an argument is NULL or it can't be done (SpatiaLite's
    predicates give -1 then, which is true: measured)."""

    def run(*values: SqlValue) -> SqlValue:
        if None in values:
            return of_null
        try:
            args = [_read(value) for value in values]
            srid = next((int(shapely.get_srid(arg)) for arg in args if isinstance(arg, Geometry)), 0)
            result = call(*args)
        except _FAULTS:
            return of_null
        return _written(result, srid)

    return run


@functools.lru_cache(maxsize=200)
def _compiled(name: str, count: int) -> RowFunction | None:
    try:
        return compile_row(parse(f"{name}({','.join(f'a{at}' for at in range(count))})"))
    except ExpressionError:
        return None


def _expression(name: str, otherwise: SqlFunction | None, *values: SqlValue) -> SqlValue:
    """An expression function; ``otherwise`` where that does not take so many arguments."""
    compiled = _compiled(name, len(values))
    if compiled is None:
        return None if otherwise is None else otherwise(*values)
    named = {f"a{at}": _read(value) for at, value in enumerate(values)}
    try:
        return _written(compiled(Frame(_CLOSED, Feature(0, named))))
    except ExpressionError:
        return None


# -- the functions --------------------------------------------------------------------------------------------------


def _with_srid(geometry: Geometry, srid: int) -> Geometry:
    return shapely.set_srid(geometry, int(srid))


def _from_text(text: str, srid: int = 0) -> Geometry:
    return _with_srid(shapely.from_wkt(text), srid)


def _from_binary(data: bytes, srid: int = 0) -> Geometry:
    return _with_srid(shapely.from_wkb(data), srid)


def _point(x: float, y: float, *more: float) -> Geometry:
    """x, y, then an SRID, or z and an SRID."""
    srid = int(more[-1]) if more else 0
    return _with_srid(shapely.Point(x, y, *more[:-1]), srid)


def _box(xmin: float, ymin: float, xmax: float, ymax: float, srid: int = 0) -> Geometry:
    return _with_srid(shapely.box(min(xmin, xmax), min(ymin, ymax), max(xmin, xmax), max(ymin, ymax)), srid)


def _transform(geometry: Geometry, srid: int) -> Geometry | None:
    source, target = (parse_crs(f"EPSG:{int(code)}") for code in (shapely.get_srid(geometry), srid))
    if source is None or target is None:
        return None
    way = get_transform(source, target)
    moved = geometry if way is None else shapely.transform(geometry, way.points)
    return _with_srid(moved, srid)


def _type_name(geometry: Geometry) -> str:
    return str(geometry.geom_type).upper() + (" Z" if geometry.has_z else "")


_MULTI: Mapping[str, Callable[[list[Any]], Geometry]] = {
    "Point": shapely.MultiPoint,
    "LineString": shapely.MultiLineString,
    "Polygon": shapely.MultiPolygon,
}


def _multi(geometry: Geometry) -> Geometry:
    make = _MULTI.get(geometry.geom_type)
    return geometry if make is None else make([geometry])


def _buffer(geometry: Geometry, distance: float, segments: int = 30) -> Geometry:
    return shapely.buffer(geometry, distance, quad_segs=max(1, min(int(segments), 100)))


def _segmentized(geometry: Geometry, length: float) -> Geometry | None:
    if length <= 0 or shapely.length(geometry) / length > 1_000_000:
        return None
    return shapely.segmentize(geometry, length)


def _perimeter(geometry: Geometry) -> float:
    return float(geometry.length) if geometry.geom_type.endswith("Polygon") else 0.0


def _length(geometry: Geometry) -> float:
    return 0.0 if geometry.geom_type.endswith("Polygon") else float(geometry.length)


def _snapped(geometry: Geometry, size: float, *more: float) -> Geometry:
    return shapely.set_precision(geometry, size)


def _wkt(geometry: Geometry, precision: int = 6) -> str:
    head, bracket, rest = str(shapely.to_wkt(geometry, rounding_precision=int(precision))).partition("(")
    return head.replace(" ", "") + bracket + rest if bracket else head


def _ring(geometry: Geometry, number: int) -> Geometry | None:
    return shapely.get_interior_ring(geometry, int(number) - 1)


_PREDICATES: Mapping[str, Callable[..., object]] = {
    "intersects": shapely.intersects,
    "contains": shapely.contains,
    "within": shapely.within,
    "touches": shapely.touches,
    "crosses": shapely.crosses,
    "overlaps": shapely.overlaps,
    "disjoint": shapely.disjoint,
    "equals": shapely.equals,
    "covers": shapely.covers,
    "coveredby": shapely.covered_by,
    "isempty": shapely.is_empty,
    "isvalid": shapely.is_valid,
    "issimple": shapely.is_simple,
    "isclosed": shapely.is_closed,
    "isring": shapely.is_ring,
    "ptdistwithin": lambda a, b, distance, *_: shapely.dwithin(a, b, distance),
    "dwithin": shapely.dwithin,
    "mbrintersects": lambda a, b: shapely.intersects(shapely.envelope(a), shapely.envelope(b)),
    "mbrcontains": lambda a, b: shapely.covers(shapely.envelope(a), shapely.envelope(b)),
    "mbrwithin": lambda a, b: shapely.covered_by(shapely.envelope(a), shapely.envelope(b)),
}

_FUNCTIONS: Mapping[str, Callable[..., object]] = {
    "geomfromtext": _from_text,
    "geometryfromtext": _from_text,
    "geomfromwkb": _from_binary,
    "geomfromgeojson": lambda text: shapely.from_geojson(text),
    "point": _point,
    "makepoint": _point,
    "makepointz": _point,
    "makeline": lambda a, b: shapely.LineString([*a.coords, *b.coords]),
    "makepolygon": lambda line: shapely.Polygon(line.coords),
    "buildmbr": _box,
    "makeenvelope": _box,
    "setsrid": _with_srid,
    "srid": shapely.get_srid,
    "transform": _transform,
    "x": shapely.get_x,
    "y": shapely.get_y,
    "z": shapely.get_z,
    "minx": lambda g: g.bounds[0],
    "miny": lambda g: g.bounds[1],
    "maxx": lambda g: g.bounds[2],
    "maxy": lambda g: g.bounds[3],
    "mbrminx": lambda g: g.bounds[0],
    "mbrminy": lambda g: g.bounds[1],
    "mbrmaxx": lambda g: g.bounds[2],
    "mbrmaxy": lambda g: g.bounds[3],
    "area": shapely.area,
    "length": _length,
    "glength": _length,
    "perimeter": _perimeter,
    "distance": shapely.distance,
    "hausdorffdistance": shapely.hausdorff_distance,
    "azimuth": lambda a, b: (np.pi / 2 - np.arctan2(b.y - a.y, b.x - a.x)) % (2 * np.pi),
    "dimension": shapely.get_dimensions,
    "geometrytype": _type_name,
    "astext": _wkt,
    "aswkt": _wkt,
    "asbinary": lambda g: shapely.to_wkb(g),
    "asgeojson": lambda g, *_: shapely.to_geojson(g),
    "numgeometries": shapely.get_num_geometries,
    "geometryn": lambda g, n: shapely.get_geometry(g, int(n) - 1),
    "numpoints": shapely.get_num_coordinates,
    "npoints": shapely.get_num_coordinates,
    "pointn": lambda g, n: shapely.get_point(g, int(n) - 1),
    "startpoint": lambda g: shapely.get_point(g, 0),
    "endpoint": lambda g: shapely.get_point(g, -1),
    "exteriorring": shapely.get_exterior_ring,
    "interiorringn": _ring,
    "numinteriorring": shapely.get_num_interior_rings,
    "numinteriorrings": shapely.get_num_interior_rings,
    "buffer": _buffer,
    "centroid": shapely.centroid,
    "pointonsurface": shapely.point_on_surface,
    "envelope": shapely.envelope,
    "convexhull": shapely.convex_hull,
    "boundary": shapely.boundary,
    "simplify": lambda g, tolerance: shapely.simplify(g, tolerance, preserve_topology=False),
    "simplifypreservetopology": shapely.simplify,
    "union": shapely.union,
    "intersection": shapely.intersection,
    "difference": shapely.difference,
    "symdifference": shapely.symmetric_difference,
    "collect": lambda a, b: shapely.GeometryCollection([a, b]),
    "unaryunion": shapely.unary_union,
    "linemerge": shapely.line_merge,
    "makevalid": shapely.make_valid,
    "reverse": shapely.reverse,
    "multi": _multi,
    "casttomulti": _multi,
    "force2d": shapely.force_2d,
    "casttoxy": shapely.force_2d,
    "segmentize": _segmentized,
    "snaptogrid": _snapped,
    "closestpoint": lambda a, b: shapely.get_point(shapely.shortest_line(a, b), 0),
    "shortestline": shapely.shortest_line,
    "translate": lambda g, x, y, *_: shapely.transform(g, lambda xy: np.add(xy, (x, y))),
    "line_interpolate_point": lambda g, at: shapely.line_interpolate_point(g, at, normalized=True),
    "line_locate_point": lambda g, point: shapely.line_locate_point(g, point, normalized=True),
    "relate": shapely.relate,
}
"""By SpatiaLite's name in lower case, without ``st_``."""


def _line_of(shapes: Sequence[Geometry]) -> Geometry:
    return shapely.LineString([xy for shape in shapes for xy in shape.coords])


def _collected(shapes: Sequence[Geometry]) -> Geometry:
    names = {shape.geom_type for shape in shapes}
    return _MULTI.get(names.pop() if len(names) == 1 else "", shapely.GeometryCollection)(list(shapes))


_AGGREGATES: Mapping[str, Callable[[Sequence[Geometry]], Geometry]] = {
    "union": lambda shapes: shapely.union_all(list(shapes)),
    "collect": _collected,
    "extent": lambda shapes: shapely.box(*shapely.total_bounds(list(shapes))),
    "makeline": _line_of,
}


def _aggregate(merge: Callable[[Sequence[Geometry]], Geometry]) -> Callable[[], Aggregate]:
    class Merged:
        """The geometries of a group, merged at its end; NULLs are left out."""

        def __init__(self) -> None:
            self._shapes: list[Geometry] = []

        def step(self, value: SqlValue) -> None:
            shape = _read(value)
            if isinstance(shape, Geometry):
                self._shapes.append(shape)

        def finalize(self) -> SqlValue:
            if not self._shapes:
                return None
            try:
                return _written(merge(self._shapes), int(shapely.get_srid(self._shapes[0])))
            except _FAULTS:
                return None

    return Merged
