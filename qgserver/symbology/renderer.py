"""The renderer protocol, and reading of ``<renderer-v2>``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from lxml import etree

from qgserver.errors import ExpressionError, Problems
from qgserver.expression.context import Context
from qgserver.expression.nodes import FieldRef, Node, used_fields
from qgserver.expression.parser import parse
from qgserver.geo.geometry import Ints
from qgserver.providers.batch import Batch
from qgserver.registry import Registry
from qgserver.symbology.effect import EffectStack, read_effects
from qgserver.symbology.legacydefined import modernise
from qgserver.symbology.options import parse_number
from qgserver.symbology.properties import merge_fields
from qgserver.symbology.rewriting import with_own_color
from qgserver.symbology.symbol import Symbol, read_symbol


@dataclass(frozen=True, slots=True)
class Jobs:
    """What to draw, in drawing order: feature ``rows[i]`` of the batch with symbol number ``symbols[i]``.
    A feature may appear several times (rules) or not at all."""

    rows: Ints
    symbols: Ints

    def __len__(self) -> int:
        return len(self.rows)


@dataclass(frozen=True, slots=True)
class LegendItem:
    """A class as legends show it: ``symbol`` is its number (-1 = none), ``key`` QGIS's name of the class within its
    renderer, the scales the denominators between which it is drawn (0 = no limit)."""

    label: str
    symbol: int
    key: str = "0"
    min_scale: float = 0.0
    max_scale: float = 0.0


@dataclass(frozen=True, slots=True)
class OrderClause:
    """``orderByClause``: sort key of the features."""

    node: Node
    ascending: bool = True
    nulls_first: bool = False


@dataclass(frozen=True, slots=True)
class Common:
    """What every renderer has. ``level_by_feature``: with symbol levels, all jobs of a feature come before the next
    feature (rules); otherwise all features of a symbol before the next symbol. ``one_by_one``: a feature's layers come
    before the next feature's, however many there are."""

    symbol_levels: bool = False
    level_by_feature: bool = False
    order_by: tuple[OrderClause, ...] = ()
    reference_scale: float = 0.0
    effects: EffectStack | None = None
    one_by_one: bool = False

    def order_fields(self) -> frozenset[str] | None:
        return merge_fields(used_fields(clause.node) for clause in self.order_by)


class Renderer(Protocol):
    """Decides which symbols draw a feature."""

    @property
    def common(self) -> Common: ...

    @property
    def symbols(self) -> Sequence[Symbol]:
        """All symbols; jobs refer to them by number."""

    def used_fields(self) -> frozenset[str] | None:
        """Columns needed for classification, order and symbols; None = all of them."""

    def classify(self, batch: Batch, context: Context, scale: float) -> Jobs:
        """Symbols for the features of a batch at a scale denominator, in drawing order (feature by feature). 0 is for
        counting: rules of all scales apply, and classes switched off (rules not: all measured)."""

    def legend(self) -> Sequence[LegendItem]:
        """Its classes from top to bottom, those switched off too."""

    def filters(self, scale: float) -> bool:
        """True when QGIS asks the source only for features that have a symbol: files then give them in key order
        instead of their index's, which shows where features overlap (measured)."""


Reader = Callable[[etree._Element, "Source"], Renderer]
renderers: Registry[Reader] = Registry("renderer")
"""``type`` attribute -> function that reads the element."""
NOTHING = "nullSymbol"
"""The renderer that draws nothing."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where a renderer is read from: the layer's name and the list of problems."""

    layer: str
    problems: Problems

    def symbol(self, element: etree._Element | None) -> Symbol:
        """A ``<symbol>``, or one that draws nothing."""
        if element is None:
            self.problems.add(self.layer, "symbol", "missing")
            return Symbol("", ())
        return with_own_color(read_symbol(element, self.layer, self.problems))

    def symbols(self, element: etree._Element) -> Mapping[str, Symbol]:
        """``symbols/symbol`` by name."""
        return {child.get("name", ""): self.symbol(child) for child in element.iterfind("symbols/symbol")}

    def expression(self, text: str, what: str) -> Node | None:
        """A field name or an expression; None (and a problem) when it does not parse."""
        try:
            return parse(text)
        except ExpressionError as error:
            self.problems.add(self.layer, what, error.message)
            return None

    def attribute(self, text: str, what: str) -> Node | None:
        """The ``attr`` of a classification: a bare field name (whatever characters it has) or an expression."""
        text = text.strip()
        if text and all(character.isalnum() or character in "_ " for character in text) and not text[0].isdigit():
            return FieldRef(text)
        return self.expression(text, what)


def read_common(element: etree._Element, source: Source, *, level_by_feature: bool = False) -> Common:
    """Attributes and children that all renderers have."""
    order = []
    if element.get("enableorderby") == "1":
        for clause in element.iterfind("orderby/orderByClause"):
            node = source.expression(clause.text or "", "orderby")
            if node is not None:
                order.append(OrderClause(node, clause.get("asc") != "0", clause.get("nullsFirst") == "1"))
    return Common(
        element.get("symbollevels", element.get("usingSymbolLevels", "0")) == "1",
        level_by_feature,
        tuple(order),
        max(parse_number(element.get("referencescale", "-1"), -1.0), 0.0),
        read_effects(element.find("effect"), source.layer, source.problems),
    )


def read_renderer(element: etree._Element | None, layer: str, problems: Problems) -> Renderer:
    """The renderer of a ``<renderer-v2>`` element; ``layer`` is the layer's name, for the list of problems. What can't
    be drawn is noted there, and nothing is raised for content."""
    source = Source(layer, problems)
    if element is None:
        element = etree.Element("renderer-v2", type=NOTHING)
    modernise(element)
    kind = element.get("type", "")
    if kind not in renderers:
        problems.add(layer, f"renderer {kind}", "this renderer is not drawn")
        kind = NOTHING
    return renderers[kind](element, source)


def symbol_fields(symbols: Sequence[Symbol]) -> frozenset[str] | None:
    """Columns that the symbols need."""
    return merge_fields(symbol.used_fields() for symbol in symbols)


def jobs_of(symbols: Ints) -> Jobs:
    """Jobs from one symbol number per feature, -1 = not drawn."""
    rows = np.flatnonzero(symbols >= 0)
    return Jobs(rows, symbols[rows])
