"""Files that GDAL reads (Shapefile, GeoJSON, FlatGeobuf, GML, KML, SpatiaLite, ...): read whole, kept as columns."""

from __future__ import annotations

import math
import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyogrio.raw
from pyogrio.errors import CRSError, DataLayerError, DataSourceError, FeatureError, FieldError, GeometryError

from qgserver.errors import ProviderError
from qgserver.geo.crs import Crs
from qgserver.geo.extent import Extent
from qgserver.geo.geometry import LINESTRING, NULL, POLYGON, GeometryArray
from qgserver.geo.wkb import decode, nulls, take
from qgserver.providers import columnstore
from qgserver.providers.batch import Column
from qgserver.providers.cache import ByteCache
from qgserver.providers.columns import column
from qgserver.providers.dbf import column_sizes
from qgserver.providers.geometrytypes import FAMILIES, family
from qgserver.providers.protocol import Field, FieldType, Query, Schema
from qgserver.providers.resources import Resources
from qgserver.providers.sqlitefile import Stamp, stamp
from qgserver.providers.stored import StoredProvider
from qgserver.providers.uri import DataSource, geometry_type_name

_ERRORS = (DataSourceError, DataLayerError, FieldError, GeometryError, FeatureError, CRSError, OSError, ValueError)

_TYPES: Mapping[str, tuple[FieldType, str]] = {
    "OFSTBoolean": ("bool", "Boolean"),
    "OFSTJSON": ("map", "JSON"),
    "OFTInteger": ("int", "Integer"),
    "OFTInteger64": ("int64", "Integer64"),
    "OFTReal": ("double", "Real"),
    "OFTDate": ("date", "Date"),
    "OFTTime": ("time", "Time"),
    "OFTDateTime": ("datetime", "DateTime"),
    "OFTBinary": ("binary", "Binary"),
}
"""OGR's sub-type or type -> what it is to QGIS, and the word for it there. All others are text."""

_TYPE_NAMES = ("", "Point", "LineString", "Polygon", "MultiPoint", "MultiLineString", "MultiPolygon")


@dataclass(frozen=True, slots=True)
class _Form:
    """How a file is read: whether its geometries are shown as multi ones, the encoding of its texts ("" = it says);
    ``bounds``: the box of all its features, where its header has one (GDAL's and so QGIS's answer, though it may be
    wider than what is left in the file)."""

    multi: bool
    encoding: str
    bounds: Extent | None = None


class OgrProvider(StoredProvider):
    """An open layer. The file is not kept open; what was read of it is in the cache, under the file's stamp."""

    def __init__(self, source: DataSource, crs: Crs | None, cache: ByteCache) -> None:
        self._source = source
        self._crs = crs
        self._cache = cache
        self._lock = threading.Lock()
        self._inspected: tuple[Stamp, Schema, _Form] | None = None

    def schema(self) -> Schema:
        """See ``Provider``. Asked again when the file has changed."""
        return self._known()[1]

    def extent(self) -> Extent | None:
        """See ``Provider``."""
        bounds = None if self._source.subset else self._known()[2].bounds
        return bounds or self._shapes().extent()

    def _known(self) -> tuple[Stamp, Schema, _Form]:
        """The file's stamp, its schema and how to read it."""
        path = _file(self._source.path)
        moment = stamp(path, os.path.splitext(path)[0] + ".dbf")
        with self._lock:
            if self._inspected is None or self._inspected[0] != moment:
                self._inspected = (moment, *self._inspect())
            return self._inspected

    def _inspect(self) -> tuple[Schema, _Form]:
        with _errors():
            info = pyogrio.read_info(self._source.path, layer=self._layer())
            # A Shapefile does not tell single from multi (QGIS shows all lines and areas of one as multi), and perhaps
            # not its encoding: then the project's word counts, for names as for values.
            encoding = "" if info["encoding"] == "UTF-8" else self._source.encoding
            form = _Form(info["driver"] == "ESRI Shapefile", encoding, _bounds(info["total_bounds"]))
            meta = self._read(max_features=1, encoding=encoding or None)[0]
        sizes = column_sizes(self._source.path) if form.multi else {}
        fields = tuple(
            _field(str(name), kind, subtype, sizes.get(place, (0, 0)))
            for place, (name, kind, subtype) in enumerate(
                zip(meta["fields"], meta["ogr_types"], meta["ogr_subtypes"], strict=True)
            )
        )
        kind = _geometry_type(meta["geometry_type"])
        if form.multi and family(kind) in ("LINESTRING", "POLYGON"):
            kind = "Multi" + kind.removeprefix("Multi")
        if kind == "Unknown":
            kind = self._source.geometry_type.replace("Unknown", "") or self._found_type()
        return Schema(fields, kind, self._crs), form

    def _found_type(self) -> str:
        """The type all geometries have, the multi one when some are single; ``Unknown`` for several families."""
        with _errors():
            geometry = decode(self._read(columns=[])[2])
        types = set(np.unique(geometry.types[geometry.types != NULL]).tolist())
        if not types:
            return "NoGeometry"
        if not any(types <= set(members) for members in FAMILIES.values()):
            return "Unknown"
        dimensions = ("Z" if geometry.z is not None else "") + ("M" if geometry.m is not None else "")
        return _TYPE_NAMES[max(types)] + dimensions

    def table(self, query: Query, names: Sequence[str]) -> tuple[columnstore.Shapes, Mapping[str, Column]]:
        """See ``StoredProvider``."""
        moment, schema, _ = self._known()
        kinds = {field.name: field.type for field in schema.fields}
        shapes = self._shapes()
        columns = {name: self._cache.get(self._key(moment, name), Column) for name in names}
        missing = [name for name, kept in columns.items() if kept is None]
        if missing:
            for name, read in self._columns(shapes, missing, kinds).items():
                columns[name] = read
                self._keep(moment, name, read, columnstore.column_bytes(read))
        return shapes, {name: kept for name, kept in columns.items() if kept is not None}

    def _shapes(self) -> columnstore.Shapes:
        moment, _, form = self._known()
        kept = self._cache.get(self._key(moment, ""), columnstore.Shapes)
        if kept is not None:
            return kept
        with _errors():
            _, fids, blobs, _ = self._read(columns=[], encoding=form.encoding or None)
        geometry = nulls(len(fids)) if blobs is None else decode(blobs)
        types = FAMILIES.get(family(self._source.geometry_type), ())
        if types and not np.isin(geometry.types, types).all():
            shown = np.flatnonzero(np.isin(geometry.types, types))
            fids, geometry = fids[shown], take(geometry, shown)
        geometry = _as_multi(geometry) if form.multi else geometry
        shapes = columnstore.Shapes(np.asarray(fids, np.int64), geometry, np.ascontiguousarray(geometry.boxes().T))
        self._keep(moment, "", shapes, shapes.size)
        return shapes

    def _columns(
        self, shapes: columnstore.Shapes, names: Sequence[str], kinds: Mapping[str, FieldType]
    ) -> dict[str, Column]:
        encoding = self._known()[2].encoding
        with _errors():
            meta, fids, _, data = self._read(columns=list(names), read_geometry=False, encoding=encoding or None)
        places = np.searchsorted(fids, shapes.fids)
        if len(fids) < len(shapes.fids) or not np.array_equal(fids[places], shapes.fids):
            raise ProviderError("The layer's file changed while it was read")
        return {
            str(name): _column(values[places], kinds[str(name)])
            for name, values in zip(meta["fields"], data, strict=True)
            if str(name) in names
        }

    def _key(self, moment: Stamp, name: str) -> tuple[object, ...]:
        """Of a column, or "" for the geometry."""
        source = self._source
        return (source.path, moment, self._layer(), source.subset, source.geometry_type, name)

    def _keep(self, moment: Stamp, name: str, value: object, size: int) -> None:
        if moment.settled:
            self._cache.put(self._key(moment, name), value, size)

    def _layer(self) -> str | int | None:
        number = self._source.params.get("layerid", "")
        return self._source.table or (int(number) if number.isdecimal() else None)

    def _read(self, **options: Any) -> tuple[dict[str, Any], Any, Any, Any]:
        """``pyogrio.raw.read``: description, feature ids, WKB, columns."""
        subset = self._source.subset
        if subset[:7].upper().rstrip() == "SELECT":
            options["sql"] = subset
        else:
            options |= {"layer": self._layer(), "where": subset or None}
        if subset:
            # GDAL filters by no column that it was told to leave out.
            options.pop("columns", None)
        read: tuple[dict[str, Any], Any, Any, Any] = pyogrio.raw.read(
            self._source.path, return_fids=True, datetime_as_string=True, **options
        )
        return read


