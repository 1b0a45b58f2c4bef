"""RuleRenderer: a tree of filtered, scale-limited rules; every rule that matches draws."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from lxml import etree
from numpy.typing import NDArray

from qgserver.errors import ExpressionError
from qgserver.expression.context import Context
from qgserver.expression.evaluate import select
from qgserver.expression.nodes import Node, used_fields
from qgserver.providers.batch import Batch
from qgserver.symbology.options import parse_number
from qgserver.symbology.properties import merge_fields
from qgserver.symbology.renderer import (
    Common,
    Jobs,
    LegendItem,
    Renderer,
    Source,
    read_common,
    renderers,
    symbol_fields,
)
from qgserver.symbology.symbol import Symbol

Mask = NDArray[np.bool_]
MAX_DEPTH = 64


@dataclass(frozen=True, slots=True)
class Rule:
    """``symbol`` -1 = none (a rule that only groups). Denominators 0 = no limit, both ends inclusive (measured)."""

    symbol: int
    children: tuple[Rule, ...] = ()
    filter: Node | None = None
    is_else: bool = False
    min_scale: float = 0.0
    max_scale: float = 0.0
    active: bool = True
    label: str = ""
    key: str = ""

    def in_scale(self, scale: float) -> bool:
        """True when the scale (denominator, 0 = any) lies in the rule's range."""
        if not scale:
            return True
        return (not self.min_scale or scale >= self.min_scale) and (not self.max_scale or scale <= self.max_scale)

    def walk(self) -> Iterator[Rule]:
        """This rule and all below, parents first."""
        yield self
        for child in self.children:
            yield from child.walk()


@dataclass(slots=True)
class _Run:
    """One classification: jobs collected in tree order."""

    batch: Batch
    context: Context
    scale: float
    masks: list[tuple[int, Mask]]

    def rule(self, rule: Rule, candidates: Mask) -> Mask:
        """Try one rule on the candidates; returns those for which it or a rule below drew (or would)."""
        matched = candidates
        if rule.filter is not None:
            try:
                matched = candidates & select(rule.filter, self.batch, self.context)
            except ExpressionError:
                matched = np.zeros_like(candidates)
        if not rule.active:  # switched off: draws nothing, yet what it matches is not left to ELSE (measured)
            return matched
        if rule.symbol >= 0:
            self.masks.append((rule.symbol, matched))
        drawn = self.children(rule, matched)
        return matched if rule.symbol >= 0 else drawn

    def children(self, rule: Rule, candidates: Mask) -> Mask:
        """The rules below: the ordinary ones, then ELSE for what none of them took."""
        drawn = np.zeros_like(candidates)
        shown = [child for child in rule.children if child.in_scale(self.scale)]
        for child in shown:
            if not child.is_else:
                drawn |= self.rule(child, candidates)
        rest = candidates & ~drawn
        for child in shown:
            if child.is_else:
                drawn |= self.rule(child, rest)
        return drawn


@dataclass(frozen=True, slots=True)
class RuleRenderer:
    common: Common
    symbols: tuple[Symbol, ...]
    root: Rule

    def used_fields(self) -> frozenset[str] | None:
        own = merge_fields(used_fields(rule.filter) for rule in self.root.walk() if rule.filter is not None)
        return merge_fields([own, symbol_fields(self.symbols), self.common.order_fields()])

    def classify(self, batch: Batch, context: Context, scale: float) -> Jobs:
        run = _Run(batch, context, scale, [])
        run.children(self.root, np.ones(len(batch), dtype=bool))
        rows = [np.flatnonzero(mask) for _, mask in run.masks]
        if not rows:
            return Jobs(np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64))
        symbols = np.concatenate([np.full(len(r), symbol) for r, (symbol, _) in zip(rows, run.masks, strict=True)])
        features = np.concatenate(rows)
        order = np.argsort(features, kind="stable")
        return Jobs(features[order], symbols[order])

    def legend(self) -> tuple[LegendItem, ...]:
        rules = (rule for rule in self.root.walk() if rule is not self.root)
        return tuple(LegendItem(rule.label, rule.symbol, rule.key, rule.min_scale, rule.max_scale) for rule in rules)

    def filters(self, scale: float) -> bool:
        shown = [rule for rule in self.root.children if rule.active and rule.in_scale(scale)]
        return bool(shown) and all(rule.filter is not None for rule in shown)


@renderers.register("RuleRenderer")
def read(element: etree._Element, source: Source) -> Renderer:
    named = source.symbols(element)
    numbers = {name: number for number, name in enumerate(named)}
    rules = element.find("rules")
    children = () if rules is None else _read_children(rules, numbers, source, 0)
    common = read_common(element, source, level_by_feature=True)
    return RuleRenderer(common, tuple(named.values()), Rule(-1, children))


def _read_children(element: etree._Element, numbers: dict[str, int], source: Source, depth: int) -> tuple[Rule, ...]:
    if depth > MAX_DEPTH:
        source.problems.add(source.layer, "rule", "rules are nested too deeply")
        return ()
    found = []
    for child in element.iterfind("rule"):
        text = child.get("filter", "").strip()
        is_else = text.upper() == "ELSE"
        node = source.expression(text, "rule filter") if text and not is_else else None
        if text and not is_else and node is None:
            continue
        found.append(
            Rule(
                numbers.get(child.get("symbol", ""), -1),
                _read_children(child, numbers, source, depth + 1),
                node,
                is_else,
                parse_number(child.get("scalemindenom", "0"), 0.0),
                parse_number(child.get("scalemaxdenom", "0"), 0.0),
                child.get("checkstate", "1") != "0",
                child.get("label", ""),
                child.get("key", ""),
            )
        )
    return tuple(found)
