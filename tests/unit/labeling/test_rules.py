"""Rules of labels: each is a source of its own."""

from __future__ import annotations

import numpy as np

from qgserver.expression.context import Context
from qgserver.expression.parser import parse
from qgserver.labeling.rules import matching, sources
from qgserver.labeling.settings import Labeling, LabelRule, LabelSettings, ScaleLimits
from qgserver.providers.batch import Batch, Column

ANY = LabelSettings()
BATCH = Batch(np.arange(4), {"a": Column(np.array([1, 2, 3, 4]))}, None)


def found(*rules: LabelRule, scale: float = 1000.0) -> list[list[int]]:
    labeling = Labeling(LabelRule(children=rules))
    masks = matching(labeling, BATCH, Context(), scale)
    assert len(masks) == len(sources(labeling, scale))
    return [np.flatnonzero(mask).tolist() for mask in masks]


def test_all_rules_that_match_label_and_else_takes_the_rest() -> None:
    low, even = (LabelRule(ANY, filter=parse(text)) for text in ("a < 3", "a % 2 = 0"))
    assert found(low, even, LabelRule(ANY, is_else=True)) == [[0, 1], [1, 3], [2]]


def test_children_label_what_their_parent_matches() -> None:
    inner = (LabelRule(ANY, filter=parse("a = 1")), LabelRule(ANY, is_else=True))
    assert found(LabelRule(filter=parse("a < 3"), children=inner), LabelRule(ANY, is_else=True)) == [[0], [1], [2, 3]]


def test_scales_and_switches() -> None:
    out = LabelRule(ANY, scales=ScaleLimits(1.0, 999.0))
    assert found(out, LabelRule(ANY, active=False), LabelRule(ANY)) == [[0, 1, 2, 3]]
    assert found(LabelRule(ANY, scales=ScaleLimits(1000.0, 1000.0))) == [[0, 1, 2, 3]]
