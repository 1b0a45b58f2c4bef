"""Callouts: lines and balloons between a label and what it names."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
import shapely
from lxml import etree
from shapely.geometry.base import BaseGeometry
from shapely.ops import substring

from qgserver.draw.canvas import Canvas
from qgserver.draw.units import parse_map_unit_scale
from qgserver.errors import Problems
from qgserver.geo.geometry import Floats
from qgserver.symbology.env import Env, Shapes
from qgserver.symbology.options import Length, parse_number
from qgserver.symbology.paint import line_geometry, paint_symbol, ring_geometry
from qgserver.symbology.properties import Convert, Properties, as_flag, as_length, as_number, as_text, read_properties
from qgserver.symbology.symbol import Symbol, read_symbol

POLE, EXTERIOR, SURFACE, CENTROID = "pole_of_inaccessibility", "point_on_exterior", "point_on_surface", "centroid"
"""``anchorPoint``: which point of a feature a callout leads to."""
LARGEST_SYMBOL = 1 << 20
"""Characters of a symbol kept as text in a callout."""
_STEPS = 24
"""Pieces of a curved callout."""


@dataclass(frozen=True, slots=True)
class Callout:
    """``<callout>``. ``curvature`` and ``orientation`` belong to curved ones, ``margins`` (left, top, right, bottom in
    the unit of ``margin_unit``), ``wedge`` and ``corner`` to balloons."""

    kind: str = "simple"
    enabled: bool = False
    symbol: Symbol = Symbol("line", ())
    min_length: Length = Length(0.0)
    from_anchor: Length = Length(0.0)
    from_label: Length = Length(0.0)
    anchor: str = POLE
    label_anchor: str = EXTERIOR
    all_parts: bool = False
    blend_mode: int = 0
    curvature: float = 0.1
    orientation: str = "automatic"
    margins: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)
    margin_unit: str = "MM"
    wedge: Length = Length(2.64)
    corner: Length = Length(0.0)
    properties: Properties = Properties()

    def with_values(self, values: Mapping[str, object]) -> Callout:
        """The callout with what data define: keys of ``CALLOUT_DEFINED``."""
        changed = self
        for key, value in values.items():
            if value is not None and key in CALLOUT_DEFINED:
                name, convert = CALLOUT_DEFINED[key]
                changed = replace(changed, **{name: convert(value, getattr(changed, name))})
        return changed


CALLOUT_DEFINED: Mapping[str, tuple[str, Convert]] = {
    "CalloutDraw": ("enabled", as_flag),
    "MinCalloutLength": ("min_length", as_length),
    "OffsetFromAnchor": ("from_anchor", as_length),
    "OffsetFromLabel": ("from_label", as_length),
    "DrawCalloutToAllParts": ("all_parts", as_flag),
    "AnchorPointPosition": ("anchor", as_text),
    "LabelAnchorPointPosition": ("label_anchor", as_text),
    "CalloutCurvature": ("curvature", as_number),
    "CalloutOrientation": ("orientation", as_text),
}
"""What of a callout data may define."""


def read_callout(element: etree._Element | None, layer: str, problems: Problems) -> Callout | None:
    """The callout of a layer's labels, None when there is none; ``layer`` is its name, for the list of problems."""
    if element is None:
        return None
    found = {child.get("name", ""): child.get("value", "") for child in element.iterfind("Option/Option")}

    def length(name: str, default: float) -> Length:
        limits = parse_map_unit_scale(found.get(f"{name}MapUnitScale") or None)
        return Length(parse_number(found.get(name, ""), default), found.get(f"{name}Unit", "MM"), limits)

    margins = [parse_number(part, 0.0) for part in found.get("margins", "").split(",")]
    left, top, right, bottom = margins if len(margins) == 4 else (0.0, 0.0, 0.0, 0.0)
    kind = element.get("type", "simple")
    if kind not in SHAPES:
        problems.add(layer, f"callout {kind}", "these callouts are drawn as simple lines")
        kind = "simple"
    key = "markerSymbol" if kind == "balloon" and "markerSymbol" in found else _SYMBOL_KEYS.get(kind, "lineSymbol")
    return Callout(
        kind,
        found.get("enabled", "0") in ("1", "true"),
        _read_symbol(found.get(key, ""), layer, problems),
        length("minLength", 0.0),
        length("offsetFromAnchor", 0.0),
        length("offsetFromLabel", 0.0),
        found.get("anchorPoint", POLE),
        found.get("labelAnchorPoint", EXTERIOR),
        found.get("drawToAllParts", "") in ("1", "true"),
        int(parse_number(found.get("blendMode", ""), 0.0)),
        parse_number(found.get("curvature", ""), 0.1),
        found.get("orientation", "automatic"),
        (left, top, right, bottom),
        found.get("marginsUnit", "MM"),
        length("wedgeWidth", 2.64),
        length("cornerRadius", 0.0),
        read_properties(_wrapped(element), layer, problems),
    )


