"""Coordinate reference systems: read from text and project files, asked for their properties lazily."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyproj

MAX_TEXT = 200
"""Longest client text that may name a CRS."""
_AUTHID = re.compile(r"([A-Za-z][A-Za-z0-9_]{1,15}):([A-Za-z0-9_.-]{1,32})")
_FORMS = (
    re.compile(r"urn:(?:x-)?ogc:def:crs:([A-Za-z0-9_]+):[^:]{0,16}:([A-Za-z0-9_.-]+)", re.IGNORECASE),
    re.compile(r"https?://www\.opengis\.net/def/crs/([A-Za-z0-9_]+)/[^/]{0,16}/([A-Za-z0-9_.-]+)/?", re.IGNORECASE),
    re.compile(r"https?://www\.opengis\.net/gml/srs/([A-Za-z0-9_]+)\.xml#([A-Za-z0-9_.-]+)", re.IGNORECASE),
)
_OGC = {"84": "OGC:CRS84", "83": "OGC:CRS83", "27": "OGC:CRS27"}
_UNITS = {"degree": "degrees", "metre": "meters", "meter": "meters", "foot": "feet", "US survey foot": "us-feet"}


@dataclass(frozen=True, slots=True)
class Crs:
    """A CRS: ``authid`` (``EPSG:2154``, "" when it has none) and ``definition`` (what PROJ makes it from).
    Making one does no work; the properties below ask PROJ once and remember."""

    authid: str
    definition: str

    @property
    def pyproj(self) -> pyproj.CRS:
        """PROJ's object. Raises ``pyproj.exceptions.CRSError`` for a definition PROJ does not understand."""
        return _pyproj(self.definition)

    @property
    def is_geographic(self) -> bool:
        return _facts(self.definition).geographic

    @property
    def inverted_axes(self) -> bool:
        """True when the authority's axis order is north (latitude) before east."""
        return _facts(self.definition).inverted

    @property
    def units(self) -> str:
        """QGIS's name of the unit: ``degrees``, ``meters``, ``feet``, ``us-feet``, ..."""
        return _facts(self.definition).units

    @property
    def meters_per_unit(self) -> float:
        """Length of a unit in metres; for degrees the length at the equator."""
        return _facts(self.definition).meters

    @property
    def urn(self) -> str:
        """``urn:ogc:def:crs:EPSG::4326``; "" without an authority."""
        authority, _, code = self.authid.partition(":")
        return f"urn:ogc:def:crs:{authority}::{code}" if code else ""

    @property
    def url(self) -> str:
        """``http://www.opengis.net/def/crs/EPSG/0/4326``; "" without an authority."""
        authority, _, code = self.authid.partition(":")
        return f"http://www.opengis.net/def/crs/{authority}/0/{code}" if code else ""


@dataclass(frozen=True, slots=True)
class _Facts:
    geographic: bool
    inverted: bool
    units: str
    meters: float


@lru_cache(maxsize=512)
def _pyproj(definition: str) -> pyproj.CRS:
    import pyproj

    return pyproj.CRS.from_user_input(definition)


@lru_cache(maxsize=512)
def _facts(definition: str) -> _Facts:
    from pyproj.exceptions import CRSError

    try:
        crs = _pyproj(definition)
    except CRSError:
        return _Facts(False, False, "", 1.0)
    axes = crs.axis_info
    unit = axes[0].unit_name if axes else ""
    factor = axes[0].unit_conversion_factor if axes else 1.0
    inverted = len(axes) >= 2 and axes[0].direction in ("north", "south") and axes[1].direction in ("east", "west")
    if crs.is_geographic:
        return _Facts(True, inverted, "degrees", 111319.49079327358)
    return _Facts(False, inverted, _UNITS.get(unit, unit), factor or 1.0)


def authid_of(text: str) -> str:
    """The authority and code that a client's text names (``EPSG:4326``), "" for anything else."""
    text = text.strip()
    if not text or len(text) > MAX_TEXT:
        return ""
    match = _AUTHID.fullmatch(text) or next((m for form in _FORMS if (m := form.fullmatch(text))), None)
    if match is None:
        return ""
    authority, code = match.group(1).upper(), match.group(2)
    if authority in ("CRS", "OGC"):
        code = code.upper().removeprefix("CRS")
        return _OGC.get(code, "")
    return f"{authority}:{code}"


@lru_cache(maxsize=1024)
def parse_crs(text: str) -> Crs | None:
    """The CRS a client names: ``EPSG:n``, ``CRS:84``, OGC URNs and URLs, and other authorities PROJ knows. None for
    anything PROJ does not know; a text is never taken as a file, a pipeline or an address to fetch."""
    import pyproj
    from pyproj.exceptions import CRSError

    authid = authid_of(text)
    if not authid:
        return None
    authority, _, code = authid.partition(":")
    try:
        pyproj.CRS.from_authority(authority, code)
    except CRSError:
        return None
    return Crs(authid, authid)


def crs_from_definition(authid: str, wkt: str, proj4: str) -> Crs | None:
    """The CRS of a project file: its authid when a registry knows it (``USER:n`` means nothing elsewhere), else WKT,
    else the PROJ string. None when all are empty."""
    known = authid_of(authid)
    if known and not known.startswith(("USER:", "CUSTOM:")):
        return Crs(known, known)
    definition = wkt.strip() or proj4.strip()
    return Crs(authid, definition) if definition else None
