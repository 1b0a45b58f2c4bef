"""Project-wide settings of labels."""

from __future__ import annotations

import math

import shapely
from lxml import etree

from qgserver.draw.fonts import Font
from qgserver.labeling.block import typesetter
from qgserver.labeling.draw import LabelContent
from qgserver.labeling.model import Item, Placed, Placing
from qgserver.labeling.plaintext import at_pixels
from qgserver.labeling.projectwide import EngineSettings
from qgserver.labeling.textformat import TextFormat
from qgserver.project.reading.entries import Entries
from qgserver.project.reading.labels import MOST_CANDIDATES, read_engine


def read(inner: str) -> EngineSettings:
    return read_engine(Entries(etree.fromstring(f"<properties><PAL>{inner}</PAL></properties>")))


def test_defaults_are_those_of_the_first_engine() -> None:
    assert read("") == EngineSettings()
    assert read_engine(Entries(None)).version == 1


def test_values() -> None:
    found = read(
        '<ShowingPartialsLabels type="bool">false</ShowingPartialsLabels><PlacementEngineVersion type="int">1'
        '</PlacementEngineVersion><DrawUnplaced type="bool">true</DrawUnplaced><UnplacedColor>0,255,0,255'
        '</UnplacedColor><TextFormat type="int">1</TextFormat><ShowingAllLabels type="bool">true</ShowingAllLabels>'
    )
    assert found == EngineSettings(
        partials=False, show_all=True, version=2, unplaced=(0.0, 1.0, 0.0, 1.0), plain_text=True
    )


def test_absurd_numbers_of_candidates() -> None:
    found = read(
        '<CandidatesLinePerCM type="double">1e9</CandidatesLinePerCM>'
        '<CandidatesPolygonPerCM type="double">-3</CandidatesPolygonPerCM>'
    )
    assert found.candidates_line_per_cm == MOST_CANDIDATES
    assert found.candidates_polygon_per_cm2 == 2.5


def test_plain_text_stands_at_whole_pixels() -> None:
    block = typesetter(TextFormat(), Font("DejaVu Sans", 13)).block("a")
    item = Item(0, "layer", 1, shapely.Point(0, 0), 8.0, 17.0, Placing(), LabelContent(block, TextFormat()))
    upright, turned = at_pixels([Placed(item, 10.4, 20.3), Placed(item, 10.4, 20.3, math.pi / 4)], 100.0)
    baseline = 100.0 - upright.y - block.baselines[-1]
    assert (upright.x, baseline) == (10.25, round(baseline))
    assert (turned.x, turned.y) == (10.4, 20.3)