def _file(path: str) -> str:
    """The file of the system behind a path of GDAL (``/vsizip//data/a.zip/a.shp``: the archive)."""
    while path.startswith("/vsi"):
        path = "/" + path.split("/", 2)[-1].lstrip("/")
    while not os.path.exists(path) and os.path.isfile(os.path.dirname(path)):
        path = os.path.dirname(path)
    return path


@contextmanager
def _errors() -> Iterator[None]:
    try:
        yield
    except _ERRORS as error:
        raise ProviderError("The layer's file can't be read", detail=f"{type(error).__name__}: {error}") from error


def _field(name: str, kind: str, subtype: str, size: tuple[int, int]) -> Field:
    plain, word = _TYPES.get(subtype) or _TYPES.get(kind, ("string", "String"))
    return Field(name, plain, word, *size)


def _bounds(box: tuple[float, ...] | None) -> Extent | None:
    """GDAL's box; it has zeros or infinities for layers without features."""
    known = box is not None and all(map(math.isfinite, box)) and any(box)
    return Extent(*box) if known and box is not None else None


def _geometry_type(name: str | None) -> str:
    """OGR's name (``2.5D Point``, ``3D Measured Point``, ``Point Z``) as QGIS's."""
    if not name:
        return "NoGeometry"
    words = name.split()
    suffix = {"2.5D": "Z", "3D": "Z", "Z": "Z", "M": "M", "ZM": "ZM", "Measured": "M"}
    plain = next((word for word in words if word not in suffix), "")
    known = geometry_type_name(plain + "".join(suffix[word] for word in words if word in suffix))
    return known if plain != "Geometry" and known else "Unknown"


def _column(values: Any, kind: FieldType) -> Column:
    """An array of pyogrio as a column: integers with nulls come as floats, booleans as objects."""
    if kind in ("int", "int64", "double") and values.dtype.kind == "f":
        nulls = np.isnan(values)
        values = np.where(nulls, 0, values)
        dtype = {"int": np.int32, "int64": np.int64, "double": np.float64}[kind]
        return Column(values.astype(dtype), nulls if nulls.any() else None)
    if values.dtype.kind in "iub":
        return Column(values.astype({"int": np.int32, "int64": np.int64, "bool": np.bool_}.get(kind, np.float64)))
    return column(values.tolist(), kind)


def _as_multi(geometry: GeometryArray) -> GeometryArray:
    single = (geometry.types == LINESTRING) | (geometry.types == POLYGON)
    return replace(geometry, types=np.where(single, geometry.types + POLYGON, geometry.types).astype(np.uint8))


def open_layer(source: DataSource, crs: Crs | None, resources: Resources) -> OgrProvider:
    """The provider of a file. Nothing is read yet."""
    return OgrProvider(source, crs, resources.cache)
