"""Boxes of feature types: what the data say, not what they were when the project was saved."""

from __future__ import annotations

from pathlib import Path

import pytest
from lxml import etree
from werkzeug.test import Client

from qgserver.app import Application
from qgserver.errors import ProviderError
from qgserver.geo.extent import Extent
from qgserver.project import currentextents
from qgserver.settings import Settings

PROJECT = Path(__file__).parents[3] / "fixtures/projects/wfs.qgs"


class Source:
    """A data source with a box; without one it is down."""

    def __init__(self) -> None:
        self.box: Extent | None = None

    def extent(self) -> Extent:
        if self.box is None:
            raise ProviderError("down")
        return self.box


def boxes(client: Client, version: str) -> dict[str, tuple[float, ...]]:
    answer = client.get(f"/?SERVICE=WFS&VERSION={version}&REQUEST=GetCapabilities")
    out = {}
    for kind in etree.fromstring(answer.data).iter("{*}FeatureType"):
        for box in kind.iter("{*}LatLongBoundingBox", "{*}WGS84BoundingBox"):
            texts = [box.get(side) for side in ("minx", "miny", "maxx", "maxy") if box.get(side)]
            numbers = texts or " ".join(corner.text for corner in box).split()
            out[kind.findtext("{*}Name")] = tuple(map(float, numbers))
    return out


@pytest.mark.parametrize("version", ["1.0.0", "1.1.0", "2.0.0"])
def test_boxes_are_those_of_the_data(monkeypatch: pytest.MonkeyPatch, version: str) -> None:
    source = Source()
    monkeypatch.setattr(currentextents, "open_layer", lambda *_: source)
    client = Client(Application(Settings(project_file=str(PROJECT))))
    stored = boxes(client, version)["pts"]
    source.box = Extent(843000, 6519000, 844000, 6520000)
    asked_again = boxes(client, version)["pts"]
    source.box = Extent(0, 0, 1, 1)  # the document is kept
    assert boxes(client, version)["pts"] == asked_again != stored
    assert asked_again == pytest.approx((4.85, 45.76, 4.87, 45.77), abs=0.02)
    assert stored[0] < asked_again[0] < asked_again[2] < stored[2]


@pytest.mark.parametrize("spoilt", [Extent(float("inf"), 0, 1, 1), Extent(-1e300, -1e300, 1e300, 1e300)])
def test_boxes_nobody_can_be_in_are_not_told(monkeypatch: pytest.MonkeyPatch, spoilt: Extent) -> None:
    source = Source()
    monkeypatch.setattr(currentextents, "open_layer", lambda *_: source)
    stored = boxes(Client(Application(Settings(project_file=str(PROJECT)))), "1.1.0")
    source.box = spoilt
    told = boxes(Client(Application(Settings(project_file=str(PROJECT)))), "1.1.0")
    assert told.keys() == stored.keys()
    assert all(abs(number) <= 180 for box in told.values() for number in box)
