"""pointDisplacement: points too near each other are set apart around a symbol in their middle."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from lxml import etree

from qgserver.draw.color import parse_color
from qgserver.draw.units import RenderScale
from qgserver.geo.geometry import Floats, GeometryArray, Ints, offsets
from qgserver.symbology.captions import BLACK, Captions, caption_painter, read_captions
from qgserver.symbology.env import Env
from qgserver.symbology.groups import Groups, features_at, find_groups, read_marker, read_tolerance
from qgserver.symbology.markers import marker_size
from qgserver.symbology.options import Length, parse_number
from qgserver.symbology.paint import point_geometry
from qgserver.symbology.placement import LAYOUTS, Frame, Layout, Room, drawing_waves, fewer
from qgserver.symbology.properties import merge_fields
from qgserver.symbology.renderer import (
    Common,
    Jobs,
    Renderer,
    Source,
    read_common,
    read_renderer,
    renderers,
)
from qgserver.symbology.scene import Palette, Scene
from qgserver.symbology.symbol import Symbol
from qgserver.symbology.wrapped import WrappedRenderer


@dataclass(frozen=True, slots=True)
class DisplacementRenderer(WrappedRenderer):
    """``inner`` says how single features look; its symbols come first, then the one in the middle of a group.
    ``addition`` (mm) widens the layout; ``frame`` is the pen of its circle or lines."""

    middle: Symbol
    tolerance: Length
    layout: Layout
    frame: Frame
    addition: float = 0.0
    captions: Captions | None = None

    @property
    def symbols(self) -> tuple[Symbol, ...]:
        return (*self.inner.symbols, self.middle)

    def used_fields(self) -> frozenset[str] | None:
        own = frozenset({self.captions.field}) if self.captions else frozenset[str]()
        return merge_fields([self.inner.used_fields(), self.middle.used_fields(), self.common.order_fields(), own])

    def filters(self, scale: float) -> bool:
        return self.inner.filters(scale)

    def draw(self, scene: Scene) -> None:
        """Group by group: the frame, the symbol in the middle, the members, their labels (QGIS's order). Groups that
        can't overlap are drawn together."""
        groups = find_groups(scene, self.inner, self.tolerance, by_symbol=self.common.symbol_levels)
        if not len(groups.rows):
            return
        captions = caption_painter(scene, self.captions, groups.rows)
        room = self._room(scene.env.scale, groups)
        waves = fewer(np.arange(len(groups.centers)))
        if captions is None:
            waves = drawing_waves(room, self.layout.places(room)[0], scene.canvas)
            order = np.argsort(waves, kind="stable")
            groups, waves = groups.take(order), waves[order]
            room = self._room(scene.env.scale, groups)
        places, label_places = self.layout.places(room)
        entries = self._entries(scene, groups, places)
        pen, palette = self.frame.pen(scene.env), replace(self, common=Common())
        for first, last in pairwise([0, *(np.flatnonzero(np.diff(waves)) + 1).tolist(), len(waves)]):
            some, members = room.take(first, last), slice(groups.starts[first], groups.starts[last])
            self.layout.draw_frame(scene.canvas, some, places[members], pen)
            entries.paint(scene, first, last, palette)
            if captions is not None:
                captions.draw(groups.rows[members], some, label_places[members])

    def _room(self, scale: RenderScale, groups: Groups) -> Room:
        """What the layout needs to know of each group."""
        diagonals = np.array([marker_size(symbol, scale) for symbol in self.symbols]) * np.sqrt(2.0)
        factor = self.captions.distance if self.captions else 0.0
        addition = Length(self.addition).pixels(scale)
        own = diagonals[groups.symbols]
        return Room(groups.centers, groups.starts, own, float(diagonals[-1]), addition, factor)

    def _entries(self, scene: Scene, groups: Groups, places: Floats) -> _Entries:
        """For each group the symbol in the middle (of a group of several, with the attributes of its first member) and
        the members."""
        several = groups.sizes > 1
        at = groups.starts[:-1][several]
        rows = np.insert(groups.rows, at, groups.rows[at])
        points = np.insert(places, at, groups.centers[several], axis=0)
        symbols = np.insert(groups.symbols, at, len(self.symbols) - 1)
        starts = groups.starts + offsets(several.astype(np.int64))
        return _Entries(features_at(scene, rows), point_geometry(points), symbols, starts)


@dataclass(frozen=True, slots=True)
class _Entries:
    """What is painted in turn, as rows of ``env.batch``; those of group i are ``starts[i]:starts[i+1]``."""

    env: Env
    geometry: GeometryArray
    symbols: Ints
    starts: Ints

    def paint(self, scene: Scene, first: int, last: int, palette: Palette) -> None:
        """Paint the groups ``first`` to ``last``."""
        rows = np.arange(self.starts[first], self.starts[last])
        scene.paint(self.env, self.geometry, Jobs(rows, self.symbols[rows]), palette)


@renderers.register("pointDisplacement")
def read(element: etree._Element, source: Source) -> Renderer:
    inner = read_renderer(element.find("renderer-v2"), source.layer, source.problems)
    return DisplacementRenderer(
        read_common(element, source),
        inner,
        read_marker(element, source),
        read_tolerance(element),
        LAYOUTS.get(element.get("placement", "0"), LAYOUTS["0"]),
        Frame(
            parse_color(element.get("circleColor"), BLACK),
            Length(max(parse_number(element.get("circleWidth", "0.4"), 0.4), 0.0)),
        ),
        parse_number(element.get("circleRadiusAddition", "0"), 0.0),
        read_captions(element),
    )
