"""Legends as data: nodes with an icon of each symbol."""

from __future__ import annotations

import base64
from collections.abc import Sequence

import numpy as np

from qgserver.draw.canvas import Canvas
from qgserver.draw.color import Color
from qgserver.draw.encode import ImageOptions, encode_png
from qgserver.draw.units import RenderScale
from qgserver.geo.geometry import Ints
from qgserver.project.model import Project
from qgserver.render.legend.bars import draw_patch
from qgserver.render.legend.nodes import LayerNode, Node, Row
from qgserver.render.legend.swatch import Box, SwatchPainter, layer_painter
from qgserver.symbology.symbol import Symbol

Json = str | float | list["Json"] | dict[str, "Json"]

ICON = 16
"""Pixels of an icon; markers and wide lines get larger ones."""
PATCH = (7, 4)
"""Pixels of the icon of a raster's colour: as many as the patch has millimetres (measured)."""
TRIAL = 512
"""Pixels in which the size of a symbol is looked for."""
MARGIN = 2
DPI = 96.0
GROWS = {"marker": (True, True), "line": (False, True)}
"""Kinds of symbols whose icon takes the width and height it needs."""


def legend_json(project: Project, nodes: Sequence[Node], map_units_per_mm: float) -> dict[str, Json]:
    """The legend in QGIS Server's form. Layers without any symbol are not in it."""
    return {"nodes": _nodes(project, nodes, RenderScale(DPI / 25.4, map_units_per_mm * 25.4 / DPI, 0.0)), "title": ""}


def _nodes(project: Project, nodes: Sequence[Node], scale: RenderScale) -> list[Json]:
    found: list[Json] = []
    for node in nodes:
        if not isinstance(node, LayerNode):
            found.append({"nodes": _nodes(project, node.members, scale), "title": node.title, "type": "group"})
            continue
        painter = layer_painter(project, node.layer, scale)
        rows = [_row(row, node.opacity, painter) for row in node.rows]
        if len(rows) == 1:
            found.append({**rows[0], "type": "layer"})
        elif rows:
            symbols: list[Json] = [*rows]
            found.append({"symbols": symbols, "title": node.title, "type": "layer"})
    return found


def _row(row: Row, opacity: float, painter: SwatchPainter) -> dict[str, Json]:
    entry: dict[str, Json] = {"title": row.label}
    if row.max_scale:
        entry["scaleMaxDenom"] = row.max_scale
    if row.min_scale:
        entry["scaleMinDenom"] = row.min_scale
    canvas = _icon(row, opacity, painter)
    if canvas is not None:
        png = encode_png(canvas, ImageOptions(transparent=True, dpi=DPI))
        entry["icon"] = base64.b64encode(png).decode("ascii")
    return entry


def _icon(row: Row, opacity: float, painter: SwatchPainter) -> Canvas | None:
    """The picture of a row; texts and bars of colours have none."""
    if row.symbol is not None:
        return icon(row.symbol, opacity, painter)
    if row.patch is not None:
        canvas = Canvas(*PATCH)
        draw_patch(canvas, PATCH, row.patch)
        return canvas
    return None if row.color is None else _plain_icon(row.color)


def _plain_icon(color: Color) -> Canvas:
    canvas = Canvas(ICON, ICON)
    canvas.fill_background(color)
    return canvas


def icon(symbol: Symbol, opacity: float, painter: SwatchPainter) -> Canvas:
    """The picture of a symbol, of the size that QGIS gives its icons. It is not antialiased (measured)."""
    width, height = ICON, ICON
    if symbol.kind in GROWS:
        trial = Canvas(TRIAL, TRIAL, "none")
        painter.draw(trial, symbol, Box(0.0, 0.0, TRIAL, TRIAL))
        drawn = trial.pixels()[..., 3] > 0
        across, down = GROWS[symbol.kind]
        width = _side(np.flatnonzero(drawn.any(axis=0))) if across else ICON
        height = _side(np.flatnonzero(drawn.any(axis=1))) if down else ICON
    canvas = Canvas(width, height, "none")
    painter.draw(canvas, symbol, Box(0.0, 0.0, width, height), opacity)
    return canvas


def _side(drawn: Ints) -> int:
    """The side of an icon that holds these columns (or rows) of a trial, the middle of the trial being its own."""
    reach = int(np.abs(drawn - TRIAL // 2).max()) if len(drawn) else 0
    return max(2 * reach, ICON) + MARGIN
