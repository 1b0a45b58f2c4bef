"""Geometries of the request itself, drawn above all layers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import shapely

from qgserver.draw.canvas import Canvas
from qgserver.geo.wkb import decode
from qgserver.project.model import Style, VectorLayer
from qgserver.providers.batch import Batch
from qgserver.providers.uri import DataSource
from qgserver.render.layer import Drawing, LayerPlan, prepare
from qgserver.render.painter import paint
from qgserver.render.request import Highlight, MapLayer

NAME = "highlight"


def draw_highlights(canvas: Canvas, highlights: Sequence[Highlight], drawing: Drawing) -> None:
    """Draw them one above the other; they are in the CRS of the map."""
    for one in highlights:
        style = Style(NAME, one.renderer)
        layer = VectorLayer(NAME, NAME, NAME, DataSource("memory"), drawing.view.crs, styles={NAME: style})
        plan = LayerPlan(MapLayer(layer), layer, style, None, drawing.view.extent, 0.0)
        batch = Batch(np.array([1]), {}, decode([shapely.to_wkb(one.geometry)]))
        painting = prepare(canvas, plan, batch, drawing, drawing.context, None)
        if painting is not None:
            paint(painting, one.renderer)
