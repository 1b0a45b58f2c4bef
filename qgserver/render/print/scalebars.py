"""Scale bars."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial

import numpy as np
from shapely import LineString

from qgserver.expression.measure import ellipsoidal_length
from qgserver.project.model.layouts import Border, MapItem, ScaleBarItem
from qgserver.render.print.paper import Paper, map_denominator
from qgserver.render.print.texts import Type, type_of

NICE = (1.0, 2.0, 2.5, 5.0, 10.0)
"""Multiples of powers of ten that a bar is fitted with."""
METERS = {
    "meters": 1.0, "km": 1000.0, "feet": 0.3048, "nautical miles": 1852.0, "yards": 0.9144, "miles": 1609.344,
    "cm": 0.01, "mm": 0.001, "inches": 0.0254,
}  # fmt: skip
"""Units of scale bars; any other one is the map's."""
SMALLEST = 0.01
"""Millimetres that a segment must have to be drawn."""

Boxes = list[tuple[float, float]]
"""Left edge and width of segments in mm, from the left end of the bar."""
Label = tuple[float, str, str]
"""Where it stands in mm from there, the number that is centred there, and the whole text."""


def fit_scale_bar(paper: Paper, item: ScaleBarItem) -> tuple[ScaleBarItem, Callable[[Paper], None]]:
    """The item as wide as its bar with its labels, and what draws it: nothing without the map it belongs to."""
    shown = paper.all_maps.get(item.map_uuid)
    kind = type_of(item.format)
    if shown is None or kind is None or shown.extent.width <= 0 or shown.width <= 0:
        return item, _draw_nothing
    if item.style == "Numeric":
        return item, partial(_draw_numeric, item=item, shown=shown, kind=kind)
    boxes, units = _segments(paper, item, shown)
    if not boxes:
        return item, _draw_nothing
    labels = list(_labels(item, units, boxes))
    first = 0.0 if item.labels_centered else kind.width(labels[0][1]) / 2
    last = max(0.0, *(place - kind.width(number) / 2 + kind.width(text) for place, number, text in labels))
    item = replace(item, width=first + max(last, sum(boxes[-1])) + 2 * (item.box_space + item.line_width))
    return item, partial(_draw_bar, item=item, kind=kind, boxes=boxes, labels=labels)


def _draw_nothing(paper: Paper) -> None:
    pass


def _segments(paper: Paper, item: ScaleBarItem, shown: MapItem) -> tuple[Boxes, float]:
    """The segments, and how many units one of those right of zero has."""
    per_mm = _units_across(paper, item, shown) / shown.width
    units = _fitted(item, per_mm) if item.fit else item.units
    segment = units / per_mm if per_mm > 0 else 0.0
    if not SMALLEST <= segment < 10_000:
        return [], units
    boxes: Boxes = [(segment / item.left * i, segment / item.left) for i in range(item.left)]
    start = segment if item.left else 0.0
    return [*boxes, *((start + segment * i, segment) for i in range(item.segments))], units


def _draw_bar(paper: Paper, item: ScaleBarItem, kind: Type, boxes: Boxes, labels: Sequence[Label]) -> None:
    # all begins a line's width to the right (measured)
    left = item.box_space + item.line_width + (0.0 if item.labels_centered else kind.width(labels[0][1]) / 2)
    tall = kind.ascent
    top = item.box_space + (0.0 if item.labels_below else tall + item.label_space)
    _BARS.get(item.style, _single_box)(paper, item, boxes, (left, top))
    baseline = top + item.bar_height + item.label_space + tall if item.labels_below else item.box_space + tall
    for place, number, text in labels:
        kind.draw(paper, item, (left + place - kind.width(number) / 2, baseline), text)


def _units_across(paper: Paper, item: ScaleBarItem, shown: MapItem) -> float:
    """How wide the map is along its lower edge, in the bar's units."""
    box = shown.extent
    meters = METERS.get(item.unit)
    if meters is None:
        return box.width
    edge = LineString([(box.xmin, box.ymin), (box.xmax, box.ymin)])
    length = ellipsoidal_length(edge, paper.request.crs.authid, paper.project.ellipsoid, False) or 0.0
    if length == box.width:  # measured in the plane
        length *= paper.request.crs.meters_per_unit
    return length / meters


def _fitted(item: ScaleBarItem, per_mm: float) -> float:
    """Units of a segment that make the bar neither too narrow nor too wide."""
    low, high = item.fit or (50.0, 150.0)
    count = max(item.segments + (1 if item.left else 0), 1)
    wanted = (low + high) / 2 / count * per_mm
    if not 0 < wanted < math.inf:
        return item.units
    power = 10.0 ** math.floor(math.log10(wanted))
    return min((power * nice for nice in NICE), key=lambda value: abs(value - wanted))


