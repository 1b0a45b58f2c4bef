"""Styles as Symbology Encoding 1.1: renderers as rules, symbol layers as symbolizers. What Symbology Encoding has no
word for is a comment in the document."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from qgserver.draw.color import Color
from qgserver.expression.nodes import Binary, Chain, Literal, Node, all_of, any_of
from qgserver.labeling.reading import read_labeling
from qgserver.ows.feswrite import write_filter
from qgserver.ows.sldlabels import label_rules
from qgserver.ows.sldparts import (
    NOT_SAID,
    UNLIMITED,
    Limits,
    color_parameters,
    displacement,
    fill,
    narrowed,
    parameter,
    scale_elements,
    size,
)
from qgserver.ows.xmlio import element, optional
from qgserver.project.model import Style
from qgserver.symbology.layers.simplefill import SimpleFill
from qgserver.symbology.layers.simpleline import SimpleLine
from qgserver.symbology.layers.simplemarker import SimpleMarker
from qgserver.symbology.options import Length, Offset
from qgserver.symbology.renderer import Renderer
from qgserver.symbology.renderers.categorized import CategorizedRenderer
from qgserver.symbology.renderers.graduated import GraduatedRenderer
from qgserver.symbology.renderers.rules import Rule, RuleRenderer
from qgserver.symbology.renderers.single import SingleRenderer
from qgserver.symbology.symbol import Symbol, SymbolLayer

HAIRLINE = 0.5
JOINS = {"miter": "mitre"}
CAPS = {"flat": "butt"}
DASHES = {"dash": "4 2", "dot": "1 2", "dash dot": "4 2 1 2", "dash dot dot": "4 2 1 2 1 2"}
HATCHES = {
    "horizontal": "horline",
    "vertical": "line",
    "cross": "cross",
    "b_diagonal": "slash",
    "f_diagonal": "backslash",
    "diagonal_x": "x",
}


@dataclass(frozen=True, slots=True)
class _SeRule:
    """One ``se:Rule``; ``condition`` None = all features."""

    symbol: Symbol
    label: str = ""
    condition: Node | None = None
    is_else: bool = False
    limits: Limits = UNLIMITED


def feature_type_style(style: Style, hidden: frozenset[str]) -> str:
    """``se:FeatureTypeStyle`` of a layer's style; filters that speak of ``hidden`` fields are left out."""
    of_layer = style.scale_range.max_scale, style.scale_range.min_scale
    rules = _RULES.get(type(style.renderer))
    inner = NOT_SAID if rules is None else "".join(_rule(rule, of_layer, hidden) for rule in rules(style.renderer))
    if style.labels_enabled and style.labeling:
        labeling, _ = read_labeling(style.labeling, style.name)
        inner += "".join(label_rules(labeling, of_layer, hidden))
    return f"<se:FeatureTypeStyle>{inner or NOT_SAID}</se:FeatureTypeStyle>"


# -- renderers ------------------------------------------------------------------------------------------------------


def _single(renderer: Renderer) -> Iterator[_SeRule]:
    yield _SeRule(renderer.symbols[0], "Single symbol")


def _categories(renderer: Renderer) -> Iterator[_SeRule]:
    assert isinstance(renderer, CategorizedRenderer)
    for category in renderer.categories:
        if category.symbol < 0 or not category.visible or renderer.attribute is None:
            continue
        values = [Literal(value) for value in category.values]
        others = category.values == ("",)
        terms = [Binary("=", renderer.attribute, value) for value in values]
        condition = None if others else any_of(terms)
        yield _SeRule(renderer.symbols[category.symbol], category.label, condition, others)


def _ranges(renderer: Renderer) -> Iterator[_SeRule]:
    """A boundary belongs to the range below it."""
    assert isinstance(renderer, GraduatedRenderer)
    if renderer.attribute is None:
        return
    for place, item in enumerate(renderer.ranges):
        if item.symbol >= 0 and item.visible:
            above = Binary(">" if place else ">=", renderer.attribute, Literal(item.lower))
            below = Binary("<=", renderer.attribute, Literal(item.upper))
            yield _SeRule(renderer.symbols[item.symbol], item.label, Chain("AND", (above, below)))


def _rules(renderer: Renderer) -> Iterator[_SeRule]:
    """Every rule that draws, with the conditions of those around it."""
    assert isinstance(renderer, RuleRenderer)

    def walk(rule: Rule, outer: tuple[Node, ...], limits: Limits) -> Iterator[_SeRule]:
        terms = outer if rule.filter is None else (*outer, rule.filter)
        limits = narrowed(limits, (rule.min_scale, rule.max_scale))
        if rule.symbol >= 0:
            symbol = renderer.symbols[rule.symbol]
            yield _SeRule(symbol, rule.label, all_of(terms), rule.is_else and not outer, limits)
        for child in rule.children:
            if child.active:
                yield from walk(child, terms, limits)

    yield from walk(renderer.root, (), UNLIMITED)


