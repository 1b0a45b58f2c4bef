"""Geometry values: shapely's own, and ``Special`` for the types GEOS does not know (triangles, curves); WKT, WKB."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from qgserver.geo.curves import straighten

_CODES = {
    "Point": 1,
    "LineString": 2,
    "Polygon": 3,
    "MultiPoint": 4,
    "MultiLineString": 5,
    "MultiPolygon": 6,
    "GeometryCollection": 7,
    "CircularString": 8,
    "CompoundCurve": 9,
    "CurvePolygon": 10,
    "MultiCurve": 11,
    "MultiSurface": 12,
    "Triangle": 17,
}
"""QGIS's names of the types and their WKB codes."""

_NAMES = {code: name for name, code in _CODES.items()}
_BY_UPPER = {name.upper(): name for name in _CODES}
_PLAIN = frozenset(name for name, code in _CODES.items() if code <= 7)
_MEMBER = {
    "Polygon": "LineString",
    "Triangle": "LineString",
    "MultiPoint": "Point",
    "MultiLineString": "LineString",
    "MultiPolygon": "Polygon",
    "CompoundCurve": "LineString",
    "CurvePolygon": "LineString",
    "MultiCurve": "LineString",
    "MultiSurface": "Polygon",
}
"""What a member without a name of its own is."""

_LINES = frozenset({"Point", "LineString", "CircularString"})
_MIXED = frozenset({"GeometryCollection", "CompoundCurve", "CurvePolygon", "MultiCurve", "MultiSurface"})

Coordinates = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Shape:
    """A geometry taken apart: ``points`` float64[n, 2..4] for points and lines, ``parts`` for the rest (rings of
    polygons are LineStrings)."""

    kind: str
    has_z: bool
    has_m: bool
    points: Coordinates | None = None
    parts: tuple[Shape, ...] = ()

    @property
    def is_empty(self) -> bool:
        return not len(self.points) if self.points is not None else all(part.is_empty for part in self.parts)


@dataclass(frozen=True, slots=True, eq=False)
class Special:
    """A geometry of a type GEOS lacks; ``linear`` is what calculations use: the same with straight segments."""

    shape: Shape
    linear: BaseGeometry

    @property
    def geom_type(self) -> str:
        return self.shape.kind


Geometry = Any
"""A shapely geometry. Its stubs have one class per type, and the types of values are only known at run time: this
border is Any."""

AnyGeometry = Any
"""A shapely geometry or a ``Special``."""


def straightened(geometry: AnyGeometry) -> Geometry:
    """The shapely geometry to calculate with: a special one with straight segments."""
    return geometry.linear if isinstance(geometry, Special) else geometry


def type_name(geometry: AnyGeometry) -> str:
    """QGIS's name of the type: ``PointZM``, ``CurvePolygon``. A LinearRing is a LineString."""
    if isinstance(geometry, Special):
        return geometry.geom_type + "Z" * geometry.shape.has_z + "M" * geometry.shape.has_m
    kind = "LineString" if geometry.geom_type == "LinearRing" else str(geometry.geom_type)
    return kind + "Z" * bool(geometry.has_z) + "M" * bool(geometry.has_m)


def from_shape(shape: Shape) -> AnyGeometry:
    """The geometry of a shape. Raises shapely's error for what GEOS can't build."""
    if shape.kind in _PLAIN and all(part.kind in _PLAIN for part in shape.parts):
        if _buildable(shape):
            return shapely.from_wkb(b"".join(_encode(shape)))
        return Special(shape, shapely.from_wkb(b"".join(_encode(_closed(shape)))))
    return Special(shape, shapely.from_wkb(b"".join(_encode(_closed(_straight(shape))))))


def _buildable(shape: Shape) -> bool:
    """Whether GEOS takes the shape as it is: lines of two vertices, rings that end where they began."""
    if shape.kind == "LineString" and shape.points is not None:
        return len(shape.points) != 1
    if shape.kind == "Polygon":
        return all(r.points is None or (len(r.points) != 1 and _close(r.points) is r.points) for r in shape.parts)
    return all(_buildable(part) for part in shape.parts)


def _closed(shape: Shape) -> Shape:
    """The shape with every ring of a polygon ended where it began, and no line of a single vertex."""
    if shape.kind == "LineString" and shape.points is not None and len(shape.points) == 1:
        return Shape(shape.kind, shape.has_z, shape.has_m, np.concatenate([shape.points, shape.points]))
    if shape.kind == "Polygon":
        rings = tuple(Shape(r.kind, r.has_z, r.has_m, _close(r.points)) for r in shape.parts if r.points is not None)
        return Shape(shape.kind, shape.has_z, shape.has_m, None, rings)
    if shape.parts:
        return Shape(shape.kind, shape.has_z, shape.has_m, None, tuple(_closed(part) for part in shape.parts))
    return shape


def _close(points: Coordinates) -> Coordinates:
    if len(points) and (points[0, :2] != points[-1, :2]).any():
        return np.concatenate([points, points[:1]])
    return points


