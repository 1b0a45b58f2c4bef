"""Reading ``<labeling>`` of a layer's style; of 2.x the ``<customproperties>`` that hold ``labeling/*``."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from typing import TypeVar

from lxml import etree

from qgserver.draw.units import parse_map_unit_scale
from qgserver.errors import ExpressionError, Problem, Problems
from qgserver.expression.nodes import FieldRef, Node
from qgserver.expression.parser import parse
from qgserver.labeling.block import Alignment
from qgserver.labeling.callouts import read_callout
from qgserver.labeling.legacy import modern_settings
from qgserver.labeling.model import LineFlags, Mode, ObstacleKind, PolygonFlags, Upright
from qgserver.labeling.readtext import Attributes, read_text_format
from qgserver.labeling.settings import (
    DEFAULT_ORDER,
    NO_LABELS,
    OVER,
    POSITIONS,
    DirectionSymbols,
    Generator,
    Labeling,
    LabelRule,
    LabelSettings,
    Placement,
    Rendering,
    Replacement,
    ScaleLimits,
    Wording,
)
from qgserver.labeling.symbolscope import with_columns
from qgserver.symbology.options import Length, Offset
from qgserver.symbology.properties import Properties, read_properties

log = logging.getLogger("qgserver")
MAX_DEPTH = 64
_OLD_KEYS = {"Rotation": "LabelRotation", "MinScale": "MaximumScale", "MaxScale": "MinimumScale"}
"""Keys of data-defined properties that QGIS renamed; scales were denominators, with "min" the smaller one."""


_Kind = TypeVar("_Kind", Upright, ObstacleKind, Alignment)


class _Unreadable(Exception):
    """A setting without which labels can't be placed; the argument says which."""


@lru_cache(maxsize=256)
def read_labeling(text: str, layer: str) -> tuple[Labeling, tuple[Problem, ...]]:
    """The labels that the XML ``text`` (``Style.labeling``) describes, and what in it can't be drawn. ``layer`` is the
    layer's name. Labels that can't be read at all become ``NO_LABELS`` and a problem."""
    problems = Problems()
    try:
        labeling = _read(etree.fromstring(text, _PARSER), layer, problems)
    except etree.XMLSyntaxError:
        problems.add(layer, "labeling", "the settings are no XML: the layer has no labels")
        labeling = NO_LABELS
    for problem in problems.items:
        log.warning("layer %r: %s: %s", problem.layer, problem.element, problem.reason)
    return labeling, tuple(problems.items)


_PARSER = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=True)


def _read(element: etree._Element, layer: str, problems: Problems) -> Labeling:
    if element.tag == "customproperties":
        return Labeling(LabelRule(children=(_simple(modern_settings(element), layer, problems),)))
    if element.get("type") == "rule-based":
        rules = element.find("rules")
        return NO_LABELS if rules is None else Labeling(LabelRule(children=_rules(rules, layer, problems, 0)))
    settings = element.find("settings")
    if settings is None:
        return NO_LABELS
    return Labeling(LabelRule(children=(_simple(settings, layer, problems),)))


def _simple(settings: etree._Element, layer: str, problems: Problems) -> LabelRule:
    return LabelRule(_settings(settings, layer, problems))


def _rules(parent: etree._Element, layer: str, problems: Problems, depth: int) -> tuple[LabelRule, ...]:
    if depth > MAX_DEPTH:
        problems.add(layer, "labeling rule", "rules are nested too deeply")
        return ()
    found = []
    for element in parent.iterfind("rule"):
        text = element.get("filter", "").strip()
        is_else = text.upper() == "ELSE"
        node = _expression(text, "labeling rule filter", layer, problems) if text and not is_else else None
        if text and not is_else and node is None:
            continue
        at = Attributes(element)
        settings = element.find("settings")
        found.append(
            LabelRule(
                None if settings is None else _settings(settings, layer, problems),
                _rules(element, layer, problems, depth + 1),
                node,
                is_else,
                ScaleLimits(at.number("scalemindenom"), at.number("scalemaxdenom")),
                at.flag("active", True),
            )
        )
    return tuple(found)


def _settings(element: etree._Element, layer: str, problems: Problems) -> LabelSettings | None:
    """One ``<settings>``; None and a problem when something is wrong in it that decides all."""
    try:
        return LabelSettings(
            _wording(element, layer, problems),
            read_text_format(element, layer, problems),
            _placement(element.find("placement"), layer, problems),
            _rendering(element),
            _properties(element, layer, problems),
            read_callout(element.find("callout"), layer, problems),
        )
    except _Unreadable as error:
        problems.add(layer, "labeling", f"{error}: the layer has no labels")
        return None


def _expression(text: str, what: str, layer: str, problems: Problems) -> Node | None:
    try:
        return with_columns(parse(text))
    except ExpressionError as error:
        problems.add(layer, what, error.message)
        return None


def _wording(element: etree._Element, layer: str, problems: Problems) -> Wording:
    style, form = element.find("text-style"), Attributes(element.find("text-format"))
    at = Attributes(style)
    name = at.text("fieldName")
    node: Node | None = FieldRef(name) if name.strip() else None
    if node is not None and at.flag("isExpression"):
        node = _expression(name, "label expression", layer, problems)
        if node is None:
            raise _Unreadable("the label's expression does not parse")
    replacements: tuple[Replacement, ...] = ()
    if style is not None and at.flag("useSubstitutions"):
        replacements = tuple(map(_replacement, style.iterfind("substitutions/replacement")))
    return Wording(
        node,
        tuple(item for item in replacements if item.match),
        form.flag("formatNumbers"),
        min(max(form.integer("decimals", 3), 0), 30),
        form.flag("plussign"),
        form.text("wrapChar"),
        max(form.integer("autoWrapLength"), 0),
        form.flag("useMaxLineLengthForAutoWrap", True),
        _choice(Alignment, form.integer("multilineAlign", 3), Alignment.FOLLOW),
        DirectionSymbols(
            form.flag("addDirectionSymbol"),
            form.text("leftDirectionSymbol", "<"),
            form.text("rightDirectionSymbol", ">"),
            form.integer("placeDirectionSymbol"),
            form.flag("reverseDirectionSymbol"),
        ),
    )


