"""Reading the diagrams of a layer's style."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from lxml import etree

from qgserver.diagrams.model import Attribute, Category, Diagrams, Interpolation, kinds
from qgserver.draw.color import Color
from qgserver.draw.fonts import BOLD, NORMAL, Font
from qgserver.draw.units import parse_map_unit_scale
from qgserver.errors import ExpressionError, Problem, Problems
from qgserver.expression.nodes import FieldRef, Node
from qgserver.expression.parser import parse
from qgserver.labeling.model import LineFlags, Mode
from qgserver.labeling.readtext import Attributes
from qgserver.symbology.options import Length
from qgserver.symbology.properties import read_properties

MOST_ATTRIBUTES = 200
_RENDERERS = ("SingleCategoryDiagramRenderer", "LinearlyInterpolatedDiagramRenderer")


@lru_cache(maxsize=256)
def read_diagrams(text: str, layer: str) -> tuple[Diagrams | None, tuple[Problem, ...]]:
    """The diagrams that the XML ``text`` (``Style.diagrams``) describes, None when there are none, and what in it can't
    be drawn. ``layer`` is the layer's name."""
    problems = Problems()
    found = _read(etree.fromstring(text), layer, problems) if text else None
    return found, tuple(problems.items)


def _read(root: etree._Element, layer: str, problems: Problems) -> Diagrams | None:
    renderer = next((child for child in root if child.tag in _RENDERERS), None)
    if renderer is None:
        problems.add(layer, str(root[0].tag) if len(root) else "diagrams", "these diagrams are not drawn")
        return None
    kind = renderer.get("diagramType", "")
    element = renderer.find("DiagramCategory")
    if kind not in kinds or element is None:
        problems.add(layer, f"diagram {kind}", "these diagrams are not drawn")
        return None
    interpolation = None
    if renderer.tag == _RENDERERS[1]:
        interpolation = _interpolation(renderer, layer, problems)
        if interpolation is None:
            return None
    placing = root.find("DiagramLayerSettings")
    at = Attributes(placing)
    mode = at.integer("placement")
    defined = None if placing is None else placing.find("properties")
    return Diagrams(
        kind,
        _category(element, layer, problems),
        interpolation,
        Mode(mode) if mode in Mode.__members__.values() else Mode.AROUND_POINT,
        LineFlags(at.integer("linePlacementFlags", 2) & 15),
        at.number("dist"),
        at.number("priority", 5.0),
        at.number("zIndex"),
        at.flag("obstacle"),
        at.flag("showAll", True),
        renderer.get("attributeLegend", "1") != "0",
        read_properties(defined, layer, problems),
    )


def _node(text: str, layer: str, problems: Problems) -> Node | None:
    try:
        return parse(text)
    except ExpressionError as error:
        problems.add(layer, "diagram", error.message)
        return None


def _interpolation(element: etree._Element, layer: str, problems: Problems) -> Interpolation | None:
    at = Attributes(element)
    text, field = at.text("classificationAttributeExpression"), at.text("classificationField")
    node = _node(text, layer, problems) if text else FieldRef(field) if field else None
    if node is None:
        problems.add(layer, "diagram", "its size depends on nothing")
        return None
    return Interpolation(
        node,
        at.number("lowerValue"),
        at.number("upperValue"),
        (at.number("lowerWidth"), at.number("lowerHeight")),
        (at.number("upperWidth"), at.number("upperHeight")),
    )


def _category(element: etree._Element, layer: str, problems: Problems) -> Category:
    at = Attributes(element)
    # the attribute called "min" is the smaller denominator, in older files the other way round
    low, high = sorted((at.number("minScaleDenominator"), at.number("maxScaleDenominator")))
    limited = at.flag("scaleBasedVisibility")
    unit = Length(1.0, at.unit("sizeType"), parse_map_unit_scale(at.text("sizeScale") or None))
    return Category(
        tuple(_attributes(element, layer, problems)),
        at.number("width"),
        at.number("height"),
        unit,
        at.number("minimumSize"),
        at.text("scaleDependency", "Area") == "Area",
        _with_alpha(at.color("penColor", (0.0, 0.0, 0.0, 1.0)), at.number("penAlpha", 255.0) / 255),
        at.length("penWidth", "lineSizeType", "lineSizeScale", 0.0),
        _with_alpha(at.color("backgroundColor", (1.0, 1.0, 1.0, 1.0)), at.number("backgroundAlpha", 255.0) / 255),
        at.share("opacity", "transparency"),
        at.number("rotationOffset", at.number("angleOffset", 270.0)),
        at.text("diagramOrientation", "Up"),
        at.number("barWidth", 5.0),
        at.length("spacing", "spacingUnit", "spacingUnitScale", 0.0),
        _font(element.find("fontProperties")),
        at.text("labelPlacementMethod") == "XHeight",
        (low, high) if limited else (0.0, 0.0),
    )


def _attributes(element: etree._Element, layer: str, problems: Problems) -> Iterator[Attribute]:
    for child in list(element.iterfind("attribute"))[:MOST_ATTRIBUTES]:
        at = Attributes(child)
        color = _with_alpha(at.color("color", (0.0, 0.0, 0.0, 1.0)), at.number("colorOpacity", 1.0))
        text = at.text("field")
        yield Attribute(_node(text, layer, problems) if text else None, color, at.text("label") or text)


def _with_alpha(color: Color, alpha: float) -> Color:
    return (*color[:3], min(max(alpha, 0.0), 1.0) * color[3])


def _font(element: etree._Element | None) -> Font:
    """Qt's description of a font: family, size in points, pixels, hint, weight, italic, ..."""
    at = Attributes(element)
    parts = at.text("description").split(",")
    numbers = Attributes(etree.Element("font", {f"n{i}": part for i, part in enumerate(parts)}))
    weight = numbers.integer("n4", NORMAL)
    return Font(
        parts[0], numbers.number("n1", 10.0), min(max(weight, 0), BOLD + 24), numbers.flag("n5"), at.text("style")
    )
