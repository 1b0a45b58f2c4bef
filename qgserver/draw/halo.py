"""Widened outlines: what a pen along them covers. Those of letters are made once for each size and pen."""

from __future__ import annotations

import math
from functools import lru_cache
from itertools import pairwise
from typing import Literal

import numpy as np

from qgserver.draw.fonts import Face, Outline
from qgserver.draw.paths import Paths
from qgserver.draw.pen import Join

_KINDS: dict[Join, Literal["round", "mitre", "bevel"]] = {"round": "round", "miter": "mitre", "bevel": "bevel"}
_MITRE_LIMIT = 2.0
"""Qt's: longer tips are cut."""


@lru_cache(maxsize=4096)
def glyph_halo(face: Face, glyph: int, size: float, width: float, join: Join) -> Outline:
    """The rings, in pixels around the glyph's origin, of what a pen of ``width`` pixels covers along its outline at
    ``size`` pixels to the em."""
    outline = face.outlines((glyph,), size)[0]
    found = ring_halo(Paths(outline.coords * size, np.cumsum([0, *outline.counts]), True), width, join)
    return Outline(found.coords, tuple(np.diff(found.starts).tolist()))


def ring_halo(rings: Paths, width: float, join: Join) -> Paths:
    """What a pen of ``width`` pixels covers along rings. Outer rings turn one way and holes the other, so that the
    halos of many letters can be filled together by the winding rule."""
    import shapely

    coords, starts = rings.coords, rings.starts.tolist()
    lines = [shapely.LinearRing(coords[start:stop]) for start, stop in pairwise(starts) if stop - start > 2]
    # a chord of a quarter circle in n pieces is off by radius * (1 - cos(45 degrees / n))
    pieces = max(2, math.ceil(2 * math.sqrt(width)))
    covered = shapely.union_all(
        shapely.buffer(lines, width / 2, quad_segs=pieces, join_style=_KINDS[join], mitre_limit=_MITRE_LIMIT)
    )
    turned = shapely.get_rings(shapely.orient_polygons(shapely.get_parts(covered)))
    found = [shapely.get_coordinates(ring)[:-1] for ring in turned]
    ends = np.cumsum([0, *map(len, found)], dtype=np.int64)
    return Paths(np.concatenate([np.empty((0, 2)), *found]), ends, True)
