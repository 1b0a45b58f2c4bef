"""DXF files as AutoCAD 12 reads them (ASCII, AC1009): points and polylines in named layers, in AutoCAD's colours.

That release knows no true colours and no filled areas; every CAD program reads it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache

import numpy as np

from qgserver.draw.color import Color
from qgserver.geo.extent import Extent
from qgserver.geo.geometry import LINESTRING, POINT, POLYGON, Floats, GeometryArray, Ints

Pair = tuple[int, object]
"""A group code and its value."""

MIME = "application/dxf"
ENCODING = "cp1252"
BY_LAYER = 256
FOREGROUND = 7
"""Black on white paper, white on a black screen."""
CLOSED = 1
CHUNK = 500
"""Features written at a time."""
_FORBIDDEN = frozenset('<>/\\":;?*|=,`')

_FULL = (255, 165, 127, 76, 38)
_GREYS = (51, 91, 132, 173, 214, 255)


@lru_cache(maxsize=1)
def _palette() -> tuple[Ints, Floats]:
    """Numbers int64[n] and r, g, b float64[n, 3] of AutoCAD's colours: 1 to 9 by name, 10 to 249 by hue (24 of them,
    each in five depths, full and half pale), 250 to 255 greys."""
    colors: dict[int, tuple[int, ...]] = {
        1: (255, 0, 0),
        2: (255, 255, 0),
        3: (0, 255, 0),
        4: (0, 255, 255),
        5: (0, 0, 255),
        6: (255, 0, 255),
    }
    colors |= {7: (255, 255, 255), 8: (128, 128, 128), 9: (192, 192, 192)}
    for hue in range(24):
        pure = [min(max(abs((hue / 4 + shift) % 6 - 3) - 1, 0), 1) for shift in (0, 4, 2)]
        for depth, value in enumerate(_FULL):
            for pale in (0, 1):
                share = [1 - (1 - part) * (1 - pale / 2) for part in pure]
                colors[10 + 10 * hue + 2 * depth + pale] = tuple(int(value * part) for part in share)
    colors |= {250 + place: (grey, grey, grey) for place, grey in enumerate(_GREYS)}
    return np.array(list(colors), dtype=np.int64), np.array(list(colors.values()), dtype=np.float64)


def nearest(color: Color) -> int:
    """AutoCAD's number of the colour that is nearest; black and white are both ``FOREGROUND``."""
    numbers, colors = _palette()
    wanted = np.array(color[:3]) * 255
    if wanted.max() < 1 or wanted.min() > 254:
        return FOREGROUND
    return int(numbers[np.abs(colors - wanted).sum(axis=1).argmin()])


def layer_name(text: str) -> str:
    """A name that DXF allows."""
    return "".join("_" if c in _FORBIDDEN or not c.isprintable() else c for c in text)[:255] or "0"


def head(extent: Extent, layers: Sequence[str]) -> bytes:
    """All before the entities: the extent and the table of layers."""
    pairs: list[Pair] = [(0, "SECTION"), (2, "HEADER"), (9, "$ACADVER"), (1, "AC1009")]
    pairs += [(9, "$DWGCODEPAGE"), (3, "ansi_1252")]
    pairs += [(9, "$EXTMIN"), (10, extent.xmin), (20, extent.ymin), (30, 0.0)]
    pairs += [(9, "$EXTMAX"), (10, extent.xmax), (20, extent.ymax), (30, 0.0), (0, "ENDSEC")]
    pairs += [(0, "SECTION"), (2, "TABLES"), (0, "TABLE"), (2, "LAYER"), (70, len(layers))]
    for name in layers:
        pairs += [(0, "LAYER"), (2, name), (70, 0), (62, FOREGROUND), (6, "CONTINUOUS")]
    pairs += [(0, "ENDTAB"), (0, "ENDSEC"), (0, "SECTION"), (2, "ENTITIES")]
    return _encoded(pairs)


def foot() -> bytes:
    """All after the entities."""
    return _encoded([(0, "ENDSEC"), (0, "EOF")])


def entities(
    geometry: GeometryArray, rows: Sequence[int], names: Sequence[str], colors: Sequence[int]
) -> Iterator[bytes]:
    """The features ``rows``, each in the layer and the colour at its place; the rings of areas are closed polylines."""
    kinds = geometry.ring_kinds().tolist()
    bounds = geometry.rings.tolist()
    rings = geometry.parts[geometry.features].tolist()
    for start in range(0, len(rows), CHUNK):
        pairs: list[Pair] = []
        for place, row in enumerate(rows[start : start + CHUNK], start):
            common: list[Pair] = [(8, names[place]), (62, colors[place])]
            for ring in range(rings[row], rings[row + 1]):
                points = geometry.coords[bounds[ring] : bounds[ring + 1]].tolist()
                pairs += _entity(kinds[ring], points, common)
        yield _encoded(pairs)


def _entity(kind: int, points: Sequence[Sequence[float]], common: list[Pair]) -> list[Pair]:
    if kind == POINT:
        return [pair for x, y in points for pair in ((0, "POINT"), *common, (10, x), (20, y), (30, 0.0))]
    if kind not in (LINESTRING, POLYGON) or len(points) < 2:
        return []
    closed = kind == POLYGON
    if closed and points[0] == points[-1]:
        points = points[:-1]
    pairs: list[Pair] = [
        (0, "POLYLINE"),
        *common,
        (66, 1),
        (10, 0.0),
        (20, 0.0),
        (30, 0.0),
        (70, CLOSED if closed else 0),
    ]
    for x, y in points:
        pairs += [(0, "VERTEX"), common[0], (10, x), (20, y), (30, 0.0)]
    return [*pairs, (0, "SEQEND"), common[0]]


def _encoded(pairs: Sequence[Pair]) -> bytes:
    """Group codes and values, each on a line of its own."""
    return "".join(f"{code:3d}\r\n{value}\r\n" for code, value in pairs).encode(ENCODING, "replace")
