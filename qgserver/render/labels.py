"""Labels of a map: gathered while its layers are drawn, then placed and drawn over them.

Imported by the first map that has labels: most of what it needs is loaded for nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from qgserver.diagrams.draw import draw_diagram
from qgserver.diagrams.model import Diagram
from qgserver.diagrams.reading import read_diagrams
from qgserver.diagrams.register import DiagramSource
from qgserver.draw.canvas import Canvas
from qgserver.expression.context import Context
from qgserver.expression.nodes import Node
from qgserver.geo.geometry import POINT, Floats, GeometryArray, Ints
from qgserver.geo.simplify import simplify
from qgserver.geo.view import reproject_for_view
from qgserver.geo.wkb import take
from qgserver.labeling.directions import with_directions
from qgserver.labeling.draw import draw_labels, draw_masks
from qgserver.labeling.markerboxes import MarkerBoxes
from qgserver.labeling.model import Engine, Placed
from qgserver.labeling.parts import Shapes, engine_shapes
from qgserver.labeling.place import place
from qgserver.labeling.plaintext import at_pixels
from qgserver.labeling.projectwide import EngineSettings
from qgserver.labeling.reading import read_labeling
from qgserver.labeling.register import Features, Source
from qgserver.labeling.rules import matching, sources
from qgserver.labeling.settings import NO_LABELS, Labeling
from qgserver.labeling.symbolscope import COLUMNS, symbol_columns
from qgserver.labeling.variants import Variants
from qgserver.project.model import Style, VectorLayer
from qgserver.providers.batch import Batch
from qgserver.render.geometry import Way
from qgserver.render.view import View
from qgserver.symbology.assets import Assets
from qgserver.symbology.env import Env
from qgserver.symbology.layers.geometrygenerator import generated
from qgserver.symbology.masks import MaskSheets
from qgserver.symbology.properties import merge_fields
from qgserver.symbology.renderer import Jobs, Renderer

NO_FEATURES = Batch(np.zeros(1, dtype=np.int64), {}, None)
"""What the symbols of backgrounds and callouts are drawn for: one feature without attributes."""


@dataclass(slots=True)
class MapLabels:
    """The labels and diagrams of a map being drawn: its sources, bottom first."""

    view: View
    engine: EngineSettings
    sources: list[Source | DiagramSource] = field(default_factory=list)
    placed: Sequence[Placed] | None = None
    """All of them, once they are placed."""

    def of_layer(self, layer: VectorLayer, style: Style) -> LayerLabels | None:
        """The labels of the layer that comes next; None when it shows none at this scale."""
        labeling = NO_LABELS
        if style.labels_enabled and style.labeling:
            labeling, _ = read_labeling(style.labeling, layer.name)
        scale = self.view.with_reference_scale(style.renderer.common.reference_scale)
        size = float(self.view.width), float(self.view.height)
        found: list[Source | DiagramSource] = [
            Source(len(self.sources) + number, layer.id, Variants(settings, scale), *size)
            for number, settings in enumerate(sources(labeling, self.view.denominator))
        ]
        diagrams, _ = read_diagrams(style.diagrams, layer.name)
        if diagrams is not None:
            found.append(DiagramSource(len(self.sources) + len(found), layer.id, diagrams, scale, *size))
        if not any(source.can_show for source in found):
            return None
        self.sources += found
        return LayerLabels(labeling, found, self.view, style.renderer)

    def draw(self, canvas: Canvas, context: Context, assets: Assets) -> None:
        """Draw the labels of all layers, placed if they are not yet."""
        placed = self._place()
        if placed:
            draw_labels(canvas, placed, self._env(context, assets), self.engine.unplaced, self._draw_other)

    def draw_masks(self, masks: MaskSheets, context: Context, assets: Assets) -> None:
        """Place the labels and paint the room that they want of symbol layers."""
        draw_masks(self._place(), self._env(context, assets), masks)

    def _place(self) -> Sequence[Placed]:
        if self.placed is None:
            items = [item for source in self.sources for item in source.finish()]
            obstacles = [obstacle for source in self.sources for obstacle in source.obstacles]
            found = place(items, obstacles, self._engine()) if items else []
            placed = with_directions([label for label in found if not (label.unplaced and self._hides(label))])
            self.placed = at_pixels(placed, self.view.height) if self.engine.plain_text else placed
        return self.placed

    def _hides(self, label: Placed) -> bool:
        """Whether the label's source never shows those that found no room."""
        source = self.sources[label.item.source]
        return isinstance(source, Source) and source.never_unplaced

    def _env(self, context: Context, assets: Assets) -> Env:
        return Env(self.view.scale, context, NO_FEATURES, self.view.pixel_extent, exact=True, assets=assets)

    def _draw_other(self, canvas: Canvas, label: Placed) -> None:
        """Draw what is placed like a label but is none."""
        if isinstance(label.item.content, Diagram) and not label.unplaced:
            draw_diagram(canvas, label, label.item.content, self.view.scale)

    def _engine(self) -> Engine:
        settings, view = self.engine, self.view
        engine = Engine(
            float(view.width),
            float(view.height),
            view.scale.px_per_mm,
            settings.candidates_line_per_cm,
            settings.candidates_polygon_per_cm2,
            settings.partials,
            settings.show_all,
            settings.version,
            settings.unplaced is not None,
        )
        if view.rotation:
            return engine
        return replace(engine, unit=view.resolution, corner=(view.extent.xmin, view.extent.ymax))


