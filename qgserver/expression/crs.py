"""What PROJ's database says of a CRS, in QGIS's words."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from qgserver.expression.values import Value

if TYPE_CHECKING:
    import pyproj

_UNITS = {
    "metre": "meters",
    "degree": "degrees",
    "foot": "feet",
    "US survey foot": "US survey feet",
    "kilometre": "kilometers",
    "yard": "yards",
    "statute mile": "miles",
    "nautical mile": "nautical miles",
    "centimetre": "centimeters",
    "millimetre": "millimeters",
}


@lru_cache(maxsize=64)
def describe(crs: str) -> dict[str, Value]:
    """``definition`` (PROJ string), ``description``, ``acronym`` and name of the ``projection``, ``ellipsoid``,
    ``units`` and ``wkt`` of an authid; empty for one PROJ does not know."""
    import warnings

    import pyproj

    try:
        known = pyproj.CRS.from_user_input(crs)
    except pyproj.exceptions.CRSError:
        return {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # "a PROJ string loses information": it is what is asked for
        definition = known.to_proj4()
    words = dict(part.lstrip("+").partition("=")[::2] for part in definition.split())
    ellipsoid = known.ellipsoid
    axis = known.axis_info[0].unit_name if known.axis_info else ""
    code = ellipsoid.to_json_dict().get("id", {}).get("code") if ellipsoid is not None else None
    return {
        "definition": definition,
        "description": known.name,
        "acronym": words.get("proj", ""),
        "projection": known.coordinate_operation.method_name if known.coordinate_operation else words.get("proj", ""),
        "ellipsoid": f"EPSG:{code}" if code else words.get("ellps", ""),
        "units": _UNITS.get(axis, axis),
        "wkt": known.to_wkt(),
    }


_AUTHID = re.compile(r"[A-Za-z_]{1,20}:[A-Za-z0-9_.]{1,20}")


@lru_cache(maxsize=64)
def transformer(source: str, destination: str) -> pyproj.Transformer | None:
    """From one authid to another, x before y; None when PROJ does not know one of them."""
    if not (_AUTHID.fullmatch(source) and _AUTHID.fullmatch(destination)):
        return None  # PROJ would search its database for the name, which takes a second
    import pyproj

    try:
        return pyproj.Transformer.from_crs(source, destination, always_xy=True)
    except pyproj.exceptions.ProjError:
        return None