_RULES: dict[type, Callable[[Renderer], Iterator[_SeRule]]] = {
    SingleRenderer: _single,
    CategorizedRenderer: _categories,
    GraduatedRenderer: _ranges,
    RuleRenderer: _rules,
}


def _rule(rule: _SeRule, of_layer: Limits, hidden: frozenset[str]) -> str:
    title = f"<se:Description>{element('se:Title', rule.label)}</se:Description>"
    condition = "<se:ElseFilter/>" if rule.is_else else ""
    if rule.condition is not None:
        condition = write_filter(rule.condition, hidden) or NOT_SAID
    parts = (
        optional("se:Name", rule.label),
        title if rule.label and rule.label != "Single symbol" else "",
        condition,
        scale_elements(rule.limits, of_layer),
        *(_symbolizer(layer, rule.symbol.opacity) for layer in rule.symbol.layers),
    )
    return f"<se:Rule>{''.join(parts)}</se:Rule>"


# -- symbol layers --------------------------------------------------------------------------------------------------


def _symbolizer(layer: SymbolLayer, opacity: float) -> str:
    write = _SYMBOLIZERS.get(type(layer))
    return NOT_SAID if write is None else write(layer, opacity)


def _point(layer: SymbolLayer, opacity: float) -> str:
    assert isinstance(layer, SimpleMarker)
    stroke = "<se:Stroke/>"
    if layer.stroke_style != "no":
        stroke = _stroke(layer.stroke_color, layer.stroke_width, opacity, {"dasharray": DASHES.get(layer.stroke_style)})
    mark = element("se:WellKnownName", layer.name) + fill(layer.color, opacity) + stroke
    turned = f"<se:Rotation>{element('ogc:Literal', f'{layer.angle:g}')}</se:Rotation>" if layer.angle else ""
    graphic = f"<se:Mark>{mark}</se:Mark>{element('se:Size', size(layer.size))}{turned}{_moved(layer.offset)}"
    return f"<se:PointSymbolizer><se:Graphic>{graphic}</se:Graphic></se:PointSymbolizer>"


def _line(layer: SymbolLayer, opacity: float) -> str:
    assert isinstance(layer, SimpleLine)
    dashes = DASHES.get(layer.style)
    if layer.custom_dash and layer.dashes:
        unit = layer.dash_length.unit
        dashes = " ".join(size(Length(value, unit)) for value in layer.dashes)
    elif layer.style == "no":
        return ""
    more = {
        "linejoin": JOINS.get(layer.join, layer.join),
        "linecap": CAPS.get(layer.cap, layer.cap),
        "dasharray": dashes,
    }
    stroke = _stroke(layer.color, layer.width, opacity, more)
    aside = element("se:PerpendicularOffset", size(layer.offset)) if layer.offset.value else ""
    return f"<se:LineSymbolizer>{stroke}{aside}</se:LineSymbolizer>"


def _polygon(layer: SymbolLayer, opacity: float) -> str:
    assert isinstance(layer, SimpleFill)
    stroke = ""
    if layer.stroke_style != "no":
        more = {"linejoin": JOINS.get(layer.join, layer.join), "dasharray": DASHES.get(layer.stroke_style)}
        stroke = _stroke(layer.stroke_color, layer.stroke_width, opacity, more)
    inner = _area(layer, opacity) + stroke + _moved(layer.offset)
    return f"<se:PolygonSymbolizer>{inner}</se:PolygonSymbolizer>"


def _area(layer: SimpleFill, opacity: float) -> str:
    if layer.style == "no":
        return ""
    if layer.style == "solid":
        return fill(layer.color, opacity)
    name = HATCHES.get(layer.style)
    paint = (
        f"<se:Stroke>{color_parameters('stroke', layer.color, opacity)}</se:Stroke>"
        if name
        else fill(layer.color, opacity)
    )
    mark = element("se:WellKnownName", name or f"brush://{layer.style}") + paint
    return f"<se:Fill><se:GraphicFill><se:Graphic><se:Mark>{mark}</se:Mark></se:Graphic></se:GraphicFill></se:Fill>"


_SYMBOLIZERS: dict[type, Callable[[SymbolLayer, float], str]] = {
    SimpleMarker: _point,
    SimpleLine: _line,
    SimpleFill: _polygon,
}


def _stroke(color: Color, width: Length, opacity: float, more: Mapping[str, str | None]) -> str:
    drawn = size(width) if width.value else f"{HAIRLINE:g}"
    parameters = {"width": drawn} | {name: value for name, value in more.items() if value}
    rest = "".join(parameter(f"stroke-{name}", value) for name, value in parameters.items())
    return f"<se:Stroke>{color_parameters('stroke', color, opacity)}{rest}</se:Stroke>"


def _moved(offset: Offset) -> str:
    if not offset.x and not offset.y:
        return ""
    return displacement(size(Length(offset.x, offset.unit)), size(Length(offset.y, offset.unit)))
