"""What a client sends for a property, as the data source takes it."""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Callable, Sequence
from decimal import Decimal

import numpy as np
import orjson
import shapely
from shapely.geometry.base import BaseGeometry

from qgserver.errors import OwsError
from qgserver.geo.crs import Crs
from qgserver.geo.geometry import Floats
from qgserver.geo.transform import get_transform
from qgserver.ows.crs import find_crs, read_swapped
from qgserver.ows.gmlread import ReadGeometry
from qgserver.ows.wfs.featuretype import Property
from qgserver.providers.protocol import Field

# -- attributes -----------------------------------------------------------------------------------------------------

_INTEGER = re.compile(r"[+-]?[0-9]{1,19}(?:\.0*)?")
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,4})?")


def read_value(text: str, item: Property, field: Field) -> object:
    """The value that a text means for a property. Raises ``OwsError`` InvalidValue."""
    convert = _CONVERT.get(field.type)
    if convert is None:
        raise OwsError("InvalidValue", f"Property {item.name} can't be written.")
    try:
        return convert(text, item, field)
    except (ValueError, OverflowError):
        raise OwsError("InvalidValue", f"{text[:80]!r} is no value for property {item.name}.") from None


def _whole(bits: int) -> Callable[[str, Property, Field], int]:
    limit = 2 ** (bits - 1)

    def read(text: str, item: Property, field: Field) -> int:
        word = text.strip()
        if not _INTEGER.fullmatch(word):
            raise ValueError(word)
        number = int(word.partition(".")[0])
        if not -limit <= number < limit:
            raise OverflowError(word)
        return number

    return read


def _double(text: str, item: Property, field: Field) -> float | Decimal:
    """A number; for ``numeric`` columns all its digits."""
    word = text.strip()
    if not _NUMBER.fullmatch(word) or math.isinf(float(word)):
        raise ValueError(word)
    return Decimal(word) if field.type_name == "numeric" else float(word)


def _boolean(text: str, item: Property, field: Field) -> bool:
    word = text.strip().lower()
    if word not in _TRUTH:
        raise ValueError(word)
    return _TRUTH[word]


_TRUTH = {"true": True, "1": True, "false": False, "0": False}


def _string(text: str, item: Property, field: Field) -> str:
    if 0 < field.length < len(text):
        raise ValueError(f"longer than {field.length}")
    return text


def _iso(text: str) -> str:
    """A date as ISO has it: GDAL's WFS driver writes ``2022/02/03 04:05:06``."""
    return text.strip().replace("/", "-")


def _date(text: str, item: Property, field: Field) -> dt.date:
    word = _iso(text)
    if len(word) > 10 and word[10] not in "TZ+- ":
        raise ValueError(word)
    return dt.date.fromisoformat(word[:10])


def _time(text: str, item: Property, field: Field) -> dt.time:
    return dt.time.fromisoformat(text.strip()).replace(tzinfo=None)


def _datetime(text: str, item: Property, field: Field) -> dt.datetime:
    """An instant. Those with a zone are counted in UTC, as they are written; without one the clock time stays."""
    value = dt.datetime.fromisoformat(_iso(text))
    if value.tzinfo is None:
        return value.replace(tzinfo=dt.UTC) if item.zone else value
    value = value.astimezone(dt.UTC)
    return value if item.zone else value.replace(tzinfo=None)


def _json(*kinds: type) -> Callable[[str, Property, Field], object]:
    def read(text: str, item: Property, field: Field) -> object:
        value = orjson.loads(text)
        if not isinstance(value, kinds):
            raise ValueError("another kind of JSON")
        return value

    return read


_CONVERT: dict[str, Callable[[str, Property, Field], object]] = {
    "bool": _boolean,
    "int": _whole(32),
    "int64": _whole(64),
    "double": _double,
    "string": _string,
    "date": _date,
    "time": _time,
    "datetime": _datetime,
    "list": _json(list),
    "map": _json(dict, list),
}
"""``Field.type`` -> reader. Binary values have no form in WFS (they are answered as nil)."""