_SYMBOL_KEYS = {"balloon": "fillSymbol"}


def _wrapped(element: etree._Element) -> etree._Element | None:
    """``ddProperties`` in the form in which symbol layers have it."""
    found = element.find("Option/Option[@name='ddProperties']")
    if found is None:
        return None
    outer = etree.Element("data_defined_properties")
    inner = etree.SubElement(outer, "Option")
    inner.extend([etree.fromstring(etree.tostring(child)) for child in found])
    return outer


def _read_symbol(text: str, layer: str, problems: Problems) -> Symbol:
    """A symbol kept as XML text in an attribute."""
    if not text or len(text) > LARGEST_SYMBOL:
        return Symbol("line", ())
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    try:
        element = etree.fromstring(text.encode(), parser)
    except etree.XMLSyntaxError:
        problems.add(layer, "callout", "its symbol can't be read")
        return Symbol("line", ())
    return read_symbol(element, layer, problems)


@dataclass(frozen=True, slots=True, eq=False)
class Box:
    """A label's box as it lies on the map, for its callout: ``ring`` float64[4, 2] from the lower left corner counter-
    clockwise, in engine space (y up); ``angle`` in radians."""

    ring: Floats
    angle: float

    @property
    def polygon(self) -> shapely.Polygon:
        return shapely.Polygon(self.ring)


def draw_callout(canvas: Canvas, env: Env, callout: Callout, box: Box, geometry: BaseGeometry) -> None:
    """Draw what leads from the label in ``box`` to ``geometry`` (engine space), one line to each part if asked."""
    parts = shapely.get_parts(geometry) if callout.all_parts else [geometry]
    for part in parts:
        anchor = _anchor(callout, part, box)
        if anchor is not None:
            _draw_one(canvas, env, callout, box, anchor)


def _anchor(callout: Callout, geometry: BaseGeometry, box: Box) -> Floats | None:
    """The point of the feature that the callout leads to, float64[2]."""
    if geometry.is_empty:
        return None
    find = _ANCHORS[int(shapely.get_dimensions(geometry))].get(callout.anchor)
    point = find(geometry) if find else _nearest(geometry, box.polygon)
    return np.asarray(shapely.get_coordinates(point)[0])


def _nearest(geometry: BaseGeometry, to: BaseGeometry) -> BaseGeometry:
    """The point of a geometry's outline that is nearest to another one."""
    outline = geometry.boundary if shapely.get_dimensions(geometry) == 2 else geometry
    return shapely.Point(shapely.get_coordinates(shapely.shortest_line(outline, to))[0])


def _middle(geometry: BaseGeometry) -> BaseGeometry:
    """Half-way along the longest part of a line."""
    parts = shapely.get_parts(geometry)
    middle: BaseGeometry = shapely.line_interpolate_point(
        parts[int(np.argmax(shapely.length(parts)))], 0.5, normalized=True
    )
    return middle


def _pole(geometry: BaseGeometry) -> BaseGeometry:
    """The point furthest from the outline, of the largest part."""
    parts = shapely.get_parts(geometry)
    largest = parts[int(np.argmax(shapely.area(parts)))]
    return shapely.Point(shapely.get_coordinates(shapely.maximum_inscribed_circle(largest, tolerance=1.0))[0])


_Find = Callable[[BaseGeometry], BaseGeometry]
_ANCHORS: Mapping[int, Mapping[str, _Find]] = {
    0: {},
    1: {POLE: _middle, SURFACE: _middle, CENTROID: shapely.centroid},
    2: {POLE: _pole, SURFACE: shapely.point_on_surface, CENTROID: shapely.centroid},
}
"""Dimension of a feature and kind of anchor -> its point; anything else is the point nearest to the label."""


def _label_point(callout: Callout, box: Box, anchor: Floats) -> tuple[float, float]:
    """Where at the label's box the callout begins."""
    (ax, ay), (bx, by), (cx, cy), (dx, dy) = box.ring.tolist()
    points = {
        "label_bottom_left": (ax, ay),
        "label_bottom_middle": ((ax + bx) / 2, (ay + by) / 2),
        "label_bottom_right": (bx, by),
        "label_middle_left": ((ax + dx) / 2, (ay + dy) / 2),
        "label_middle_right": ((bx + cx) / 2, (by + cy) / 2),
        "label_top_left": (dx, dy),
        "label_top_middle": ((cx + dx) / 2, (cy + dy) / 2),
        "label_top_right": (cx, cy),
        "label_centroid": ((ax + cx) / 2, (ay + cy) / 2),
    }
    if callout.label_anchor in points:
        return points[callout.label_anchor]
    nearest = shapely.shortest_line(box.polygon, shapely.Point(anchor))
    x, y = shapely.get_coordinates(nearest)[0].tolist()
    return x, y