_STRAIGHT = {
    "CurvePolygon": "Polygon",
    "Triangle": "Polygon",
    "MultiCurve": "MultiLineString",
    "MultiSurface": "MultiPolygon",
}


def _straight(shape: Shape) -> Shape:
    """The same shape of plain types."""
    if shape.kind == "CircularString":
        assert shape.points is not None
        return Shape("LineString", shape.has_z, shape.has_m, straighten(shape.points))
    parts = tuple(_straight(part) for part in shape.parts)
    if shape.kind == "CompoundCurve":
        pieces = [
            part.points if at == 0 else part.points[1:] for at, part in enumerate(parts) if part.points is not None
        ]
        points = np.concatenate(pieces) if pieces else np.empty((0, 2))
        return Shape("LineString", shape.has_z, shape.has_m, points)
    return Shape(_STRAIGHT.get(shape.kind, shape.kind), shape.has_z, shape.has_m, shape.points, parts)


def to_shape(geometry: AnyGeometry) -> Shape:
    """The shape of a geometry."""
    if isinstance(geometry, Special):
        return geometry.shape
    has_z, has_m = bool(geometry.has_z), bool(geometry.has_m)

    def points(part: BaseGeometry) -> Coordinates:
        return np.asarray(shapely.get_coordinates(part, include_z=has_z, include_m=has_m), float)

    def build(part: BaseGeometry) -> Shape:
        kind = "LineString" if part.geom_type == "LinearRing" else str(part.geom_type)
        if kind in _LINES:
            return Shape(kind, has_z, has_m, points(part))
        members = shapely.get_rings(part) if kind == "Polygon" else shapely.get_parts(part)
        return Shape(kind, has_z, has_m, None, tuple(build(member) for member in members))

    return build(geometry)


# -- WKT ------------------------------------------------------------------------------------------------------------


def wkt(geometry: AnyGeometry, precision: int = 17) -> str:
    """QGIS's WKT with at most ``precision`` decimals."""
    return _text(to_shape(geometry), number_format(precision), True)


def number_format(precision: int) -> Callable[[float], str]:
    """A function that writes a number with at most that many decimals, without trailing zeros."""
    pattern = f"%.{max(precision, 0)}f"

    def text(value: float) -> str:
        if value != value:
            return "nan"
        written = pattern % value
        if "." in written:
            written = written.rstrip("0").rstrip(".")
        return "0" if written == "-0" else written

    return text


def _text(shape: Shape, number: Callable[[float], str], named: bool) -> str:
    name = f"{shape.kind}{'Z' * shape.has_z}{'M' * shape.has_m} " if named else ""
    if shape.is_empty:
        return name + "EMPTY" if named else "EMPTY"
    if shape.points is not None:
        return f"{name}({', '.join(' '.join(map(number, row)) for row in shape.points.tolist())})"
    mixed = shape.kind in _MIXED
    texts = [_text(part, number, mixed and part.kind != _MEMBER.get(shape.kind)) for part in shape.parts]
    return f"{name}({','.join(texts)})"


_WKT_TOKEN = re.compile(r"\s*([A-Za-z]+|[(),]|[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)", re.ASCII)
_TYPE = re.compile(r"([A-Z]+?)(Z?M?)(?:25D)?")


