"""The general WKB reader: any type, any byte order, nested; one step of Python per ring.

``wkb.decode`` comes here only with what its array path can't take: holes, several parts, collections, curves.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from qgserver.geo.curves import straighten
from qgserver.geo.geometry import (
    COLLECTION,
    LINESTRING,
    MULTILINESTRING,
    MULTIPOLYGON,
    NULL,
    POINT,
    POLYGON,
    Floats,
    GeometryArray,
    Ints,
)

CIRCULARSTRING, COMPOUNDCURVE, CURVEPOLYGON, MULTICURVE, MULTISURFACE = range(8, 13)
POLYHEDRALSURFACE, TIN, TRIANGLE = range(15, 18)

STRAIGHT_TYPES = {
    **{t: t for t in range(POINT, COLLECTION + 1)},
    CIRCULARSTRING: LINESTRING,
    COMPOUNDCURVE: LINESTRING,
    CURVEPOLYGON: POLYGON,
    MULTICURVE: MULTILINESTRING,
    MULTISURFACE: MULTIPOLYGON,
    POLYHEDRALSURFACE: MULTIPOLYGON,
    TIN: MULTIPOLYGON,
    TRIANGLE: POLYGON,
}
"""WKB's type number (without dimensions) -> the type it becomes here."""

_CURVES = (LINESTRING, CIRCULARSTRING, COMPOUNDCURVE)
_MAX_DEPTH = 16
_ENVELOPES = (0, 32, 48, 48, 64)
_WORDS = (struct.Struct(">I"), struct.Struct("<I"))


def split_type(code: int) -> tuple[int, bool, bool, bool]:
    """A WKB type word -> (type, has z, has m, an SRID follows); EWKB flags and ISO thousands alike."""
    plain = code & 0x0FFFFFFF
    z = bool(code & 0x80000000) or plain // 1000 in (1, 3)
    m = bool(code & 0x40000000) or plain // 1000 in (2, 3)
    return plain % 1000, z, m, bool(code & 0x20000000)


def envelope_header(blob: bytes) -> int:
    """Bytes before the WKB: the GeoPackage header's length, 0 for plain WKB."""
    if blob[:2] != b"GP":
        return 0
    code = (blob[3] >> 1) & 7
    if code >= len(_ENVELOPES):
        raise ValueError("GeoPackage header with an unknown envelope")
    return 8 + _ENVELOPES[code]


def walk(blobs: Iterable[bytes]) -> GeometryArray:
    """Decode one by one; what is broken becomes a null geometry, as in QGIS."""
    walker = _Walker()
    for blob in blobs:
        walker.add(blob)
    return walker.finish()


@dataclass(slots=True)
class _Cursor:
    data: memoryview
    at: int
    word: struct.Struct = _WORDS[1]
    dims: int = 2
    code: int = 0

    def count(self) -> int:
        (value,) = self.word.unpack_from(self.data, self.at)
        self.at += 4
        return int(value)

    def header(self) -> int:
        """Read byte order, type and SRID; set the dimensions; return the type."""
        self.word = _WORDS[self.data[self.at] & 1]
        self.at += 1
        kind, z, m, srid = split_type(self.count())
        self.dims = 2 + z + m
        self.code = z + 2 * m
        self.at += 4 * srid
        return kind

    def vertices(self, count: int) -> memoryview | bytes:
        """``count`` vertices as little-endian doubles."""
        end = self.at + count * self.dims * 8
        if end > len(self.data):
            raise ValueError("WKB ends too early")
        chunk = self.data[self.at : end]
        self.at = end
        return chunk if self.word is _WORDS[1] else np.frombuffer(chunk, ">f8").astype("<f8").tobytes()