def _draw_one(canvas: Canvas, env: Env, callout: Callout, box: Box, anchor: Floats) -> None:
    start = np.array(_label_point(callout, box, anchor))
    length = math.hypot(*(anchor - start).tolist())
    least = callout.min_length.pixels(env.scale)
    if callout.kind != "balloon" and (length <= 0 or 0 < least > length):
        return
    if callout.kind == "balloon":
        ring = _balloon(env, callout, box, anchor)
        shapes = Shapes(ring_geometry([_device(canvas, ring)]), np.zeros(1, np.int64))
    else:
        line = _shortened(SHAPES[callout.kind](callout, start, anchor), env, callout)
        if line is None:
            return
        shapes = Shapes(line_geometry(_device(canvas, line)[None]), np.zeros(1, np.int64))
    paint_symbol(canvas, env, callout.symbol, shapes)


def _device(canvas: Canvas, points: Floats) -> Floats:
    return np.column_stack((points[:, 0], canvas.height - points[:, 1]))


def _shortened(line: Floats, env: Env, callout: Callout) -> Floats | None:
    """The line without what the callout keeps clear at both ends; None when nothing is left."""
    at_label, at_anchor = callout.from_label.pixels(env.scale), callout.from_anchor.pixels(env.scale)
    if at_label <= 0 and at_anchor <= 0:
        return line
    shape = shapely.LineString(line)
    if at_label + at_anchor >= shape.length:
        return None
    kept = substring(shape, max(at_label, 0.0), shape.length - max(at_anchor, 0.0))
    return shapely.get_coordinates(kept)


def _simple(callout: Callout, start: Floats, end: Floats) -> Floats:
    return np.array((start, end))


def _manhattan(callout: Callout, start: Floats, end: Floats) -> Floats:
    """Down from the label, then across."""
    return np.array((start, (start[0], end[1]), end))


def _curved(callout: Callout, start: Floats, end: Floats) -> Floats:
    """A quadratic curve whose control point stands beside the middle."""
    along = end - start
    clockwise = callout.orientation == "clockwise"
    if callout.orientation not in ("clockwise", "counterclockwise"):
        clockwise = (along[0] >= 0) == (along[1] >= 0)
    side = np.array((along[1], -along[0])) * (-1.0 if clockwise else 1.0)
    control = (start + end) / 2 + side * callout.curvature
    t = np.linspace(0.0, 1.0, _STEPS + 1)[:, None]
    return (1 - t) ** 2 * start + 2 * t * (1 - t) * control + t**2 * end


SHAPES: Mapping[str, Callable[[Callout, Floats, Floats], Floats]] = {
    "simple": _simple,
    "manhattan": _manhattan,
    "curved": _curved,
    "balloon": _simple,
}
"""Kind -> line from the label to the anchor."""


def _balloon(env: Env, callout: Callout, box: Box, anchor: Floats) -> Floats:
    """The label's box with margins and a wedge that ends at the anchor, as one ring."""
    left, top, right, bottom = (Length(margin, callout.margin_unit).pixels(env.scale) for margin in callout.margins)
    low, high = box.ring.min(axis=0), box.ring.max(axis=0)
    x0, y0, x1, y1 = low[0] - left, low[1] - bottom, high[0] + right, high[1] + top
    corners = np.array(((x0, y0), (x1, y0), (x1, y1), (x0, y1)))
    if x0 <= anchor[0] <= x1 and y0 <= anchor[1] <= y1:
        return corners
    wedge = callout.wedge.pixels(env.scale)
    side, along = _nearest_side(corners, anchor, wedge)
    start, end = corners[side], corners[(side + 1) % 4]
    direction = (end - start) / max(math.hypot(*(end - start).tolist()), 1e-9)
    foot = start + direction * along
    ring = [foot, anchor, foot + direction * wedge]
    return np.array([*(corners[(side + 1 + k) % 4] for k in range(4)), *ring])


_SIDES = (2, 1, 0, 3)
"""Top, right, bottom, left: of sides equally near, as from beyond a corner, the last one gets the wedge (measured)."""


def _nearest_side(corners: Floats, anchor: Floats, wedge: float) -> tuple[int, float]:
    """The side of the box that looks at the anchor, and where on it the wedge begins."""
    point = shapely.Point(anchor)
    lines = [shapely.LineString((corners[side], corners[(side + 1) % 4])) for side in range(4)]
    distances = [round(float(shapely.distance(line, point)), 6) for line in lines]
    nearest = min(distances)
    side = next(side for side in reversed(_SIDES) if distances[side] == nearest)
    line = lines[side]
    return side, min(max(float(line.project(point)) - wedge / 2, 0.0), max(line.length - wedge, 0.0))
