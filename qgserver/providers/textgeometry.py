"""Geometries written in columns of text: coordinates, degrees with minutes and seconds, well-known text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from qgserver.expression.geometries import from_wkt, to_wkb
from qgserver.geo.geometry import NULL, POINT, POLYGON, Floats, GeometryArray
from qgserver.geo.wkb import decode, take
from qgserver.providers.geometrytypes import FAMILIES
from qgserver.providers.textvalues import Texts, numbers

_DMS = re.compile(
    r"\s*(?P<before>[-+nsew])?\s*(?P<degrees>[0-9]{1,3})(?:[^0-9.]+(?P<minutes>[0-5]?[0-9]))?"
    r"[^0-9.]+(?P<last>[0-5]?[0-9](?:\.[0-9]+)?)[^0-9.]*?(?P<after>[-+nsew])?\s*",
    re.IGNORECASE,
)
"""Any text between numbers parts them; the last number alone may have decimals; a sign or a letter of the compass
stands before or behind (measured)."""
_LONGEST_DMS = 100
_PREFIX = re.compile(r"\s*(?:SRID=[0-9]+;|[0-9]+\s+)?\s*", re.IGNORECASE)
"""What PostGIS and Informix write before the geometry."""
_TYPE_WORD = re.compile(r"[A-Za-z]+")
_PLAIN_WORDS = frozenset(("POINT", "LINESTRING", "POLYGON", "MULTIPOINT", "MULTILINESTRING", "MULTIPOLYGON"))

LARGEST_SINGLE = POLYGON
"""Types above are multi ones."""

Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Coordinates:
    """How numbers are written."""

    decimal_point: str
    dms: bool

    def read(self, texts: Texts) -> Floats:
        """The coordinates, NaN where there is none."""
        if not self.dms:
            return numbers(texts, self.decimal_point)
        found = (degrees(text, self.decimal_point) if text else None for text in texts)
        return np.fromiter((np.nan if value is None else value for value in found), np.float64, len(texts))


def degrees(text: str, decimal_point: str) -> float | None:
    """Degrees, minutes and seconds as degrees.

    >>> degrees("10d30'W", "")
    -10.5
    """
    text = text.replace(decimal_point, ".") if decimal_point else text
    match = _DMS.fullmatch(text) if len(text) <= _LONGEST_DMS else None
    if match is None or (match["before"] and match["after"]):
        return None
    minutes = float(match["last"]) if match["minutes"] is None else int(match["minutes"]) + float(match["last"]) / 60
    value = int(match["degrees"]) + minutes / 60
    return -value if (match["before"] or match["after"] or "").lower() in ("-", "s", "w") else value


def points(axes: Sequence[Texts], has_z: bool, has_m: bool, written: Coordinates) -> tuple[GeometryArray, Mask]:
    """Points of columns x, y and those of z and m that there are, and which of the records are features: of one whose x
    and y are both empty the geometry is null, one whose x or y is no coordinate is none (measured)."""
    x, y, *others = (written.read(axis) for axis in axes)
    bad = np.isnan(x) | np.isnan(y)
    empty = np.array([not a and not b for a, b in zip(axes[0], axes[1], strict=True)], np.bool_)
    has = ~bad
    ends = np.concatenate(([0], np.cumsum(has)))
    one_each = np.arange(ends[-1] + 1)
    geometry = GeometryArray(
        types=np.where(has, POINT, NULL).astype(np.uint8),
        coords=np.column_stack((x[has], y[has])),
        rings=one_each,
        parts=one_each,
        features=ends,
        z=others[0][has] if has_z else None,
        m=others[-1][has] if has_m else None,
    )
    return geometry, has | empty


def from_texts(texts: Texts) -> tuple[GeometryArray, Mask]:
    """Geometries of well-known texts, and which of the records are features: an empty text is a null geometry, one that
    spells none is no feature (measured). Curves are straightened."""
    bare = [None if not text else text[_PREFIX.match(text).end() :] for text in texts]  # type: ignore[union-attr]
    plain = np.array([text if text is not None and _is_plain(text) else None for text in bare], object)
    blobs = shapely.to_wkb(shapely.from_wkt(plain, on_invalid="ignore"), flavor="iso").tolist()
    for place, text in enumerate(bare):
        if blobs[place] is None and text is not None:
            found = from_wkt(text[: text.rfind(")") + 1])  # QGIS does not look at what follows
            blobs[place] = None if found is None else to_wkb(found)
    there = np.array([text is None or blob is not None for text, blob in zip(bare, blobs, strict=True)], np.bool_)
    return decode(blobs), there


def _is_plain(text: str) -> bool:
    """Whether the library reads the type; what it does not read at all it may refuse by an error."""
    word = _TYPE_WORD.match(text)
    return word is not None and word[0].upper().removesuffix("M").removesuffix("Z") in _PLAIN_WORDS


def of_family(geometry: GeometryArray, family: str) -> Mask:
    """Which of the geometries are of that family, or null."""
    return np.isin(geometry.types, (NULL, *FAMILIES.get(family, ())))


def family_of_first(geometry: GeometryArray) -> str:
    """The family of the first geometry that has one, "" when none has."""
    first = geometry.types[geometry.types != NULL][:1]
    return next((name for name, types in FAMILIES.items() if len(first) and first[0] in types), "")


def dimensions_of_first(geometry: GeometryArray) -> str:
    """``Z``, ``M`` or both if the first vertex has them: so QGIS names the type of all (measured)."""
    axes = {"Z": geometry.z, "M": geometry.m}
    return "".join(name for name, values in axes.items() if values is not None and not np.isnan(values[:1]).all())


def kept(geometry: GeometryArray, mask: Mask) -> GeometryArray:
    """The geometries of the mask."""
    return geometry if mask.all() else take(geometry, mask)