# -- geometry -------------------------------------------------------------------------------------------------------

MAX_CRS = 20
"""CRSs in one action: a transformation takes long to find."""
_TYPE = re.compile(r"(.*?)(25D|ZM|Z|M)?")
_ANY = ("", "Unknown", "Geometry")


def shapes(given: Sequence[ReadGeometry | None], srs_name: str, crs: Crs | None, kind: str) -> list[bytes | None]:
    """The geometries as WKB in the layer's ``crs``, x before y, of the layer's type ``kind`` (QGIS's WKB name): single
    ones become multi where the layer is, multi ones of a single part single; z is added (0) or dropped. Geometries
    without a CRS are in ``srs_name``, "" = the layer's. Raises ``OwsError`` InvalidValue."""
    geometries = np.array([None if found is None else found.geometry for found in given], object)
    places: dict[str, list[int]] = {}
    for place, found in enumerate(given):
        if found is not None:
            places.setdefault(found.srs_name or srs_name, []).append(place)
    if len(places) > MAX_CRS:
        raise OwsError("InvalidValue", f"The geometries are in more than {MAX_CRS} CRSs.")
    for name, members in places.items():
        geometries[members] = _moved(geometries[members], name, crs)
    out = [None if geometry is None else _fitted(geometry, kind) for geometry in geometries]
    return [None if g is None else shapely.to_wkb(g, output_dimension=3, flavor="iso") for g in out]


def _moved(geometries: np.ndarray[tuple[int], np.dtype[np.object_]], name: str, crs: Crs | None) -> object:
    """Geometries that stand in the CRS ``name`` in the layer's CRS."""
    if not name or crs is None:
        return geometries
    source = find_crs(name, "srsName")
    transform = get_transform(source, crs)
    # "http://www.opengis.net/gml/srs/epsg.xml#4326" is GML 2's form, and GML 2 has x before y.
    swapped = read_swapped(name, source) and "epsg.xml#" not in name
    if transform is None and not swapped:
        return geometries

    def move(coords: Floats) -> Floats:
        xy = coords[:, 1::-1] if swapped else coords[:, :2]
        moved = np.ascontiguousarray(xy) if transform is None else transform.points(np.ascontiguousarray(xy))
        if not np.isfinite(moved).all():
            raise OwsError("InvalidValue", "A geometry lies outside the layer's CRS.")
        return np.column_stack((moved, coords[:, 2:]))

    solid = shapely.has_z(geometries)
    out = geometries.copy()
    out[solid] = shapely.transform(geometries[solid], move, include_z=True)
    out[~solid] = shapely.transform(geometries[~solid], move)
    return out


def _fitted(geometry: BaseGeometry, kind: str) -> BaseGeometry:
    """The geometry as the layer's type."""
    match = _TYPE.fullmatch(kind)
    plain, dimensions = (match[1], match[2] or "") if match else (kind, "")
    if "M" in dimensions:
        raise OwsError("InvalidValue", "The layer's geometries have measures; these can't be written.")
    if plain in _ANY:
        return geometry
    fitted = _as_type(geometry, plain)
    if fitted is None:
        raise OwsError("InvalidValue", f"A {geometry.geom_type} is no geometry for a layer of {plain}.")
    return shapely.force_3d(fitted) if dimensions else shapely.force_2d(fitted)


def _as_type(geometry: BaseGeometry, plain: str) -> BaseGeometry | None:
    own = geometry.geom_type.replace("LinearRing", "LineString")
    if own == plain:
        return geometry
    gather = _GATHER.get(plain)
    if gather is not None and plain in (f"Multi{own}", "GeometryCollection"):
        collected: BaseGeometry = gather([geometry])
        return collected
    parts = shapely.get_parts(geometry)
    return parts[0] if own == f"Multi{plain}" and len(parts) == 1 else None


_GATHER: dict[str, Callable[..., BaseGeometry]] = {
    "MultiPoint": shapely.multipoints,
    "MultiLineString": shapely.multilinestrings,
    "MultiPolygon": shapely.multipolygons,
    "GeometryCollection": shapely.geometrycollections,
}
