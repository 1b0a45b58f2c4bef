"""Coordinate reference systems: reading the names clients and projects give them, and what PROJ knows of them."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

from qgserver.geo.extent import Extent

if TYPE_CHECKING:
    import pyproj

MAX_NAME = 128
"""Longer client texts are never CRS names."""
MAX_DEFINITION = 100_000
SYSTEM_GRIDS = "/usr/share/proj"
"""Where distributions put datum shift grids; PROJ's own copy in the pyproj wheel has none."""
REGISTRIES = frozenset({"EPSG", "ESRI", "IGNF", "OGC", "IAU_2015", "NKG", "NRCAN"})
"""Authorities whose codes mean the same on every machine."""
UNKNOWN_UNIT = "<unknown>"

_SHORT = re.compile(r"([A-Za-z][A-Za-z0-9_]{0,15}):([A-Za-z0-9][A-Za-z0-9_.-]{0,39})")
_URN = re.compile(
    r"urn:(?:x-)?ogc:def:crs:([a-z][a-z0-9_]{0,15}):(?:[0-9a-z.]{0,12}:)?([a-z0-9][a-z0-9_.-]{0,39})", re.I
)
_URL = re.compile(
    r"https?://www\.opengis\.net/def/crs/([a-z][a-z0-9_]{0,15})/[0-9a-z.]{1,12}/([a-z0-9][a-z0-9_.-]{0,39})", re.I
)
_GML_URL = re.compile(r"https?://www\.opengis\.net/gml/srs/([a-z]{1,16})\.xml#([0-9]{1,9})", re.I)
_FORMS = (_SHORT, _URN, _URL, _GML_URL)

_WMS_NAMES = {("CRS", "84"): ("OGC", "CRS84"), ("CRS", "83"): ("OGC", "CRS83"), ("CRS", "27"): ("OGC", "CRS27")}
"""WMS 1.3.0 §6.7.3 and annex B: longitude before latitude."""
_BARE_OGC = {"84": "CRS84", "83": "CRS83", "27": "CRS27"}
_ALIASES = {("EPSG", "900913"): ("EPSG", "3857"), ("EPSG", "102100"): ("EPSG", "3857")}
"""Numbers of Web Mercator that are in no registry but in old clients."""

_UNITS = {"metre": "meters", "kilometre": "km", "foot": "feet", "US survey foot": "feet"}
"""PROJ's names of linear units to those QGIS calculates with; it takes both feet for one, and knows no others."""


@dataclass(frozen=True, slots=True)
class Crs:
    """A CRS: ``authid`` (``EPSG:2154``, "" when it has none) and ``definition`` (what PROJ makes it from).

    Making one asks PROJ nothing; the properties do, once per CRS (and not of the most common ones). A CRS that PROJ
    can't make is not geographic, has no inverted axes and an unknown unit, and nothing is reprojected from or to it, as
    in QGIS. ``fallback`` is a WKT or PROJ string for a registered ``authid`` that is newer than our registry.
    """

    authid: str
    definition: str
    fallback: str = field(default="", compare=False, repr=False)

    @property
    def proj(self) -> pyproj.CRS | None:
        """PROJ's object, None when PROJ can't make it."""
        return _proj_crs(self.definition, self.fallback)

    @property
    def is_geographic(self) -> bool:
        """Longitude and latitude in degrees (or grads)."""
        return _facts(self.definition, self.fallback).geographic

    @property
    def inverted_axes(self) -> bool:
        """The official axis order is northing/latitude first (QGIS's rule: the first axis points north)."""
        return _facts(self.definition, self.fallback).inverted

    @property
    def units(self) -> str:
        """``degrees``, ``meters``, ``feet`` (also US survey feet), ``km`` or ``<unknown>``."""
        return _facts(self.definition, self.fallback).units

    @property
    def meters_per_unit(self) -> float:
        """Metres of one unit of a projected CRS; of one degree along the equator for a geographic one."""
        return _facts(self.definition, self.fallback).meters_per_unit

    @property
    def description(self) -> str:
        """The name in the registry, e.g. ``RGF93 v1 / Lambert-93``."""
        return _facts(self.definition, self.fallback).description

    @property
    def area_of_use(self) -> Extent | None:
        """Degrees of longitude and latitude; west > east when it crosses the antimeridian."""
        return _facts(self.definition, self.fallback).area

    @property
    def urn(self) -> str:
        """``urn:ogc:def:crs:EPSG::2154``, "" without authid."""
        authority, _, code = self.authid.partition(":")
        version = "1.3" if authority == "OGC" else ""
        return f"urn:ogc:def:crs:{authority}:{version}:{code}" if code else ""

    @property
    def url(self) -> str:
        """``http://www.opengis.net/def/crs/EPSG/0/2154``, "" without authid."""
        authority, _, code = self.authid.partition(":")
        version = "1.3" if authority == "OGC" else "0"
        return f"http://www.opengis.net/def/crs/{authority}/{version}/{code}" if code else ""


