"""Labels as Symbology Encoding 1.1: a rule with a TextSymbolizer for each. QGIS Server adds vendor options, which the
schema does not know."""

from __future__ import annotations

import math
from collections.abc import Iterator

from qgserver.expression.nodes import Node, all_of
from qgserver.labeling.model import Mode
from qgserver.labeling.settings import QUADRANTS, Labeling, LabelRule, LabelSettings, Placement
from qgserver.labeling.textformat import Buffer, TextFormat
from qgserver.ows.feswrite import write_filter, write_value
from qgserver.ows.sldparts import (
    NOT_SAID,
    UNLIMITED,
    Limits,
    displacement,
    fill,
    narrowed,
    parameter,
    scale_elements,
    size,
    whole_pixels,
)
from qgserver.ows.xmlio import element
from qgserver.symbology.options import Length

MEDIUM = 57
"""Weights of fonts above are bold."""
ALONG_LINES = frozenset({Mode.LINE, Mode.CURVED, Mode.PERIMETER_CURVED})
BESIDE_POINT = frozenset({Mode.AROUND_POINT, Mode.ORDERED})


def label_rules(labeling: Labeling, of_layer: Limits, hidden: frozenset[str]) -> Iterator[str]:
    """``se:Rule`` elements; labels that speak of ``hidden`` fields, or in words that filters lack, are left out."""

    def walk(rule: LabelRule, outer: tuple[Node, ...], limits: Limits) -> Iterator[str]:
        terms = outer if rule.filter is None else (*outer, rule.filter)
        limits = narrowed(limits, (rule.scales.smallest, rule.scales.largest))
        if rule.settings is not None and rule.settings.rendering.draw:
            yield _rule(rule.settings, _condition(rule, terms, hidden), limits, of_layer, hidden)
        for child in rule.children:
            if child.active:
                yield from walk(child, terms, limits)

    yield from walk(labeling.root, (), UNLIMITED)


def _condition(rule: LabelRule, terms: tuple[Node, ...], hidden: frozenset[str]) -> str:
    condition = all_of(terms)
    if condition is not None:
        return write_filter(condition, hidden) or NOT_SAID
    return "<se:ElseFilter/>" if rule.is_else else ""


def _rule(settings: LabelSettings, condition: str, limits: Limits, of_layer: Limits, hidden: frozenset[str]) -> str:
    node = settings.wording.node
    text = None if node is None else write_value(node, hidden)
    if text is None:
        return NOT_SAID
    if settings.rendering.limit_scales:
        limits = narrowed(limits, (settings.rendering.scales.smallest, settings.rendering.scales.largest))
    look = settings.format
    parts = (
        f"<se:Label>{text}</se:Label>",
        _font(look),
        f"<se:LabelPlacement>{_placement(settings.placement)}</se:LabelPlacement>",
        _halo(look.buffer),
        fill(look.color, look.opacity),
    )
    symbolizer = f"<se:TextSymbolizer>{''.join(parts)}</se:TextSymbolizer>"
    return f"<se:Rule>{condition}{scale_elements(limits, of_layer)}{symbolizer}</se:Rule>"


def _font(look: TextFormat) -> str:
    parts = {
        "font-family": look.family,
        "font-size": size(look.size),
        "font-style": "italic" if look.italic else "",
        "font-weight": "bold" if look.weight > MEDIUM else "",
    }
    return f"<se:Font>{''.join(parameter(name, value) for name, value in parts.items() if value)}</se:Font>"


def _placement(placement: Placement) -> str:
    if placement.mode in ALONG_LINES:
        aside = element("se:PerpendicularOffset", size(placement.distance)) if placement.distance.value else ""
        return f"<se:LinePlacement>{aside}<se:GeneralizeLine>true</se:GeneralizeLine></se:LinePlacement>"
    anchor, moved = (0.5, 0.5), ""
    if placement.mode in BESIDE_POINT:
        anchor = (0.0, 0.5)
        away = whole_pixels(placement.distance) * math.sqrt(0.5)
        moved = displacement(f"{away:.3g}", f"{away:.3g}") if away else ""
    elif placement.mode == Mode.OVER_POINT:
        right, up = QUADRANTS[placement.quadrant]
        anchor = ((1 - right) / 2, (1 - up) / 2)
        offset = placement.offset
        if offset.x or offset.y:
            moved = displacement(size(Length(offset.x, offset.unit)), size(Length(-offset.y, offset.unit)))
    x, y = (element(f"se:AnchorPoint{axis}", f"{share:g}") for axis, share in zip("XY", anchor, strict=True))
    turned = element("se:Rotation", f"{placement.rotation:g}") if placement.rotation else ""
    return f"<se:PointPlacement><se:AnchorPoint>{x}{y}</se:AnchorPoint>{moved}{turned}</se:PointPlacement>"


def _halo(buffer: Buffer) -> str:
    """Half of the buffer's width is seen."""
    if not buffer.draw:
        return ""
    radius = element("se:Radius", f"{whole_pixels(buffer.size) / 2:g}")
    return f"<se:Halo>{radius}{fill(buffer.color, buffer.opacity)}</se:Halo>"
