"""Families of geometry types."""

from __future__ import annotations

from qgserver.geo.geometry import LINESTRING, MULTILINESTRING, MULTIPOINT, MULTIPOLYGON, POINT, POLYGON

FAMILIES: dict[str, tuple[int, ...]] = {
    "POINT": (POINT, MULTIPOINT),
    "LINESTRING": (LINESTRING, MULTILINESTRING),
    "POLYGON": (POLYGON, MULTIPOLYGON),
}
"""Family -> the types (``GeometryArray.types``) in it. A layer that is pinned to a type shows its whole family."""

_MEMBERS = {
    "POINT": ("Point", "MultiPoint"),
    "LINESTRING": ("LineString", "MultiLineString", "CircularString", "CompoundCurve", "MultiCurve"),
    "POLYGON": (
        "Polygon", "MultiPolygon", "CurvePolygon", "MultiSurface", "Triangle", "PolyhedralSurface", "Tin", "TIN",
    ),
}  # fmt: skip
_FAMILY_OF = {name: family for family, names in _MEMBERS.items() for name in names}


def family(name: str) -> str:
    """``POINT``, ``LINESTRING`` or ``POLYGON`` of a QGIS type name, dimensions or not; "" for all others.

    >>> family("MultiPolygonZM"), family("GeometryCollection")
    ('POLYGON', '')
    """
    return _FAMILY_OF.get(name, "") or _FAMILY_OF.get(name.rstrip("ZM"), "")
