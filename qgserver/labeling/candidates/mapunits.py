"""Coordinates of the map instead of pixels: lines are measured in these, as QGIS does.

Of places along a line that cost the same, the rounding of sums decides; in pixels it would round otherwise."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import shapely

from qgserver.geo.geometry import Floats
from qgserver.labeling.candidates.columns import Candidates, Shapes
from qgserver.labeling.model import Engine


def to_map(shapes: Shapes, engine: Engine) -> Shapes:
    """The shapes in map units."""
    if engine.corner is None:
        return shapes.copy()
    left, top = engine.corner

    def moved(points: Floats) -> Floats:
        return np.stack(
            (left + points[:, 0] * engine.unit, top - (engine.height - points[:, 1]) * engine.unit), axis=-1
        )

    return np.asarray(shapely.transform(shapes, moved), dtype=object)


def to_pixels(found: Candidates, engine: Engine) -> Candidates:
    """The candidates in pixels again."""
    if engine.corner is None:
        return found
    left, top = engine.corner
    glyphs = found.glyphs.copy()
    glyphs[:, 0] = (glyphs[:, 0] - left) / engine.unit
    glyphs[:, 1] = engine.height - (top - glyphs[:, 1]) / engine.unit
    glyphs[:, 2:4] /= engine.unit
    return replace(
        found,
        x=(found.x - left) / engine.unit,
        y=engine.height - (top - found.y) / engine.unit,
        width=found.width / engine.unit,
        height=found.height / engine.unit,
        glyphs=glyphs,
    )