@dataclass(frozen=True, slots=True)
class _Facts:
    geographic: bool = False
    inverted: bool = False
    units: str = UNKNOWN_UNIT
    meters_per_unit: float = 1.0
    description: str = ""
    area: Extent | None = None


def parse_crs(text: str, known: Iterable[Crs] = ()) -> Crs | None:
    """The CRS a client names, None when it is unknown or not a name at all.

    Takes ``EPSG:n``, ``CRS:84``, other authorities PROJ knows, URNs (with or without version) and OGC's URLs. Only a
    horizontal CRS will do. PROJ strings, WKT, file names and URLs to fetch are refused unread. ``known`` are the
    project's own CRSs, which ``USER:n`` may name.
    """
    text = text.strip()
    if not text or len(text) > MAX_NAME:
        return None
    match = next((found for form in _FORMS if (found := form.fullmatch(text))), None)
    if match is None:
        return None
    authority, code = match[1].upper(), match[2].upper()
    if authority == "OGC":
        code = _BARE_OGC.get(code, code)
    authority, code = _WMS_NAMES.get((authority, code)) or _ALIASES.get((authority, code)) or (authority, code)
    authid = f"{authority}:{code}"
    if authority not in REGISTRIES:
        return next((crs for crs in known if crs.authid == authid), None)
    return _registered(authid)


def crs_from_definition(authid: str, wkt: str, proj4: str) -> Crs | None:
    """The CRS a project file describes, None when it describes none. Asks PROJ nothing.

    A registered authid decides; the number of a ``USER:n`` means nothing on another machine, so there WKT (or the
    PROJ string) does.
    """
    authid = authid.strip()
    written = next((text for text in (wkt.strip(), proj4.strip()) if text and len(text) <= MAX_DEFINITION), "")
    match = _SHORT.fullmatch(authid)
    if match and match[1].upper() in REGISTRIES:
        authid = f"{match[1].upper()}:{match[2].upper()}"
        return Crs(authid, authid, written)
    return Crs(authid[:MAX_NAME], written) if written else None


@lru_cache(maxsize=1024)
def _registered(authid: str) -> Crs | None:
    crs = Crs(authid, authid)
    if authid in _BY_HEART:
        return crs
    proj = crs.proj
    return crs if proj is not None and (proj.is_geographic or proj.is_projected) else None


@lru_cache(maxsize=1)
def load_proj() -> None:
    """Import PROJ and let it find the grids of the distribution, once per process."""
    import pyproj

    if os.path.isdir(SYSTEM_GRIDS):
        pyproj.datadir.append_data_dir(SYSTEM_GRIDS)


@lru_cache(maxsize=256)
def _proj_crs(definition: str, fallback: str) -> pyproj.CRS | None:
    load_proj()
    import pyproj

    for text in (definition, fallback):
        try:
            if text:
                return pyproj.CRS.from_user_input(text)
        except pyproj.exceptions.CRSError:
            continue
    return None


def _horizontal(proj: pyproj.CRS) -> pyproj.CRS:
    """The part of a compound or bound CRS that places things on the map."""
    if proj.is_bound and proj.source_crs is not None:
        return _horizontal(proj.source_crs)
    return _horizontal(proj.sub_crs_list[0]) if proj.is_compound and proj.sub_crs_list else proj


_DEGREE = math.radians(1) * 6378137.0
_BY_HEART: Mapping[str, _Facts] = {
    "EPSG:3857": _Facts(False, False, "meters", 1.0, "WGS 84 / Pseudo-Mercator", Extent(-180, -85.06, 180, 85.06)),
    "EPSG:4326": _Facts(True, True, "degrees", _DEGREE, "WGS 84", Extent(-180, -90, 180, 90)),
    "OGC:CRS84": _Facts(True, False, "degrees", _DEGREE, "WGS 84 (CRS84)", Extent(-180, -90, 180, 90)),
}
"""What PROJ says of the CRSs of most maps: loading it takes as long as half of everything else of a first map."""


@lru_cache(maxsize=256)
def _facts(definition: str, fallback: str) -> _Facts:
    if definition in _BY_HEART:
        return _BY_HEART[definition]
    whole = _proj_crs(definition, fallback)
    if whole is None:
        return _Facts()
    proj = _horizontal(whole)
    area = whole.area_of_use
    first = proj.axis_info[0] if proj.axis_info else None
    geographic = bool(proj.is_geographic)
    factor = first.unit_conversion_factor if first else 1.0
    return _Facts(
        geographic=geographic,
        inverted=first is not None and first.direction == "north",
        units=_units(first.unit_name if first else "", geographic),
        meters_per_unit=factor * 6378137.0 if geographic and math.isfinite(factor) else factor or 1.0,
        description=whole.name,
        area=Extent(area.west, area.south, area.east, area.north) if area else None,
    )


def _units(name: str, geographic: bool) -> str:
    if geographic:
        return "degrees" if name.startswith("degree") else UNKNOWN_UNIT
    return _UNITS.get(name, UNKNOWN_UNIT)
