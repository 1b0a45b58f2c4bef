"""Which features get which labels: the rules of a layer's labels as sources of their own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qgserver.errors import ExpressionError
from qgserver.expression.context import Context
from qgserver.expression.evaluate import select
from qgserver.labeling.settings import Labeling, LabelRule, LabelSettings
from qgserver.providers.batch import Batch

Mask = NDArray[np.bool_]


def sources(labeling: Labeling, denominator: float) -> tuple[LabelSettings, ...]:
    """The settings of all rules that show at a scale, in tree order: each is a source of labels."""
    return tuple(rule.settings for rule in _shown(labeling.root, denominator) if rule.settings is not None)


def _shown(rule: LabelRule, denominator: float) -> Iterator[LabelRule]:
    yield rule
    for child in rule.children:
        if child.active and child.scales.contains(denominator):
            yield from _shown(child, denominator)


def matching(labeling: Labeling, batch: Batch, context: Context, denominator: float) -> list[Mask]:
    """bool[n] for each of ``sources``: the features of a batch that it labels."""
    run = _Run(batch, context, denominator, {})
    run.children(labeling.root, np.ones(len(batch), dtype=bool))
    nothing = np.zeros(len(batch), dtype=bool)
    shown = [rule for rule in _shown(labeling.root, denominator) if rule.settings is not None]
    return [run.masks.get(id(rule), nothing) for rule in shown]


@dataclass(slots=True)
class _Run:
    batch: Batch
    context: Context
    denominator: float
    masks: dict[int, Mask]
    """What each rule matched, by its identity."""

    def rule(self, rule: LabelRule, candidates: Mask) -> Mask:
        """Try a rule; returns what it or a rule below labels."""
        matched = candidates
        if rule.filter is not None:
            try:
                matched = candidates & select(rule.filter, self.batch, self.context)
            except ExpressionError:
                matched = np.zeros_like(candidates)
        if rule.settings is not None:
            self.masks[id(rule)] = matched
        below = self.children(rule, matched)
        return matched if rule.settings is not None else below

    def children(self, rule: LabelRule, candidates: Mask) -> Mask:
        """The rules below: the ordinary ones, then ELSE for what none of them took."""
        labelled = np.zeros_like(candidates)
        shown = self.in_scale(rule.children)
        for child in shown:
            if not child.is_else:
                labelled |= self.rule(child, candidates)
        rest = candidates & ~labelled
        for child in shown:
            if child.is_else:
                labelled |= self.rule(child, rest)
        return labelled

    def in_scale(self, rules: Sequence[LabelRule]) -> list[LabelRule]:
        return [rule for rule in rules if rule.active and rule.scales.contains(self.denominator)]
