"""User styles: Styled Layer Descriptors 1.0.0 and 1.1.0 of clients as renderers.

Read is what QGIS Server reads: rules with filters and scales, and the symbolizers of ``sldsymbols``. Labels
(TextSymbolizer) are left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from lxml import etree

from qgserver.expression.nodes import Node
from qgserver.ows.gmlread import local_name
from qgserver.ows.sldsymbols import child, symbol_layers, wrong
from qgserver.symbology.renderer import Common, Renderer
from qgserver.symbology.renderers.rules import Rule, RuleRenderer
from qgserver.symbology.renderers.single import SingleRenderer
from qgserver.symbology.symbol import Symbol
from qgserver.web.xmlbody import parse

MAX_RULES = 500
"""Rules and symbolizers of a document."""
MAX_DENOMINATOR = 1e15

Condition = Callable[[etree._Element], Node | None]
"""Reads an ``ogc:Filter``."""


@dataclass(frozen=True, slots=True)
class StyledLayer:
    """A ``NamedLayer``: with a ``UserStyle``, the name of one of the layer's own styles, or neither."""

    name: str
    user_style: etree._Element | None = None
    style_name: str = ""


def read_document(text: str) -> tuple[StyledLayer, ...]:
    """The layers of a document, in its order (the first is the lowest). Raises ``OwsError``."""
    root = _root(text)
    found = tuple(_layer(item) for item in root if local_name(item).endswith("Layer"))
    if not found:
        raise wrong("it names no layer")
    return found


def read_style(text: str) -> etree._Element:
    """The first ``UserStyle`` of a document, whatever layer it is for. Raises ``OwsError``."""
    found = next((item for item in _root(text).iter() if local_name(item) == "UserStyle"), None)
    if found is None:
        raise wrong("it has no style")
    return found


def _root(text: str) -> etree._Element:
    root = parse(text.encode())
    if local_name(root) != "StyledLayerDescriptor":
        raise wrong(f"it begins with {local_name(root)[:60]}")
    if sum(local_name(item) == "Rule" or local_name(item).endswith("Symbolizer") for item in root.iter()) > MAX_RULES:
        raise wrong("it has too many rules")
    return root


def _layer(element: etree._Element) -> StyledLayer:
    if local_name(element) != "NamedLayer":
        raise wrong(f"a {local_name(element)} is not supported")
    name = _words(child(element, "Name"))
    return StyledLayer(name, child(element, "UserStyle"), _words(child(element, "NamedStyle", "Name")))


def user_renderer(style: etree._Element, kind: str, condition: Condition) -> Renderer:
    """The renderer of a ``UserStyle`` for features of a kind (marker, line, fill). Raises ``OwsError``."""
    types = (item for item in style if local_name(item) == "FeatureTypeStyle")
    rules = [rule for item in types for rule in item if local_name(rule) == "Rule"]
    symbols: list[Symbol] = []
    found = tuple(_rule(rule, kind, condition, symbols) for rule in rules)
    if len(found) == 1 and symbols and found[0] == Rule(0, label=found[0].label):
        return SingleRenderer(Common(), (symbols[0],))
    return RuleRenderer(Common(level_by_feature=True), tuple(symbols), Rule(-1, found))


def _rule(element: etree._Element, kind: str, condition: Condition, symbols: list[Symbol]) -> Rule:
    """A rule; its symbol, if it draws anything, is added to ``symbols``."""
    layers = tuple(layer for item in element for layer in symbol_layers(item, kind))
    if layers:
        symbols.append(Symbol(kind, layers))
    limits = child(element, "Filter")
    return Rule(
        len(symbols) - 1 if layers else -1,
        filter=None if limits is None else condition(limits),
        is_else=child(element, "ElseFilter") is not None,
        min_scale=_denominator(child(element, "MinScaleDenominator")),
        max_scale=_denominator(child(element, "MaxScaleDenominator")),
        label=next(filter(None, _titles(element)), ""),
    )


def _titles(rule: etree._Element) -> Iterator[str]:
    yield _words(child(rule, "Description", "Title"))
    yield _words(child(rule, "Title"))
    yield _words(child(rule, "Name"))


def _denominator(element: etree._Element | None) -> float:
    text = _words(element)
    try:
        value = float(text or "0")
    except ValueError:
        raise wrong(f"{text[:40]!r} is no scale") from None
    if not 0 <= value <= MAX_DENOMINATOR:
        raise wrong(f"{text[:40]!r} is no scale")
    return value


def _words(element: etree._Element | None) -> str:
    return "" if element is None else "".join(map(str, element.itertext())).strip()
