"""Maps of raster layers as clients ask for them: large ones, layers of several styles, files that fail."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from werkzeug.test import Client

from qgserver.app import create_application
from qgserver.errors import Problems
from qgserver.geo.extent import Extent
from qgserver.project.currentextents import CurrentExtents
from qgserver.project.model import RasterLayer
from qgserver.project.reading import read_project
from qgserver.providers import Sources
from qgserver.settings import Settings
from tests.unit.rasters.files import TEN, write

SRS = "<srs><spatialrefsys><authid>EPSG:2154</authid></spatialrefsys></srs>"
GREY = '<pipe><rasterrenderer type="singlebandgray" grayBand="1" gradient="{}" opacity="1" alphaBand="-1"/></pipe>'
MANAGER = f"""<map-layer-style-manager current="a"><map-layer-style name="a"/><map-layer-style name="b">
<qgis hasScaleBasedVisibilityFlag="1" minScale="2" maxScale="1">{GREY.format("BlackToWhite")}</qgis></map-layer-style>
<map-layer-style name="c"><qgis>{GREY.format("WhiteToBlack")}</qgis></map-layer-style></map-layer-style-manager>"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a project of one raster layer ``r``, and its file of 8 x 8 cells."""
    values = np.random.default_rng(1).integers(0, 256, (1, 8, 8), dtype=np.uint8)
    write(tmp_path / "r.tif", values, TEN, crs="EPSG:2154")
    (tmp_path / "p.qgs").write_text(
        f"""<qgis version="3.22.16"><projectCrs>{SRS[5:-6]}</projectCrs><layer-tree-group>
        <layer-tree-layer id="r" name="r" checked="Qt::Checked"/></layer-tree-group><projectlayers>
        <maplayer type="raster"><id>r</id><layername>r</layername><provider>gdal</provider>
        <datasource>./r.tif</datasource>{SRS}{GREY.format("BlackToWhite")}{MANAGER}</maplayer></projectlayers></qgis>"""
    )
    return tmp_path


def client(folder: Path, **settings: bool) -> Client:
    return Client(create_application(Settings(project_roots=(str(folder),), **settings)))  # type: ignore[arg-type]


def query(folder: Path, width: int, style: str = "", crs: str = "EPSG:2154", bbox: str = "100,120,180,200") -> str:
    return (
        f"/?MAP={folder / 'p.qgs'}&SERVICE=WMS&VERSION=1.3.0&REQUEST=GetMap&LAYERS=r&STYLES={style}&CRS={crs}"
        f"&BBOX={bbox}&WIDTH={width}&HEIGHT={width}&FORMAT=image/png&TRANSPARENT=TRUE"
    )


def pixels(answer: bytes) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return np.asarray(Image.open(io.BytesIO(answer)).convert("RGBA"))


def test_blocks_of_a_large_map_meet_without_a_seam(folder: Path) -> None:
    app = client(folder)
    small, large = (pixels(app.get(query(folder, width)).data) for width in (8, 2504))
    assert (small[:, :, 3] == 255).all()
    assert (large == small.repeat(313, axis=0).repeat(313, axis=1)).all()


def test_styles_and_their_scales(folder: Path) -> None:
    app = client(folder)
    plain, hidden, inverted = (pixels(app.get(query(folder, 8, style)).data) for style in ("a", "b", "c"))
    assert not hidden.any()
    assert (inverted[:, :, :3] == 255 - plain[:, :, :3]).all()


def test_the_box_of_a_layer_comes_from_its_file_where_the_project_has_none(folder: Path) -> None:
    project = read_project((folder / "p.qgs").read_bytes(), str(folder / "p.qgs"), Problems())
    layer = project.layers["r"]
    assert isinstance(layer, RasterLayer)
    assert CurrentExtents(project, Sources()).of(layer) == Extent(100, 120, 180, 200)
    (folder / "r.tif").write_bytes(b"no raster")
    assert CurrentExtents(project, Sources()).of(layer) is None


def test_a_map_far_away_is_empty(folder: Path) -> None:
    app = client(folder)
    for crs, bbox in (
        ("EPSG:2154", "5000,5000,6000,6000"),
        ("EPSG:3857", "1e7,1e7,2e7,2e7"),
        ("EPSG:4326", "1,1,2,2"),
    ):
        answer = app.get(query(folder, 16, crs=crs, bbox=bbox))
        assert answer.status_code == 200
        assert not pixels(answer.data).any()


@pytest.mark.parametrize("fault", ["gone", "broken", "empty"])
def test_files_that_fail_are_told_without_their_path(folder: Path, fault: str) -> None:
    path = folder / "r.tif"
    if fault == "gone":
        path.unlink()
    else:
        path.write_bytes(path.read_bytes()[: 60 if fault == "broken" else 0])
    answer = client(folder).get(query(folder, 8))
    assert answer.status_code >= 400
    assert str(folder) not in answer.text
    if fault == "gone":
        assert not pixels(client(folder, ignore_bad_layers=True).get(query(folder, 8)).data).any()