@dataclass(slots=True)
class _Walker:
    types: list[int] = field(default_factory=list)
    feature_parts: list[int] = field(default_factory=list)
    part_types: list[int] = field(default_factory=list)
    part_rings: list[int] = field(default_factory=list)
    ring_sizes: list[int] = field(default_factory=list)
    ring_codes: list[int] = field(default_factory=list)
    chunks: list[memoryview | bytes] = field(default_factory=list)

    def add(self, blob: bytes) -> None:
        parts, rings = len(self.part_types), len(self.ring_sizes)
        try:
            kind = self._geometry(_Cursor(memoryview(blob), envelope_header(blob)), 0)
        except (struct.error, ValueError, IndexError):
            kind = NULL
            del self.part_types[parts:], self.part_rings[parts:]
            del self.ring_sizes[rings:], self.ring_codes[rings:], self.chunks[rings:]
        self.types.append(kind)
        self.feature_parts.append(len(self.part_types) - parts)

    def _geometry(self, cursor: _Cursor, depth: int) -> int:
        kind = cursor.header()
        if kind not in STRAIGHT_TYPES or depth > _MAX_DEPTH:
            raise ValueError(f"WKB type {kind} is unknown or nested too deeply")
        if kind == POINT:
            chunk = cursor.vertices(1)
            if not np.isnan(np.frombuffer(chunk, "<f8")[0]):
                self._ring(chunk, 1, cursor.code)
                self._part(POINT, 1)
        elif kind in (POLYGON, TRIANGLE):
            self._polygon(cursor)
        elif kind == CURVEPOLYGON:
            rings = sum(self._curve(cursor, cursor.header(), depth) for _ in range(cursor.count()))
            self._part(POLYGON, rings)
        elif kind in _CURVES:
            self._part(LINESTRING, self._curve(cursor, kind, depth))
        else:
            for _ in range(cursor.count()):
                self._geometry(cursor, depth + 1)
        return STRAIGHT_TYPES[kind]

    def _polygon(self, cursor: _Cursor) -> None:
        rings = 0
        for _ in range(cursor.count()):
            size = cursor.count()
            if size:
                self._ring(cursor.vertices(size), size, cursor.code)
                rings += 1
        self._part(POLYGON, rings)

    def _curve(self, cursor: _Cursor, kind: int, depth: int) -> int:
        """Read one line of any kind as one sequence; returns how many were made (0 when it is empty)."""
        if kind == LINESTRING:
            size = cursor.count()
            chunk = cursor.vertices(size)
        else:
            line = self._curved(cursor, kind, depth)
            size, chunk = len(line), line.astype("<f8").tobytes()
        if size:
            self._ring(chunk, size, cursor.code)
        return int(size > 0)

    def _curved(self, cursor: _Cursor, kind: int, depth: int) -> Floats:
        if kind in (LINESTRING, CIRCULARSTRING):
            chunk = cursor.vertices(cursor.count())
            points = np.frombuffer(chunk, "<f8").reshape(-1, cursor.dims)
            return points if kind == LINESTRING else straighten(points)
        if kind != COMPOUNDCURVE or depth > _MAX_DEPTH:
            raise ValueError("not a curve")
        members = [self._curved(cursor, cursor.header(), depth + 1) for _ in range(cursor.count())]
        members = [line for line in members if len(line)]
        # A member starts where the one before ends: that vertex is kept once.
        return np.concatenate([members[0], *(line[1:] for line in members[1:])]) if members else np.empty((0, 2))

    def _ring(self, chunk: memoryview | bytes, size: int, code: int) -> None:
        self.chunks.append(chunk)
        self.ring_sizes.append(size)
        self.ring_codes.append(code)

    def _part(self, kind: int, rings: int) -> None:
        if rings:
            self.part_types.append(kind)
            self.part_rings.append(rings)

    def finish(self) -> GeometryArray:
        coords, z, m = self._coordinates()
        types = np.array(self.types, np.uint8)
        return GeometryArray(
            types=types,
            coords=coords,
            rings=_ends(self.ring_sizes),
            parts=_ends(self.part_rings),
            features=_ends(self.feature_parts),
            z=z,
            m=m,
            part_types=np.array(self.part_types, np.uint8) if (types == COLLECTION).any() else None,
        )

    def _coordinates(self) -> tuple[Floats, Floats | None, Floats | None]:
        codes = set(self.ring_codes)
        if len(codes) <= 1:
            return split_axes(np.frombuffer(b"".join(self.chunks), "<f8"), codes.pop() if codes else 0)
        pieces = [split_axes(np.frombuffer(c, "<f8"), k) for c, k in zip(self.chunks, self.ring_codes, strict=True)]
        z, m = (
            np.concatenate([np.full(len(p[0]), np.nan) if p[axis] is None else p[axis] for p in pieces])
            if any(p[axis] is not None for p in pieces)
            else None
            for axis in (1, 2)
        )
        return np.concatenate([p[0] for p in pieces]), z, m


def split_axes(flat: NDArray[np.float64], code: int) -> tuple[Floats, Floats | None, Floats | None]:
    """Interleaved doubles -> (xy float64[v, 2], z, m). ``code`` bit 0: there is z, bit 1: there is m."""
    has_z, has_m = bool(code & 1), bool(code & 2)
    rows = flat.reshape(-1, 2 + has_z + has_m)
    xy = np.ascontiguousarray(rows[:, :2])
    return xy, rows[:, 2].copy() if has_z else None, rows[:, -1].copy() if has_m else None


def _ends(sizes: list[int]) -> Ints:
    """As ``offsets``, of a list: as fast as numpy with many, and much faster with few."""
    return np.fromiter(accumulate(sizes, initial=0), np.int64, len(sizes) + 1)