@dataclass(frozen=True, slots=True)
class LayerLabels:
    """The labels of one layer: ``sources`` of its labels, then of its diagrams. ``view`` is the map's; effects draw
    layers in a wider one."""

    labeling: Labeling
    sources: list[Source | DiagramSource]
    view: View
    renderer: Renderer

    def used_fields(self) -> frozenset[str] | None:
        """Columns that the labels need; None = all of them."""
        diagrams = [one.diagrams.used_fields() for one in self.sources if isinstance(one, DiagramSource)]
        return merge_fields([self.labeling.used_fields(), *diagrams])

    @property
    def of_all(self) -> bool:
        """True when features are labelled that the renderer does not draw: where it draws none at all (measured)."""
        return not self.renderer.symbols

    def add(self, env: Env, geometry: GeometryArray, jobs: Jobs, way: Way) -> None:
        """Register the features of ``env.batch`` that are drawn; ``geometry`` is theirs in device pixels of
        ``way.view``, ``jobs`` says with which symbols."""
        rows = np.arange(len(env.batch), dtype=np.int64) if self.of_all else np.unique(jobs.rows)
        used = self.used_fields()
        if used is None or not used.isdisjoint(COLUMNS.values()):
            added = symbol_columns(self.renderer.symbols, jobs, len(env.batch))
            env = replace(env, batch=replace(env.batch, columns={**env.batch.columns, **added}), values={})
        sight = _Sight(self.view, env, geometry, way)
        features = Features(env, rows, sight.shapes, sight.whole, sight.generated, sight.points, {})
        if (geometry.ring_kinds() == POINT).any():
            boxes = MarkerBoxes(env, self.renderer.symbols).sides(jobs.rows, jobs.symbols)
            features = replace(features, markers=boxes)
        masks = matching(self.labeling, env.batch, env.context, self.view.denominator)
        for number, source in enumerate(self.sources):
            mine = rows[masks[number][rows]] if number < len(masks) else rows
            if source.can_show and len(mine):
                source.add(replace(features, rows=mine))


@dataclass(frozen=True, slots=True)
class _Sight:
    """A batch's geometry as labels see it: engine space of the map's view."""

    view: View
    env: Env
    geometry: GeometryArray
    way: Way

    def shapes(self, rows: Ints) -> Shapes:
        return self._engine(take(self.geometry, rows))

    def whole(self, rows: Ints) -> Shapes:
        geometry = self.env.batch.geometry
        if geometry is None:
            return self.shapes(rows)
        way = self.way
        geometry = simplify(take(geometry, rows), way.tolerance, way.algorithm)
        if way.transform is not None:
            geometry = reproject_for_view(geometry, way.transform, way.view.extent, clip=False)
        return self._engine(way.view.to_device(geometry))

    def generated(self, node: Node, rows: Ints) -> Shapes:
        return self._engine(take(self.env.to_device(generated(node, self.env)), rows))

    def points(self, points: Floats) -> Floats:
        """Points float64[n, 2] of the layer's CRS; NaN or infinite where PROJ can't place them."""
        if self.way.transform is not None:
            points = self.way.transform.points(points)
        return self.view.points_to_device(points) * (1.0, -1.0) + (0.0, self.view.height)

    def _engine(self, geometry: GeometryArray) -> Shapes:
        shift = self.view.points_to_device(self.way.view.corner)
        return engine_shapes(replace(geometry, coords=geometry.coords + shift), self.view.height)