def _replacement(element: etree._Element) -> Replacement:
    at = Attributes(element)
    return Replacement(at.text("match"), at.text("replace"), at.flag("caseSensitive"), at.flag("wholeWord"))


def _placement(element: etree._Element | None, layer: str, problems: Problems) -> Placement:
    at = Attributes(element)
    try:
        mode = Mode(at.integer("placement"))
    except ValueError:
        raise _Unreadable(f"placement {at.integer('placement')} is not known") from None
    order = tuple(part for part in at.text("predefinedPositionOrder").split(",") if part in POSITIONS)
    return Placement(
        mode=mode,
        line_flags=LineFlags(at.integer("placementFlags", 10) & 15) or LineFlags.ABOVE | LineFlags.MAP_ORIENTATION,
        polygon_flags=PolygonFlags(at.integer("polygonPlacementFlags", 2) & 3),
        distance=_length(at, "dist", "distUnits", "distMapUnitScale"),
        quadrant=min(max(at.integer("quadOffset", OVER), 0), 8),
        offset=Offset(
            _number(at, "xOffset"),
            _number(at, "yOffset"),
            at.unit("offsetUnits"),
            parse_map_unit_scale(at.text("labelOffsetMapUnitScale") or None),
        ),
        positions=order or DEFAULT_ORDER,
        from_symbol=at.integer("offsetType") == 1,
        centroid_whole=at.flag("centroidWhole"),
        centroid_inside=at.flag("centroidInside"),
        fit_in_polygon=at.flag("fitInPolygonOnly"),
        repeat=_length(at, "repeatDistance", "repeatDistanceUnits", "repeatDistanceMapUnitScale"),
        overrun=_length(at, "overrunDistance", "overrunDistanceUnit", "overrunDistanceMapUnitScale"),
        anchor=min(max(at.number("lineAnchorPercent", 0.5), 0.0), 1.0),
        anchor_strict=at.integer("lineAnchorType") == 1,
        anchor_on_whole_line=at.integer("lineAnchorClipping") == 1,
        max_turn_in=abs(at.number("maxCurvedCharAngleIn", 25.0)),
        max_turn_out=abs(at.number("maxCurvedCharAngleOut", -25.0)),
        rotation=_number(at, "rotationAngle", at.number("angleOffset")),
        rotation_unit=at.text("rotationUnit", "AngleDegrees"),
        generator=_generator(at, layer, problems),
    )


def _number(at: Attributes, name: str, default: float = 0.0) -> float:
    """A number that decides where labels stand. What is none (NaN, infinite, text) makes the settings unreadable."""
    text = at.text(name)
    value = at.number(name, math.nan) if text.strip() else default
    if not math.isfinite(value):
        raise _Unreadable(f"{name} is no number")
    return value


def _length(at: Attributes, name: str, unit: str, scale: str) -> Length:
    return Length(_number(at, name), at.unit(unit), parse_map_unit_scale(at.text(scale) or None))


def _generator(at: Attributes, layer: str, problems: Problems) -> Generator | None:
    text = at.text("geometryGenerator")
    if not at.flag("geometryGeneratorEnabled") or not text.strip():
        return None
    node = _expression(text, "label geometry generator", layer, problems)
    if node is None:
        raise _Unreadable("the geometry generator does not parse")
    return Generator(node, at.text("geometryGeneratorType", "PointGeometry"))


def _rendering(element: etree._Element) -> Rendering:
    at = Attributes(element.find("rendering"))
    return Rendering(
        draw=at.flag("drawLabels", True),
        limit_scales=at.flag("scaleVisibility"),
        scales=ScaleLimits(at.number("scaleMin"), at.number("scaleMax")),
        limit=max(at.integer("maxNumLabels", 2000), 0) if at.flag("limitNumLabels") else None,
        smallest_feature=at.number("minFeatureSize"),
        priority=min(max(Attributes(element.find("placement")).number("priority", 5.0), 0.0), 10.0),
        z_index=at.number("zIndex"),
        show_all=at.flag("displayAll") or at.text("overlapHandling") == "AllowOverlapAtNoCost",
        never_unplaced=at.integer("unplacedVisibility") == 1,
        upright=_choice(Upright, at.integer("upsidedownLabels"), Upright.TURNED),
        per_part=at.flag("labelPerPart"),
        merge_lines=at.flag("mergeLines"),
        obstacle=at.flag("obstacle", True),
        obstacle_factor=min(max(at.number("obstacleFactor", 1.0), 0.0), 2.0),
        obstacle_kind=_choice(ObstacleKind, at.integer("obstacleType", 1), ObstacleKind.BOUNDARY),
    )


def _choice(kind: type[_Kind], number: int, default: _Kind) -> _Kind:
    return kind(number) if number in kind._value2member_map_ else default


def _properties(element: etree._Element, layer: str, problems: Problems) -> Properties:
    found = read_properties(element.find("dd_properties"), layer, problems).items
    names: Mapping[str, str] = {_OLD_KEYS.get(key, key): key for key in found}
    chosen = {name: found.get(name, found[key]) for name, key in names.items()}
    return Properties({name: replace(item, node=with_columns(item.node)) for name, item in chosen.items()})
