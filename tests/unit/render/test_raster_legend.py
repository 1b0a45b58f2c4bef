"""Legends of raster layers; labels, sizes and pixels are those of QGIS Server 3.22."""

from __future__ import annotations

import base64
import io
import json
import re
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from werkzeug.test import Client

from qgserver.app import Application
from qgserver.settings import Settings

FIXTURES = Path(__file__).parents[3] / "fixtures"
FONTS = "LAYERFONTFAMILY=DejaVu%20Sans&ITEMFONTFAMILY=DejaVu%20Sans"
Change = Callable[[str], str]


@pytest.fixture
def ask(tmp_path: Path) -> Callable[..., bytes]:
    """Ask for the legend of a layer of the raster project, its XML changed."""
    with zipfile.ZipFile(FIXTURES / "projects/raster.qgz") as archive:
        project = archive.read(next(name for name in archive.namelist() if name.endswith(".qgs"))).decode()
    project = project.replace("../data/", f"{FIXTURES}/data/")

    def answer(layer: str, change: Change = str, form: str = "image/png") -> bytes:
        def changed(found: re.Match[str]) -> str:
            return change(found[0]) if f"<layername>{layer}</layername>" in found[0] else found[0]

        path = tmp_path / "legend.qgs"
        path.write_text(re.sub(r"<maplayer .*?</maplayer>", changed, project, flags=re.DOTALL))
        client = Client(Application(Settings(project_roots=(str(tmp_path),))))
        query = f"SERVICE=WMS&REQUEST=GetLegendGraphic&LAYERS={layer}&FORMAT={form}&{FONTS}"
        found = client.get(f"/?MAP={path}&{query}")
        assert found.status_code == 200, found.text
        return found.data

    return answer


def pixels(data: bytes) -> NDArray[np.uint8]:
    with Image.open(io.BytesIO(data)) as picture:
        return np.asarray(picture.convert("RGBA"))


def test_colors_are_icons_in_json_and_bars_are_not(ask: Callable[..., bytes]) -> None:
    node = json.loads(ask("palette_own", form="application/json"))["nodes"][0]
    assert [row["title"] for row in node["symbols"]] == ["Band 1 (Palette)", *(f"class {i}" for i in range(7))]
    icon = pixels(base64.b64decode(node["symbols"][1]["icon"]))
    assert icon.shape == (4, 7, 4) and icon[1, 1].tolist() == [238, 133, 164, 255]  # though its alpha is 120
    assert np.abs(icon[0, 1].astype(int) - (119, 66, 82, 255)).max() <= 1
    assert np.abs(icon[0, 0].astype(int) - (59, 33, 41, 255)).max() <= 1
    node = json.loads(ask("pc_interp", form="application/json"))["nodes"][0]
    assert node["symbols"] == [{"title": "Band 1 (Gray)"}, {"title": ""}]
    assert json.loads(ask("hill", form="application/json"))["nodes"] == []


def test_the_layer_s_opacity_shows_in_patches(ask: Callable[..., bytes]) -> None:
    patch = pixels(ask("palette_own", lambda xml: xml.replace(' opacity="1"', ' opacity="0.5"')))[71:84, 8:32]
    assert np.abs(patch.astype(int) - (246, 193, 209, 255)).max() <= 1


def test_bars_stand_or_lie_with_their_texts(ask: Callable[..., bytes]) -> None:
    def lying(xml: str) -> str:
        return xml.replace('orientation="2"', 'orientation="1"').replace('fix=""', 'fix=" m"')

    assert pixels(ask("pc_interp")).shape[:2] == (114, 151)
    lies = pixels(ask("pc_interp", lying))
    assert lies.shape[0] == 117
    first, last = np.flatnonzero((lies[77] != 255).any(axis=1))[[0, -1]]
    assert np.abs(lies[77, first + 3].astype(int) - (104, 197, 38, 255)).max() < 8
    assert np.abs(lies[77, last - 3].astype(int) - (131, 40, 112, 255)).max() < 8


def test_a_bar_may_begin_at_the_top(ask: Callable[..., bytes]) -> None:
    upright = pixels(ask("pc_interp"))[:, 20]
    turned = pixels(ask("pc_interp", lambda xml: xml.replace(' direction="0"', ' direction="1"')))[:, 20]
    assert np.abs(upright[72].astype(int) - (126, 52, 113, 255)).max() < 4
    assert np.abs(turned[72].astype(int) - (101, 193, 48, 255)).max() < 4


def test_items_are_listed_where_the_style_wants_them(ask: Callable[..., bytes]) -> None:
    listed = ask(
        "pc_interp", lambda xml: xml.replace('useContinuousLegend="1"', 'useContinuousLegend="0"'), "application/json"
    )
    titles = [row["title"] for row in json.loads(listed)["nodes"][0]["symbols"]]
    assert titles == ["Band 1 (Gray)", "100", "189", "277", "366", "454", "543", "631", "720"]


def test_without_its_source_a_layer_s_bands_have_no_names(ask: Callable[..., bytes]) -> None:
    broken = ask("pc_interp", lambda xml: xml.replace("dem.tif", "gone.tif"), "application/json")
    node = json.loads(broken)["nodes"][0]
    assert node["title"] == "" and node["type"] == "layer"


@pytest.mark.parametrize("value", ["1e400", "nan", "x", "", "-1e300"])
def test_absurd_limits_do_no_harm(ask: Callable[..., bytes], value: str) -> None:
    found = ask("pc_interp", lambda xml: re.sub(r'(classificationM\w+|imumValue)="[^"]*"', rf'\1="{value}"', xml))
    assert pixels(found).shape[0] == 114
