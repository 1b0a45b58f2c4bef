"""GML 2.1.2, 3.1.1 and 3.2.1 geometry and envelopes, a batch at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np

from qgserver.geo.geometry import COLLECTION, LINESTRING, POINT, POLYGON, Floats, GeometryArray
from qgserver.ows.geometrytext import (
    FIRST_IN_FEATURE,
    FIRST_IN_PART,
    HOLE,
    Markup,
    as_multi,
    make_markup,
    member_kind,
    rounded,
    tuple_texts,
    wrap,
)
from qgserver.ows.xmlio import quote

GmlVersion = Literal[2, 3]


@dataclass(frozen=True, slots=True)
class GmlStyle:
    """How geometry is written: GML 2 or 3, ``srs_name`` as it shall appear ("" = none), decimals, whether y (north)
    comes first, and whether the layer is declared multi, so that single parts are wrapped into the multi type.
    ``ids``: as GML 3.2 wants it, every geometry has a ``gml:id``, a NUL each that ``with_ids`` fills.
    """

    version: GmlVersion
    srs_name: str
    precision: int
    swap: bool = False
    multi: bool = False
    ids: bool = False

    @property
    def srs_attribute(self) -> str:
        return f" srsName={quote(self.srs_name)}" if self.srs_name else ""

    @property
    def id_attribute(self) -> str:
        return ' gml:id="\0"' if self.ids else ""


_SEPARATORS: dict[GmlVersion, tuple[bytes, bytes]] = {2: (b",", b" "), 3: (b" ", b" ")}
_MEMBERS = {
    2: {
        4: ("MultiPoint", "pointMember"),
        5: ("MultiLineString", "lineStringMember"),
        6: ("MultiPolygon", "polygonMember"),
    },
    3: {4: ("MultiPoint", "pointMember"), 5: ("MultiCurve", "curveMember"), 6: ("MultiSurface", "surfaceMember")},
}
_KINDS = {POINT: "Point", LINESTRING: "LineString", POLYGON: "Polygon"}
_RINGS = {2: ("outerBoundaryIs", "innerBoundaryIs"), 3: ("exterior", "interior")}


def geometry_texts(geometry: GeometryArray, style: GmlStyle) -> list[bytes]:
    """One GML element per feature, without line breaks; ``b""`` where there is no geometry.

    GML 2 has two dimensions only (so has QGIS's); GML 3 writes z where the geometry has it.
    """
    types = as_multi(geometry.types) if style.multi else geometry.types
    rows = _axes(geometry.coords, style.swap)
    if geometry.z is not None and style.version == 3:
        rows = np.column_stack((rows, geometry.z))
    rings = tuple_texts(rounded(rows, style.precision), geometry.rings, _SEPARATORS[style.version])
    return wrap(geometry, types, rings, _markup(style.version, style.srs_attribute, style.id_attribute, rows.shape[1]))


def with_ids(texts: Sequence[bytes], ids: Sequence[bytes]) -> list[bytes]:
    """The geometries of features with their own ``gml:id``, made of that of each feature."""
    return [
        text.replace(b"\0", b"geometry." + fid) if text.count(b"\0") < 2 else _numbered(text, fid)
        for text, fid in zip(texts, ids, strict=True)
    ]


def _numbered(text: bytes, fid: bytes) -> bytes:
    first, *rest = text.split(b"\0")
    words = [first]
    for number, piece in enumerate(rest):
        words += (b"geometry.%d." % number, fid, piece)
    return b"".join(words)


def box_texts(boxes: Floats, style: GmlStyle) -> list[bytes]:
    """``gml:Box`` or ``gml:Envelope`` for each row of ``boxes`` (float64[n, 4], x before y); ``b""`` for NaN."""
    corners = _axes(boxes.reshape(-1, 2), style.swap)
    groups = np.arange(0, len(corners) + 1, 2 if style.version == 2 else 1)
    texts = tuple_texts(rounded(corners, style.precision), groups, _SEPARATORS[style.version])
    present = ~np.isnan(boxes[:, 0])
    if style.version == 2:
        start = f'<gml:Box{style.srs_attribute}><gml:coordinates cs="," ts=" ">'.encode()
        out = [start + text + b"</gml:coordinates></gml:Box>" for text in texts]
    else:
        start = f"<gml:Envelope{style.srs_attribute}><gml:lowerCorner>".encode()
        middle, end = b"</gml:lowerCorner><gml:upperCorner>", b"</gml:upperCorner></gml:Envelope>"
        pairs = zip(texts[0::2], texts[1::2], strict=True)
        out = [b"".join((start, lower, middle, upper, end)) for lower, upper in pairs]
    return out if present.all() else [text if ok else b"" for text, ok in zip(out, present.tolist(), strict=True)]


def _axes(rows: Floats, swap: bool) -> Floats:
    return rows[:, ::-1] if swap else rows


@lru_cache(maxsize=64)
def _markup(version: GmlVersion, srs_attribute: str, id_attribute: str, dimension: int) -> Markup:
    outer, inner = _RINGS[version]
    if version == 2:
        before, after = '<gml:coordinates cs="," ts=" ">', "</gml:coordinates>"
        positions = dict.fromkeys(_KINDS, (before, after))
    else:
        line = (f'<gml:posList srsDimension="{dimension}">', "</gml:posList>")
        positions = {
            POINT: (f'<gml:pos srsDimension="{dimension}">', "</gml:pos>"),
            LINESTRING: line,
            POLYGON: line,
        }

    def boundary(bits: int) -> str:
        return inner if bits & HOLE else outer

    def container(shape: int) -> tuple[str, str] | None:
        return ("MultiGeometry", "geometryMember") if shape >= COLLECTION else _MEMBERS[version].get(shape)

    def opening(shape: int, bits: int) -> bytes:
        kind, around = member_kind(shape), container(shape)
        if not kind:
            return b""
        words: list[str] = []
        if around and bits & FIRST_IN_FEATURE:
            words.append(f"<gml:{around[0]}{id_attribute}{srs_attribute}>")
        if bits & FIRST_IN_PART:
            before, own = (f"<gml:{around[1]}>", "") if around else ("", srs_attribute)
            words.append(f"{before}<gml:{_KINDS[kind]}{id_attribute}{own}>")
        if kind == POLYGON:
            words.append(f"<gml:{boundary(bits)}><gml:LinearRing>")
        return "".join((*words, positions[kind][0])).encode()

    def closing(shape: int, bits: int) -> bytes:
        kind, around = member_kind(shape), container(shape)
        if not kind:
            return b""
        words = [positions[kind][1]]
        if kind == POLYGON:
            words.append(f"</gml:LinearRing></gml:{boundary(bits)}>")
        if bits & FIRST_IN_PART:
            words.append(f"</gml:{_KINDS[kind]}>" + (f"</gml:{around[1]}>" if around else ""))
        if around and bits & FIRST_IN_FEATURE:
            words.append(f"</gml:{around[0]}>")
        return "".join(words).encode()

    return make_markup(opening, closing)


def bounded_by(boxes: Sequence[bytes], indent: bytes) -> list[bytes]:
    """``gml:boundedBy`` lines around boxes; ``b""`` stays ``b""``."""
    start, end = indent + b"<gml:boundedBy>", b"</gml:boundedBy>\n"
    return [start + box + end if box else b"" for box in boxes]
