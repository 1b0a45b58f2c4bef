"""GeoJSON geometry and boxes (RFC 7946), a batch at a time. Keys are in alphabetical order, as QGIS writes them."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from qgserver.geo.geometry import COLLECTION, LINESTRING, POINT, POLYGON, Floats, GeometryArray
from qgserver.ows.geometrytext import (
    FIRST_IN_FEATURE,
    FIRST_IN_PART,
    HOLE,
    Markup,
    array_texts,
    as_multi,
    make_markup,
    member_kind,
    rounded,
    wrap,
)

_NAMES = {
    POINT: "Point",
    LINESTRING: "LineString",
    POLYGON: "Polygon",
    4: "MultiPoint",
    5: "MultiLineString",
    6: "MultiPolygon",
}


def geometry_texts(geometry: GeometryArray, precision: int, *, multi: bool = False) -> list[bytes]:
    """One geometry object per feature, ``null`` where there is none. Coordinates are longitude, latitude[, height]."""
    types = as_multi(geometry.types) if multi else geometry.types
    rows = geometry.coords if geometry.z is None else np.column_stack((geometry.coords, geometry.z))
    rings = array_texts(rounded(rows, precision), geometry.rings)
    return [text or b"null" for text in wrap(geometry, types, rings, _markup())]


def box_texts(boxes: Floats, precision: int) -> list[bytes]:
    """``[west,south,east,north]`` for each row of float64[n, 4]."""
    return array_texts(rounded(boxes, precision), np.arange(len(boxes) + 1))


@lru_cache(maxsize=1)
def _markup() -> Markup:
    def opening(shape: int, bits: int) -> bytes:
        kind, words = member_kind(shape), ""
        if not kind:
            return b""
        member = shape > COLLECTION
        if bits & FIRST_IN_FEATURE:
            words += '{"geometries":[' if member else '{"coordinates":' + ("[" if shape > POLYGON else "")
        elif bits & FIRST_IN_PART:
            words += ","
        if bits & FIRST_IN_PART:
            words += ('{"coordinates":' if member else "") + ("[" if kind == POLYGON else "")
        if bits & HOLE:
            words += ","
        return (words + ("[" if kind != POINT else "")).encode()

    def closing(shape: int, bits: int) -> bytes:
        kind = member_kind(shape)
        if not kind:
            return b""
        member, words = shape > COLLECTION, "]" if kind != POINT else ""
        if bits & FIRST_IN_PART:
            words += ("]" if kind == POLYGON else "") + (f',"type":"{_NAMES[kind]}"}}' if member else "")
        if bits & FIRST_IN_FEATURE:
            words += '],"type":"GeometryCollection"}' if member else _end(shape)
        return words.encode()

    return make_markup(opening, closing)


def _end(shape: int) -> str:
    return ("]" if shape > POLYGON else "") + f',"type":"{_NAMES[shape]}"}}'
