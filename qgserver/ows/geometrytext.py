"""Geometry of a whole batch as text: numbers by numpy and orjson in one go, then sliced per ring and wrapped.

GML and GeoJSON differ only in the separators between numbers and in the words around rings, so both are a table
(``Markup``) over the same slices. No Python code runs per vertex.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
import orjson
from numpy.typing import NDArray

from qgserver.geo.geometry import COLLECTION, POINT, POLYGON, Floats, GeometryArray, Ints

FIRST_IN_FEATURE, FIRST_IN_PART, HOLE = 1, 2, 4
"""Bits of an opening code (a ring's place); for a closing code the first two read "last in"."""
SHAPES = COLLECTION + POLYGON + 1
"""Shapes a ring can belong to: 1..6 as ``GeometryArray.types``, 7 + kind for a member of a collection."""

EXACT = 2.0**53
"""Beyond this a float64 has no fraction left that rounding could touch."""

_EXPONENT = re.compile(rb"-?\d+(?:\.\d+)?e[-+]?\d+")


def rounded(values: Floats, precision: int) -> Floats:
    """``values`` rounded to ``precision`` decimals (clamped to 0..15), without negative zeros."""
    precision = min(max(precision, 0), 15)
    limit = EXACT / 10.0**precision
    out: Floats
    if not values.size or np.nanmax(np.abs(values), initial=0.0) < limit:
        out = np.round(values, precision)
    else:  # scaling would only add noise to large numbers
        small = np.abs(values) < limit
        out = np.where(small, np.round(np.where(small, values, 0.0), precision), values)
    return out + 0.0


def plain_numbers(text: bytes) -> bytes:
    """A flat JSON array of numbers as XML likes them: no trailing ``.0``, no exponent (``xs:decimal`` has none)."""
    text = text.replace(b".0,", b",")
    if text.endswith(b".0]"):
        text = text[:-3] + b"]"
    if b"e" in text:
        text = _EXPONENT.sub(lambda m: format(Decimal(m.group().decode()), "f").encode(), text)
    return text


def dump_array(values: NDArray[np.generic]) -> bytes:
    """A numpy array as JSON text, floats in their shortest exact form, NaN as ``null``."""
    return orjson.dumps(np.ascontiguousarray(values), option=orjson.OPT_SERIALIZE_NUMPY)


def tuple_texts(rows: Floats, groups: Ints, separators: tuple[bytes, bytes]) -> list[bytes]:
    """Number rows as text, one piece per group of rows.

    ``rows`` float64[n, d], already rounded; ``groups`` int64[g+1] offsets into rows; ``separators`` one byte each:
    between the numbers of a row and between rows (GML 2 ``","`` and ``" "``, GML 3 twice ``" "``).
    """
    count, width = rows.shape
    if not count:
        return [b""] * (len(groups) - 1)
    text = plain_numbers(dump_array(rows.reshape(-1)))
    if b"n" in text:
        text = text.replace(b"null", b"NaN")
    view = np.frombuffer(text, dtype=np.uint8).copy()
    commas = np.flatnonzero(view == ord(","))
    inner, outer = separators
    if inner != b",":
        view[commas] = ord(inner)
    view[commas[width - 1 :: width]] = ord(outer)
    starts = np.empty(count + 1, dtype=np.int64)
    starts[0], starts[-1] = 1, len(text)
    starts[1:-1] = commas[width - 1 :: width] + 1
    return _slices(view.tobytes(), starts, groups)


def array_texts(rows: Floats, groups: Ints) -> list[bytes]:
    """Number rows as JSON arrays, ``[x,y],[x,y]`` for each group; see ``tuple_texts``."""
    if not len(rows):
        return [b""] * (len(groups) - 1)
    text = dump_array(rows)
    opened = np.flatnonzero(np.frombuffer(text, dtype=np.uint8) == ord("["))
    starts = np.append(opened[1:], len(text))
    return _slices(text, starts, groups)


def _slices(text: bytes, starts: Ints, groups: Ints) -> list[bytes]:
    begin = starts[groups[:-1]].tolist()
    end = (starts[groups[1:]] - 1).tolist()
    return [text[a:b] for a, b in zip(begin, end, strict=True)]


@dataclass(frozen=True, slots=True)
class Markup:
    """The words around a ring: ``opening[shape * 8 + bits]`` before, ``closing[...]`` after it."""

    opening: NDArray[np.object_]
    closing: NDArray[np.object_]


def make_markup(opening: Callable[[int, int], bytes], closing: Callable[[int, int], bytes]) -> Markup:
    """Fill the tables by asking ``opening(shape, bits)`` and ``closing(shape, bits)`` for every combination."""

    def table(text: Callable[[int, int], bytes]) -> NDArray[np.object_]:
        out = np.empty(SHAPES * 8, dtype=object)
        for code in range(SHAPES * 8):
            out[code] = text(code // 8, code % 8)
        return out

    return Markup(table(opening), table(closing))


def as_multi(types: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Geometry types with single ones promoted to their multi type (QGIS does so for layers declared multi)."""
    single = (types >= POINT) & (types <= POLYGON)
    return np.where(single, types + 3, types).astype(np.uint8)


def wrap(geometry: GeometryArray, types: NDArray[np.uint8], rings: Sequence[bytes], markup: Markup) -> list[bytes]:
    """One text per feature out of one text per ring; ``b""`` where there is no geometry.

    ``types`` uint8[n] is what to write (``geometry.types`` or promoted ones).
    """
    ring_count = len(geometry.rings) - 1
    part_of_ring = np.repeat(np.arange(len(geometry.parts) - 1), np.diff(geometry.parts))
    feature_of_part = np.repeat(np.arange(len(geometry)), np.diff(geometry.features))
    shape = _shapes(geometry, types, feature_of_part)[part_of_ring] * 8
    part_starts = geometry.parts[:-1]
    feature_starts = geometry.parts[geometry.features]
    first = np.zeros(ring_count + 1, dtype=np.int64)
    first[part_starts] |= FIRST_IN_PART
    first[feature_starts] |= FIRST_IN_FEATURE
    first[-1] = FIRST_IN_FEATURE | FIRST_IN_PART
    hole = np.where(first[:-1] & FIRST_IN_PART, 0, HOLE)
    pieces = np.empty(3 * ring_count, dtype=object)
    pieces[0::3] = markup.opening[shape + first[:-1] + hole]
    pieces[1::3] = rings
    pieces[2::3] = markup.closing[shape + first[1:] + hole]
    flat, ends = pieces.tolist(), (3 * feature_starts).tolist()
    return [b"".join(flat[a:b]) for a, b in itertools.pairwise(ends)]


def _shapes(geometry: GeometryArray, types: NDArray[np.uint8], feature_of_part: Ints) -> Ints:
    """int64[p]: the shape of each part's feature, for members of collections 7 + the part's own kind."""
    shape = types[feature_of_part].astype(np.int64)
    if geometry.part_types is not None:
        inside = shape == COLLECTION
        shape[inside] += geometry.part_types[inside]
    return shape


def member_kind(shape: int) -> int:
    """POINT, LINESTRING or POLYGON: what one part of that shape is (0 for no geometry)."""
    for base in (COLLECTION, POLYGON, 0):
        if shape > base:
            return shape - base if shape - base <= POLYGON else 0
    return 0
