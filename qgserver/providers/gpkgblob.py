"""The geometry blobs of GeoPackages (OGC 12-128r18 clause 2.1.3) as they are written, and the functions of SQL that the
triggers of a spatial index call."""

from __future__ import annotations

import math
import sqlite3
import struct
from collections.abc import Callable
from functools import lru_cache

import shapely

Box = tuple[float, float, float, float]
"""xmin, ymin, xmax, ymax."""

_LITTLE_ENDIAN, _ENVELOPE_XY, _EMPTY = 0x01, 0x02, 0x10
_ENVELOPE_DOUBLES = (0, 4, 6, 6, 8)


def encode(shape: bytes, srid: int) -> bytes:
    """A GeoPackage blob of a WKB geometry. Points do without an envelope, as GDAL writes them."""
    geometry = shapely.from_wkb(shape)
    if geometry.is_empty:
        return struct.pack("<2sBBi", b"GP", 0, _LITTLE_ENDIAN | _EMPTY, srid) + shape
    if geometry.geom_type == "Point":
        return struct.pack("<2sBBi", b"GP", 0, _LITTLE_ENDIAN, srid) + shape
    xmin, ymin, xmax, ymax = geometry.bounds
    header = struct.pack("<2sBBi4d", b"GP", 0, _LITTLE_ENDIAN | _ENVELOPE_XY, srid, xmin, xmax, ymin, ymax)
    return header + shape


@lru_cache(maxsize=4)  # a trigger asks five times for the same
def box(blob: object) -> Box | None:
    """The box of a blob, from its envelope if it has one; None when it is empty or no geometry."""
    if not isinstance(blob, bytes) or len(blob) < 8 or blob[:2] != b"GP":
        return None
    flags = blob[3]
    kind = (flags >> 1) & 7
    if flags & _EMPTY or kind >= len(_ENVELOPE_DOUBLES):
        return None
    start = 8 + 8 * _ENVELOPE_DOUBLES[kind]
    try:
        if kind:
            order = "<" if flags & _LITTLE_ENDIAN else ">"
            xmin, xmax, ymin, ymax = struct.unpack_from(f"{order}4d", blob, 8)
        else:
            xmin, ymin, xmax, ymax = shapely.bounds(shapely.from_wkb(blob[start:])).tolist()
    except (struct.error, shapely.errors.GEOSException):
        return None
    return None if math.isnan(xmin) else (xmin, ymin, xmax, ymax)


def register(connection: sqlite3.Connection) -> None:
    """Teach a connection the functions that GeoPackage's triggers rely on (annex F.3)."""

    def side(at: int) -> Callable[[object], float | None]:
        return lambda blob: None if (found := box(blob)) is None else found[at]

    def is_empty(blob: object) -> int | None:
        return None if blob is None else int(box(blob) is None)

    for name, at in (("ST_MinX", 0), ("ST_MinY", 1), ("ST_MaxX", 2), ("ST_MaxY", 3)):
        connection.create_function(name, 1, side(at), deterministic=True)
    connection.create_function("ST_IsEmpty", 1, is_empty, deterministic=True)