def _labels(item: ScaleBarItem, units: float, boxes: Boxes) -> Iterator[Label]:
    """Place, number and text of each label: at the ends of segments, the last one with the unit."""
    right = boxes[item.left :]
    if item.left:
        yield 0.0, *(_number(item, units / item.map_units),) * 2
    for i, (place, width) in enumerate(right):
        text = _number(item, units * i / item.map_units)
        yield place + (width / 2 if item.labels_centered else 0.0), text, text
    if not item.labels_centered:
        place, width = boxes[-1]
        text = _number(item, units * len(right) / item.map_units)
        yield place + width, text, f"{text} {item.unit_label}".rstrip()


def _number(item: ScaleBarItem, value: float) -> str:
    """The value with separators between thousands, without zeros at the end."""
    text = f"{value:,.{min(max(item.decimals, 0), 12)}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _draw_numeric(paper: Paper, item: ScaleBarItem, shown: MapItem, kind: Type) -> None:
    text = f"1:{_number(item, map_denominator(paper, shown))}"
    room = item.width - 2 * item.box_space - kind.width(text)
    left = item.box_space + (0.0, room / 2, room)[min(max(item.alignment, 0), 2)]
    kind.draw(paper, item, (left, item.box_space + kind.ascent), text)


def _box(paper: Paper, item: ScaleBarItem, corner: tuple[float, float], size: tuple[float, float], dark: bool) -> None:
    (x, y), (width, height) = corner, size
    ring = paper.points(item, np.array(((x, y), (x + width, y), (x + width, y + height), (x, y + height))))
    paper.fill(ring, item.fill if dark else item.fill2)
    paper.stroke(ring, Border(item.line_color, item.line_width, "miter"))


def _single_box(paper: Paper, item: ScaleBarItem, boxes: Boxes, corner: tuple[float, float]) -> None:
    for i, (place, width) in enumerate(boxes):
        _box(paper, item, (corner[0] + place, corner[1]), (width, item.bar_height), i % 2 == 0)


def _hollow(paper: Paper, item: ScaleBarItem, boxes: Boxes, corner: tuple[float, float]) -> None:
    """Boxes over a line through their middle, of which only the tips show."""
    ends = np.array(((boxes[0][0], item.bar_height / 2), (sum(boxes[-1]), item.bar_height / 2))) + np.array(corner)
    paper.stroke(paper.points(item, ends), Border(item.line_color, item.line_width, "miter"), closed=False)
    _single_box(paper, item, boxes, corner)


def _stepped(paper: Paper, item: ScaleBarItem, boxes: Boxes, corner: tuple[float, float]) -> None:
    """A line along the top of the first segment, the bottom of the next one and so on."""
    places = [(boxes[0][0], item.bar_height)]
    for i, (place, width) in enumerate(boxes):
        level = item.bar_height * (i % 2)
        places += [(place, level), (place + width, level)]
    places.append((sum(boxes[-1]), item.bar_height))
    line = np.array(places) + np.array(corner)
    paper.stroke(paper.points(item, line), Border(item.line_color, item.line_width, "miter"), closed=False)


def _double_box(paper: Paper, item: ScaleBarItem, boxes: Boxes, corner: tuple[float, float]) -> None:
    half = item.bar_height / 2
    for i, (place, width) in enumerate(boxes):
        for row in range(2):
            _box(paper, item, (corner[0] + place, corner[1] + row * half), (width, half), (i + row) % 2 == 0)


def _ticks(middle: float) -> Callable[[Paper, ScaleBarItem, Boxes, tuple[float, float]], None]:
    """A line at a share of the height, with upright ticks of all of it."""

    def draw(paper: Paper, item: ScaleBarItem, boxes: Boxes, corner: tuple[float, float]) -> None:
        line = Border(item.line_color, item.line_width, "miter")
        ends = [place for place, _ in boxes] + [sum(boxes[-1])]
        for end in ends:
            tick = np.array(((end, 0.0), (end, item.bar_height))) + np.array(corner)
            paper.stroke(paper.points(item, tick), line, closed=False)
        level = item.bar_height * middle
        along = np.array(((ends[0], level), (ends[-1], level))) + np.array(corner)
        paper.stroke(paper.points(item, along), line, closed=False)

    return draw


_BARS: Mapping[str, Callable[[Paper, ScaleBarItem, Boxes, tuple[float, float]], None]] = {
    "Single Box": _single_box,
    "Double Box": _double_box,
    "hollow": _hollow,
    "stepped": _stepped,
    "Line Ticks Up": _ticks(1.0),
    "Line Ticks Middle": _ticks(0.5),
    "Line Ticks Down": _ticks(0.0),
}
