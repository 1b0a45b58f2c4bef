"""Names of geometry types: QGIS's (``MultiPolygonZ``) from those of PostGIS, GeoPackage and OGR."""

from __future__ import annotations

_FAMILIES = {
    "Point": "POINT",
    "MultiPoint": "POINT",
    "LineString": "LINESTRING",
    "MultiLineString": "LINESTRING",
    "CircularString": "LINESTRING",
    "CompoundCurve": "LINESTRING",
    "MultiCurve": "LINESTRING",
    "Polygon": "POLYGON",
    "MultiPolygon": "POLYGON",
    "CurvePolygon": "POLYGON",
    "MultiSurface": "POLYGON",
    "Triangle": "POLYGON",
    "Tin": "POLYGON",
    "PolyhedralSurface": "POLYGON",
    "GeometryCollection": "COLLECTION",
    "NoGeometry": "",
}
_NAMES = {name.upper(): name for name in _FAMILIES} | {"LINEARRING": "LineString", "NONE": "NoGeometry"}
_DIMENSIONS = ("ZM", "Z", "M")


def qgis_name(name: str) -> str:
    """QGIS's spelling of a geometry type, "" for what is none (``GEOMETRY``, ``Unknown``).

    >>> qgis_name("MULTIPOLYGON Z"), qgis_name("LineString25D"), qgis_name("GEOMETRY")
    ('MultiPolygonZ', 'LineStringZ', '')
    """
    plain = name.upper().replace(" ", "").replace("25D", "Z").removeprefix("3D") + ("Z" if name[:2] == "3D" else "")
    for suffix in ("", *_DIMENSIONS):
        base = _NAMES.get(plain.removesuffix(suffix)) if plain.endswith(suffix) else None
        if base is not None:
            return base + suffix
    return ""


def family(name: str) -> str:
    """``POINT``, ``LINESTRING``, ``POLYGON`` or ``COLLECTION`` of a QGIS name; "" for none and for mixed types."""
    return _FAMILIES.get(name.rstrip("ZM"), "")
