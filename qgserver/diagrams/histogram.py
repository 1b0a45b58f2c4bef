"""Histograms: a bar for each value, side by side."""

from __future__ import annotations

from qgserver.diagrams.bars import draw_bar, is_upright
from qgserver.diagrams.model import LARGEST, Diagram, Kind, Pair, kinds
from qgserver.draw.canvas import Canvas
from qgserver.draw.units import RenderScale


class Histogram(Kind):
    """Bars as long as their values, in the diagram's unit unless a range of sizes is given."""

    def size(self, diagram: Diagram, fixed: Pair, scale: RenderScale) -> Pair:
        across = self._across(diagram, scale)
        longest = self._longest(diagram, scale)
        if diagram.is_fixed:
            longest = fixed[1] if is_upright(diagram) else fixed[0]
        return (across, longest) if is_upright(diagram) else (longest, across)

    def per_value(self, last: Diagram) -> float | None:
        """Of a fixed size, bars are as long as QGIS 3.22 makes them: by the largest value of the last feature and the
        wrong way round, so that large values give long bars, beyond their box (measured)."""
        category = last.category
        length = category.height if is_upright(last) else category.width
        largest = max((value or 0.0 for value in last.values), default=0.0)
        return largest / length if last.is_fixed and length > 0 and largest > 0 else None

    def _across(self, diagram: Diagram, scale: RenderScale) -> float:
        category = diagram.category
        count = len(category.attributes)
        return category.pixels(category.bar_width, scale) * count + category.spacing.pixels(scale) * max(count - 1, 0)

    def _longest(self, diagram: Diagram, scale: RenderScale) -> float:
        largest = max((value or 0.0 for value in diagram.values), default=0.0)
        least = diagram.category.minimum
        return min(diagram.category.pixels(max(largest, least) * diagram.per_value, scale), LARGEST)

    def draw(self, canvas: Canvas, diagram: Diagram, corner: Pair, scale: RenderScale) -> None:
        category, (x, y) = diagram.category, corner
        thick, gap = category.pixels(category.bar_width, scale), category.spacing.pixels(scale)
        longest, across = self._longest(diagram, scale), self._across(diagram, scale)
        at = 0.0
        for value, color in zip(diagram.values, category.fills(), strict=True):
            length = max(min(category.pixels((value or 0.0) * diagram.per_value, scale), LARGEST), -LARGEST)
            box = {
                "Down": (x + at, y - longest, thick, length),
                "Left": (x + longest, y - across + at, -length, thick),
                "Right": (x, y - across + at, length, thick),
            }.get(category.orientation, (x + at, y, thick, -length))
            draw_bar(canvas, diagram, box, color, scale)
            at += thick + gap


kinds.register("Histogram")(Histogram())