class _WktReader:
    """Reads one WKT; every problem is a ValueError."""

    def __init__(self, text: str) -> None:
        self.tokens = list(_tokens(text))
        self.at = 0

    def next(self) -> str:
        self.at += 1
        return self.tokens[self.at - 1] if self.at <= len(self.tokens) else ""

    def peek(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def read(self, default: str = "", depth: int = 0) -> Shape:
        """One geometry, with its name or (inside another) of the kind expected there."""
        if depth > 20:
            raise ValueError("nested too deeply")
        kind, dimensions = self.head() if self.peek().isalpha() and self.peek().upper() != "EMPTY" else (default, "")
        if not kind:
            raise ValueError("no type")
        if self.peek().upper() == "EMPTY":
            self.at += 1
            points = np.empty((0, 2 + len(dimensions))) if kind in _LINES else None
            return Shape(kind, "Z" in dimensions, "M" in dimensions, points)
        self.expect("(")
        if kind in _LINES:
            shape = self.points(kind, dimensions)
        else:
            parts = [self.member(kind, depth)]
            while self.peek() == ",":
                self.at += 1
                parts.append(self.member(kind, depth))
            first = next((part for part in parts if not part.is_empty), parts[0])
            shape = Shape(kind, "Z" in dimensions or first.has_z, "M" in dimensions or first.has_m, None, tuple(parts))
        self.expect(")")
        return shape

    def head(self) -> tuple[str, str]:
        match = _TYPE.fullmatch(self.next().upper())
        kind = _BY_UPPER.get(match.group(1)) if match else None
        if match is None or kind is None:
            raise ValueError("unknown type")
        dimensions = match.group(2)
        if self.peek().upper() in ("Z", "M", "ZM"):
            dimensions = self.next().upper()
        return kind, dimensions

    def member(self, kind: str, depth: int) -> Shape:
        if kind == "MultiPoint" and self.peek() not in ("(", "EMPTY"):  # MULTIPOINT (0 0, 1 1)
            return self.points("Point", "", single=True)
        return self.read(_MEMBER.get(kind, ""), depth + 1)

    def points(self, kind: str, dimensions: str, single: bool = False) -> Shape:
        rows = [self.vertex()]
        while not single and self.peek() == ",":
            self.at += 1
            rows.append(self.vertex())
        width = len(rows[0])
        if any(len(row) != width for row in rows) or (kind == "Point" and len(rows) > 1):
            raise ValueError("vertices differ")
        has_m = "M" in dimensions or width == 4
        has_z = "Z" in dimensions or width == 4 or (width == 3 and not has_m)
        if width != 2 + has_z + has_m:
            raise ValueError("wrong number of coordinates")
        return Shape(kind, has_z, has_m, np.array(rows, float))

    def vertex(self) -> list[float]:
        row: list[float] = []
        while self.peek() not in (",", ")", "("):
            row.append(float(self.next()))
        if not 2 <= len(row) <= 4:
            raise ValueError("wrong number of coordinates")
        return row

    def expect(self, token: str) -> None:
        if self.next() != token:
            raise ValueError(f"{token} missing")


def _tokens(text: str) -> Iterator[str]:
    at, end = 0, len(text.rstrip())
    while at < end:
        match = _WKT_TOKEN.match(text, at)
        if match is None:
            raise ValueError("unexpected character")
        yield match.group(1)
        at = match.end()


def from_wkt(text: str) -> AnyGeometry | None:
    """The geometry a WKT spells, None when it spells none."""
    try:
        reader = _WktReader(text)
        shape = reader.read()
        return from_shape(shape) if reader.at == len(reader.tokens) else None
    except (ValueError, shapely.errors.GEOSException):
        return None


# -- WKB ------------------------------------------------------------------------------------------------------------


def to_wkb(geometry: AnyGeometry) -> bytes:
    """ISO WKB, little endian."""
    return b"".join(_encode(to_shape(geometry)))


def _encode(shape: Shape) -> Iterator[bytes]:
    yield struct.pack("<BI", 1, _CODES[shape.kind] + 1000 * shape.has_z + 2000 * shape.has_m)
    width = 2 + shape.has_z + shape.has_m
    if shape.kind == "Point":
        points = shape.points if shape.points is not None and len(shape.points) else np.full((1, width), np.nan)
        yield points.astype("<f8").tobytes()
    elif shape.points is not None:
        yield struct.pack("<I", len(shape.points)) + shape.points.astype("<f8").tobytes()
    else:
        yield struct.pack("<I", len(shape.parts))
        for part in shape.parts:
            if shape.kind in ("Polygon", "Triangle") and part.points is not None:
                yield struct.pack("<I", len(part.points)) + part.points.astype("<f8").tobytes()
            else:
                yield from _encode(part)


def from_wkb(data: bytes) -> AnyGeometry | None:
    """The geometry of a WKB (ISO or EWKB), None when it is none."""
    try:
        if len(data) > 4:
            order = "<" if data[0] == 1 else ">"
            code = struct.unpack_from(order + "I", data, 1)[0]
            if (code & 0x0FFFFFFF) % 1000 > 7:
                shape, _ = _decode(data, 0, 0)
                return from_shape(shape)
        return shapely.from_wkb(data)
    except (ValueError, KeyError, struct.error, shapely.errors.GEOSException):
        return None


def _decode(data: bytes, at: int, depth: int) -> tuple[Shape, int]:
    """One geometry and the offset behind it; only for the types GEOS lacks and their members."""
    if depth > 20:
        raise ValueError("nested too deeply")
    order = "<" if data[at] == 1 else ">"
    code = struct.unpack_from(order + "I", data, at + 1)[0]
    kind, flags = _NAMES[code % 1000], code // 1000
    has_z, has_m = flags in (1, 3), flags in (2, 3)
    width = 2 + has_z + has_m
    at += 5

    def points(count: int, at: int) -> tuple[Coordinates, int]:
        array = np.frombuffer(data, order + "f8", count * width, at).reshape(count, width)
        return array.astype(float), at + count * width * 8

    if kind == "Point":
        row, at = points(1, at)
        return Shape(kind, has_z, has_m, row), at
    count = struct.unpack_from(order + "I", data, at)[0]
    at += 4
    if kind in _LINES:
        rows, at = points(count, at)
        return Shape(kind, has_z, has_m, rows), at
    parts: list[Shape] = []
    for _ in range(count):
        if kind in ("Polygon", "Triangle"):
            size = struct.unpack_from(order + "I", data, at)[0]
            rows, at = points(size, at + 4)
            parts.append(Shape("LineString", has_z, has_m, rows))
        else:
            part, at = _decode(data, at, depth + 1)
            parts.append(part)
    return Shape(kind, has_z, has_m, None, tuple(parts)), at
