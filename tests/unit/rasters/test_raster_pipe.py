"""The pipe of a raster layer: reading it, and what comes out of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from lxml import etree

from qgserver.errors import Problems
from qgserver.rasters.model import Reading
from qgserver.rasters.pipe import PictureResampling, Pipe
from qgserver.rasters.reading import read_pipe
from qgserver.rasters.transparency import Entry, Transparency
from qgserver.rasters.values import band_statistics, bands_at
from tests.unit.rasters.files import opened, write

GREY = '<rasterrenderer type="singlebandgray" grayBand="1" opacity="{}" nodataColor="{}">{}</rasterrenderer>'


def read(body: str, nodata: str = "") -> Pipe:
    style = etree.fromstring(f"<maplayer>{nodata}<pipe>{body}</pipe></maplayer>")
    return read_pipe(style, "layer", Problems(strict=True))


def test_all_of_a_pipe_is_read() -> None:
    listed = '<rasterTransparency><singleValuePixelList><pixelListEntry min="3" max="5" percentTransparent="50"/>'
    pipe = read(
        '<provider><resampling enabled="true" zoomedInResamplingMethod="cubic" zoomedOutResamplingMethod="average"'
        ' maxOversampling="3"/></provider>'
        + GREY.format("0.5", "1,2,3,255", f"{listed}</singleValuePixelList></rasterTransparency>")
        + '<rasterresampler zoomedInResampler="cubic" zoomedOutResampler="bilinear" maxOversampling="4"/>',
        '<noData><noDataList bandNo="1" useSrcNoData="0"><noDataRange min="7" max="9"/></noDataList></noData>',
    )
    assert pipe.renderer is not None
    assert (pipe.opacity, pipe.alpha_band) == (0.5, 0)
    assert pipe.nodata_color == (1 / 255, 2 / 255, 3 / 255, 1.0)
    assert pipe.transparency == Transparency((1,), (Entry((3.0,), (5.0,), 50.0),))
    assert pipe.reading == Reading("cubic", "average", 3.0, frozenset({1}))
    assert pipe.nodata == {1: ((7.0, 9.0),)}
    assert pipe.resampling == PictureResampling("cubic", "bilinear", 4.0)


def test_the_provider_s_stage_leaves_the_picture_alone() -> None:
    body = GREY.format("1", "", "") + '<rasterresampler zoomedInResampler="cubic"/>'
    assert read(body + "<resamplingStage>provider</resamplingStage>").resampling == PictureResampling()
    assert read(body).resampling == PictureResampling("cubic")


@pytest.mark.parametrize("word", ["nan", "inf", "-1e999", "", "x", "1e300", "-7"])
def test_absurd_numbers_do_no_harm(word: str) -> None:
    listed = f'<pixelListEntry min="{word}" max="{word}" percentTransparent="{word}"/>'
    pipe = read(
        f'<provider><resampling enabled="1" maxOversampling="{word}" zoomedInResamplingMethod="{word}"/></provider>'
        f'<rasterrenderer type="singlebandgray" grayBand="{word}" opacity="{word}" alphaBand="{word}"'
        f' nodataColor="{word}">'
        f"<rasterTransparency><singleValuePixelList>{listed}</singleValuePixelList></rasterTransparency></rasterrenderer>"
        f'<rasterresampler maxOversampling="{word}" zoomedInResampler="{word}"/>',
        f'<noData><noDataList bandNo="{word}"><noDataRange min="{word}" max="{word}"/></noDataList></noData>',
    )
    assert 0 <= pipe.opacity <= 1
    assert 1 <= pipe.reading.max_oversampling <= 100
    assert 1 <= pipe.resampling.max_oversampling <= 100
    assert pipe.alpha_band >= 0


def test_unknown_renderers_are_noted_and_draw_nothing() -> None:
    problems = Problems()
    style = etree.fromstring('<maplayer><pipe><rasterrenderer type="magic"/></pipe></maplayer>')
    assert read_pipe(style, "layer", problems).renderer is None
    assert [problem.element for problem in problems.items] == ["raster renderer magic"]
    assert read_pipe(etree.fromstring("<maplayer/>"), "layer", problems) == Pipe()


def test_values_of_nothing_stay_transparent_or_get_their_colour(tmp_path: Path) -> None:
    source = opened(write(tmp_path / "a.tif", np.array([[[10, 8, 200]]], np.uint8), nodata=200))
    nodata = '<noData><noDataList bandNo="1"><noDataRange min="7" max="9"/></noDataList></noData>'
    pixels = read(GREY.format("1", "", ""), nodata).paint(source, source.info().grid)[0]
    assert pixels.tolist() == [[10, 10, 10, 255], [0] * 4, [0] * 4]
    coloured = read(GREY.format("0.5", "255,0,0,255", ""), nodata).paint(source, source.info().grid)[0]
    assert coloured.tolist() == [[5, 5, 5, 127], [0, 0, 127, 127], [0, 0, 127, 127]]


def test_values_at_a_point_and_over_a_band(tmp_path: Path) -> None:
    source = opened(write(tmp_path / "a.tif", np.array([[[1, 2, 3, 8, 200]]], np.int16), nodata=200))
    plain, ranged = Pipe(), Pipe(nodata={1: ((7.0, 9.0),)})
    assert bands_at(source, plain, (135, 195)) == (("Band 1", 8.0),)
    assert bands_at(source, ranged, (135, 195)) == (("Band 1", None),)
    assert bands_at(source, plain, (1, 1)) == bands_at(source, plain, (float("nan"), 1)) == ()
    found = band_statistics(source, plain, 1)
    assert (found["min"], found["max"], found["range"], found["sum"], found["avg"]) == (1, 8, 7, 14, 3.5)
    assert found["stdev"] == pytest.approx(np.std([1, 2, 3, 8]))
    assert band_statistics(source, ranged, 1)["stdev"] == pytest.approx(np.std([1, 2, 3], ddof=1))
    assert band_statistics(source, Pipe(nodata={1: ((0.0, 9.0),)}), 1) == {}


@pytest.mark.parametrize("renderer", ['type="hillshade" band="1" zfactor="2"', 'type="singlebandgray" grayBand="1"'])
def test_parts_make_the_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, renderer: str) -> None:
    values = np.random.default_rng(3).uniform(0, 255, (1, 23, 17)).astype(np.float32)
    source = opened(write(tmp_path / "a.tif", values))
    pipe = read(
        f'<rasterrenderer {renderer} opacity="0.7"/><brightnesscontrast brightness="20" contrast="5" gamma="1"/>'
    )
    whole = pipe.paint(source, source.info().grid)
    monkeypatch.setattr("qgserver.rasters.pipe.PART", 40)
    assert (pipe.paint(source, source.info().grid) == whole).all()
    assert len(np.unique(whole[:, :, 0])) > (50 if "hillshade" in renderer else 0)
