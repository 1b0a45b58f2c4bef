"""Data source texts of a project (``<datasource>``), taken apart per provider.

Nothing is opened or looked up here: a text that says nothing sensible gives a ``DataSource`` with empty parts, and
the provider that is asked to open it tells what is wrong.
"""

from __future__ import annotations

import os.path
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from urllib.parse import unquote

REPEATED = "\n"
"""Joins the values of a key that occurs several times (``layers=a&layers=b``)."""


@dataclass(frozen=True, slots=True)
class DataSource:
    """One data source: ``provider`` is QGIS's key (``postgres``, ``ogr``, ``memory``, ...).

    ``path`` is an absolute file path (for ``gdal`` and ``ogr`` whatever GDAL opens, with the file in it absolute), or
    "" for databases and services; ``params`` the connection or option values as written (``host``, ``dbname``,
    ``layername``, ...; passwords too: never log them, ``str()`` hides them); ``schema``, ``table``,
    ``geometry_column``, ``key``, ``subset``, ``srid``, ``geometry_type`` what the text says.
    ``query`` is the inner SELECT of a query layer, without its brackets.
    """

    provider: str
    path: str = ""
    params: Mapping[str, str] = field(default_factory=dict, repr=False)
    schema: str = ""
    table: str = ""
    query: str = field(default="", repr=False)
    geometry_column: str = ""
    key: tuple[str, ...] = ()
    subset: str = ""
    srid: int = 0
    geometry_type: str = ""
    encoding: str = ""
    estimated_metadata: bool = False

    def values(self, name: str) -> tuple[str, ...]:
        """All values of a parameter that may be repeated (``layers`` of a WMS, ``field`` of a memory layer)."""
        value = self.params.get(name)
        return () if value is None else tuple(value.split(REPEATED))


def parse_datasource(provider: str, text: str, folder: str, encoding: str = "") -> DataSource:
    """Take the text of ``<datasource>`` apart. ``folder`` is the project's, which relative paths start from (measured:
    a ``homePath`` of the project does not change that). Never raises for content."""
    parser = _PARSERS.get(provider, _parse_unknown)
    source = parser(text.strip(), folder)
    return replace(source, provider=provider, encoding="" if encoding in ("", "System") else encoding)


# --- paths -----------------------------------------------------------------------------------------------------------

_VSI = re.compile(r"((?:/vsi[a-z0-9_]+/)+)(.*)", re.DOTALL | re.IGNORECASE)
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:")
"""A driver prefix (``PG:``) or a URL scheme, not the single letter of a Windows drive."""
_GDAL_SUBDATASET = re.compile(r'([A-Za-z0-9_]+):("?)([^":][^"]*?)\2(:[^/\\"]*)?', re.DOTALL)
_REMOTE_VSI = ("/vsicurl", "/vsis3", "/vsigs", "/vsiaz", "/vsiadls", "/vsioss", "/vsiswift", "/vsihdfs", "/vsimem")


def absolute_path(path: str, folder: str) -> str:
    """``path`` as the file system knows it: relative ones start from ``folder``, Windows separators become ``/``.
    Driver prefixes, URLs and virtual file systems of the network stay as they are.

    >>> absolute_path("../data/a.shp", "/srv/maps")
    '/srv/data/a.shp'
    """
    if not path or _SCHEME.match(path):
        return path
    virtual = _VSI.fullmatch(path)
    if virtual:
        prefix, rest = virtual.groups()
        if prefix.lower().startswith(_REMOTE_VSI) or not rest.startswith("."):
            return path
        return str(prefix) + absolute_path(rest, folder)
    return os.path.normpath(os.path.join(folder, path.replace("\\", "/")))


# --- key=value of the databases --------------------------------------------------------------------------------------

