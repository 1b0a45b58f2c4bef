"""What renderers of groups of near points share: who belongs together, and how the groups are painted."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from lxml import etree

from qgserver.draw.units import RenderScale, parse_map_unit_scale
from qgserver.geo.geometry import POINT, Floats, Ints, offsets, spans
from qgserver.geo.nearby import group_nearby
from qgserver.geo.wkb import take
from qgserver.providers.batch import Column, take_batch
from qgserver.symbology.env import Env
from qgserver.symbology.options import Length, parse_number
from qgserver.symbology.paint import point_geometry
from qgserver.symbology.renderer import Renderer, Source
from qgserver.symbology.scene import Scene
from qgserver.symbology.symbol import Symbol

FURTHEST = 1e9
"""Pixels that a tolerance may have: more than any map is wide."""

PLAIN = '<symbol type="marker"><layer class="SimpleMarker"/></symbol>'


@dataclass(frozen=True, slots=True)
class Groups:
    """g groups of m points: the members of group i are ``rows[starts[i]:starts[i+1]]``, numbers of features, drawn
    with ``symbols`` of the same positions; ``centers`` float64[g, 2] in pixels."""

    rows: Ints
    symbols: Ints
    starts: Ints
    centers: Floats

    @property
    def sizes(self) -> Ints:
        """int64[g]"""
        return np.diff(self.starts)

    def take(self, order: Ints) -> Groups:
        """The groups of these numbers, in this order."""
        members = spans(self.starts[order], self.starts[order + 1])
        return Groups(self.rows[members], self.symbols[members], offsets(self.sizes[order]), self.centers[order])


def find_groups(scene: Scene, inner: Renderer, tolerance: Length, *, by_symbol: bool) -> Groups:
    """The features that ``inner`` draws, each with the first symbol it gets, in groups of neighbours. Of several
    points each counts. ``by_symbol``: symbol by symbol, as with symbol levels (measured)."""
    jobs = inner.classify(scene.env.batch, scene.env.context, scene.env.scale.scale_denominator)
    fresh = np.ones(len(jobs), dtype=bool)
    fresh[1:] = np.diff(jobs.rows) != 0
    rows, symbols = jobs.rows[fresh], jobs.symbols[fresh]
    counts = np.diff(scene.geometry.vertex_offsets())[rows]
    shapes = take(scene.geometry, rows)
    points = scene.to_pixels(point_geometry(shapes.coords)).coords
    rows, symbols = np.repeat(rows, counts), np.repeat(symbols, counts)
    keep = np.repeat(shapes.ring_kinds() == POINT, np.diff(shapes.rings))
    rows, symbols, points = rows[keep], symbols[keep], points[keep]
    finite = np.isfinite(points).all(axis=1)
    rows, symbols, points = rows[finite], symbols[finite], points[finite]
    if by_symbol:
        order = np.argsort(symbols, kind="stable")
        rows, symbols, points = rows[order], symbols[order], points[order]
    numbers, centers = group_nearby(points, reach(tolerance, scene.env.scale))
    order = np.argsort(numbers, kind="stable")
    return Groups(rows[order], symbols[order], offsets(np.bincount(numbers, minlength=len(centers))), centers)


def reach(tolerance: Length, scale: RenderScale) -> float:
    """The tolerance in pixels; its sign means nothing (measured)."""
    return min(abs(tolerance.pixels(scale)), FURTHEST)


def read_tolerance(element: etree._Element) -> Length:
    """``tolerance``, ``toleranceUnit`` and ``toleranceUnitScale``."""
    return Length(
        parse_number(element.get("tolerance", "0.00001"), 0.0),
        element.get("toleranceUnit", "MapUnit"),
        parse_map_unit_scale(element.get("toleranceUnitScale")),
    )


def read_marker(element: etree._Element, source: Source) -> Symbol:
    """The symbol of groups; without one QGIS takes its plain marker (measured)."""
    symbol = element.find("symbol")
    return source.symbol(etree.fromstring(PLAIN) if symbol is None else symbol)


def features_at(scene: Scene, rows: Ints, **columns: Column) -> Env:
    """The environment in which the features of these numbers are drawn in turn, with more columns."""
    batch = take_batch(scene.env.batch, rows)
    batch = replace(batch, columns={**batch.columns, **columns})
    return replace(scene.env, batch=batch, painters={}, values={})