_PAIR = re.compile(r"\s*([A-Za-z_][\w-]*)=(?:'((?:\\.|[^'\\])*)'|([^\s']*))", re.DOTALL)
_TABLE = re.compile(r'\s*table=("(?:\\.|[^"\\])*"|[^\s."]+)(?:\.("(?:\\.|[^"\\])*"|[^\s("]+))?', re.DOTALL)
_GEOMETRY = re.compile(r"\s*\(((?:\\.|[^)\\])*)\)", re.DOTALL)
_SQL = re.compile(r"\s*sql=(.*)", re.DOTALL | re.IGNORECASE)
_QUERY = re.compile(r"\s*\((.*)\)\s*", re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_KEY_PART = re.compile(r'\s*(?:"((?:[^"]|"")*)"|([^,]+?))\s*(?:,|$)', re.DOTALL)
_NOT_PARAMS = ("key", "srid", "type", "estimatedmetadata")


def _unquoted(token: str) -> str:
    if token.startswith('"'):
        token = token[1:-1]
    return _ESCAPED.sub(r"\1", token)


def _parse_database(text: str, folder: str) -> DataSource:
    """PostgreSQL, SpatiaLite, Oracle, SQL Server: ``key=value`` or ``key='value'``, then ``table=`` and ``sql=``."""
    params: dict[str, str] = {}
    schema = table = geometry = subset = ""
    position = 0
    while position < len(text):
        if match := _SQL.match(text, position):
            subset = match[1].strip()
            break
        if match := _TABLE.match(text, position):
            first, second = _unquoted(match[1]), _unquoted(match[2]) if match[2] else ""
            schema, table = (first, second) if match[2] else ("", first)
            position = match.end()
            if match := _GEOMETRY.match(text, position):
                geometry = _ESCAPED.sub(r"\1", match[1])
        elif match := _PAIR.match(text, position):
            params[match[1]] = _ESCAPED.sub(r"\1", match[2]) if match[2] is not None else match[3]
        position = match.end() if match else position + 1
    query = _QUERY.fullmatch(table) if not schema else None
    return DataSource(
        provider="",
        params={name: value for name, value in params.items() if name not in _NOT_PARAMS},
        schema=schema,
        table="" if query else table,
        query=query[1].strip() if query else "",
        geometry_column=geometry,
        key=_key_columns(params.get("key", "")),
        subset=subset,
        srid=_integer(params.get("srid", "")),
        geometry_type=geometry_type_name(params.get("type", "")),
        estimated_metadata=params.get("estimatedmetadata", "").lower() == "true",
    )


def _key_columns(text: str) -> tuple[str, ...]:
    """``gid``, ``a,b`` or ``"a","b, c"``."""
    return tuple(m[1].replace('""', '"') if m[1] is not None else m[2] for m in _KEY_PART.finditer(text))


def _parse_spatialite(text: str, folder: str) -> DataSource:
    source = _parse_database(text, folder)
    return replace(source, path=absolute_path(source.params.get("dbname", ""), folder))


# --- path|part=... of OGR and GDAL -----------------------------------------------------------------------------------

_OGR_PART = re.compile(r"\|(layername|layerid|subset|geometrytype|uniqueGeometryType|authcfg|option:[^=|]*)=")


def _parse_ogr(text: str, folder: str) -> DataSource:
    """``path|layername=..|subset=..``; a part runs up to the next known name, so a subset may hold ``|``."""
    marks = list(_OGR_PART.finditer(text))
    ends = [mark.start() for mark in marks[1:]] + [len(text)]
    params = {mark[1]: text[mark.end() : end] for mark, end in zip(marks, ends, strict=False)}
    path = text[: marks[0].start()] if marks else text
    return DataSource(
        provider="",
        path=absolute_path(path, folder),
        table=params.pop("layername", ""),
        subset=params.pop("subset", ""),
        geometry_type=geometry_type_name(params.pop("geometrytype", "")),
        params=params,
    )


def _parse_gdal(text: str, folder: str) -> DataSource:
    """``path``, ``GPKG:path:table``, ``NETCDF:"path":variable``, each with ``|option:NAME=VALUE``."""
    source = _parse_ogr(text, folder)
    path = text.split("|", 1)[0]
    subdataset = _GDAL_SUBDATASET.fullmatch(path)
    if subdataset and len(subdataset[1]) > 1 and not subdataset[3].startswith("//"):
        driver, quote, inner, rest = subdataset.groups()
        return replace(source, path=f"{driver}:{quote}{absolute_path(inner, folder)}{quote}{rest or ''}")
    return source


# --- URL forms -------------------------------------------------------------------------------------------------------


def _query_params(query: str) -> dict[str, str]:
    """``a=1&b=%20`` decoded (``+`` stays, as Qt leaves it); repeated keys are joined by ``REPEATED``."""
    params: dict[str, str] = {}
    for part in query.split("&"):
        name, _, value = part.partition("=")
        if name:
            name, value = unquote(name), unquote(value)
            params[name] = params[name] + REPEATED + value if name in params else value
    return params


def _parse_delimited_text(text: str, folder: str) -> DataSource:
    """``file:./x.csv?delimiter=;``, ``file:///abs/x.csv?..``, ``./x.csv?..``."""
    path, _, query = text.partition("?")
    path = unquote(path)
    if path.startswith("file:"):
        path = re.sub(r"^file:(?://)?", "", path)
    params = _query_params(query)
    return DataSource(provider="", path=absolute_path(path, folder), subset=params.pop("subset", ""), params=params)


def _parse_memory(text: str, folder: str) -> DataSource:
    """``memory?geometry=Point&crs=..&field=name:type(length,precision)`` or ``Point?crs=..&field=..``."""
    head, _, query = text.partition("?")
    params = _query_params(query)
    kind = params.pop("geometry", "") or ("" if head == "memory" else head)
    return DataSource(provider="", geometry_type=geometry_type_name(kind) or "NoGeometry", params=params)


def _parse_virtual(text: str, folder: str) -> DataSource:
    """``?layer_ref=id:name&query=SELECT..&geometry=column:type:srid&uid=column``."""
    params = _query_params(text.partition("?")[2])
    column, _, kind = params.pop("geometry", "").partition(":")
    kind, _, srid = kind.partition(":")
    uid = params.pop("uid", "")
    return DataSource(
        provider="",
        query=params.pop("query", ""),
        geometry_column="" if column in ("*no*", "*auto*") else column,
        geometry_type="NoGeometry" if "nogeometry" in params or column == "*no*" else "",
        key=(uid,) if uid else (),
        subset=params.pop("subset", ""),
        srid=_integer(srid),
        params=params | ({"geometry_wkb_type": kind} if kind else {}),
    )


def _parse_wms(text: str, folder: str) -> DataSource:
    """``url=..&layers=..&styles=..&format=..&crs=..`` in any order; XYZ has ``type=xyz``."""
    return DataSource(provider="", params=_query_params(text))


def _parse_wfs(text: str, folder: str) -> DataSource:
    """``typename='..' url='..' sql=..``, or a plain URL (2.x)."""
    if _SCHEME.match(text):
        url, _, query = text.partition("?")
        return DataSource(provider="", params={"url": url, **{k.lower(): v for k, v in _query_params(query).items()}})
    return _parse_database(text, folder)


def _parse_unknown(text: str, folder: str) -> DataSource:
    return DataSource(provider="", params={"uri": text} if text else {})


_PARSERS: Mapping[str, Callable[[str, str], DataSource]] = {
    "postgres": _parse_database,
    "oracle": _parse_database,
    "mssql": _parse_database,
    "hana": _parse_database,
    "spatialite": _parse_spatialite,
    "ogr": _parse_ogr,
    "gdal": _parse_gdal,
    "delimitedtext": _parse_delimited_text,
    "memory": _parse_memory,
    "virtual": _parse_virtual,
    "wms": _parse_wms,
    "WFS": _parse_wfs,
    "OAPIF": _parse_wfs,
}

# --- geometry types --------------------------------------------------------------------------------------------------

_FLAT_TYPES = (
    *("Geometry", "Point", "LineString", "Polygon", "Triangle", "MultiPoint", "MultiLineString", "MultiPolygon"),
    *("GeometryCollection", "CircularString", "CompoundCurve", "CurvePolygon", "MultiCurve", "MultiSurface"),
    *("PolyhedralSurface", "TIN"),
)
_GEOMETRY_TYPES = {
    (flat + suffix).lower(): flat + suffix for flat in _FLAT_TYPES for suffix in ("", "Z", "M", "ZM", "25D")
}
_GEOMETRY_TYPES |= {
    "geometry": "Unknown",
    "unknown": "Unknown",
    "unknown geometry": "Unknown",
    "none": "NoGeometry",
    "nogeometry": "NoGeometry",
    "no geometry": "NoGeometry",
    "line": "LineString",
    "multiline": "MultiLineString",
}


def geometry_type_name(text: str) -> str:
    """QGIS's spelling of a geometry type in any of the spellings of project files, "" when it is none of them.

    >>> geometry_type_name("MULTIPOLYGON")
    'MultiPolygon'
    """
    return _GEOMETRY_TYPES.get(text.strip().lower(), "")


def _integer(text: str) -> int:
    return int(text) if re.fullmatch(r"-?\d{1,9}", text) else 0
