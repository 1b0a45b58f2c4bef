"""Pictures as files, compared with what QGIS Server sends."""

from __future__ import annotations

import io
import struct

import numpy as np
import pytest
from PIL import Image

from qgserver.draw.canvas import Canvas
from qgserver.draw.encode import ImageOptions, image_format, image_formats


def _picture(colours: int) -> Canvas:
    """64 x 48 opaque pixels of so many colours."""
    numbers = np.arange(64 * 48, dtype="<u4").reshape(48, 64) * 7 % colours
    canvas = Canvas(64, 48)
    canvas.pixels()[:] = (numbers * 0x9E3779B1).astype("<u4")[..., None].view(np.uint8)
    canvas.pixels()[..., 3] = 255
    canvas.surface.mark_dirty()
    return canvas


def _encode(canvas: Canvas, name: str, *, transparent: bool = False, dpi: float = 25.4 / 0.28) -> bytes:
    found = image_format(name)
    assert found is not None
    return found.encode(canvas, ImageOptions(transparent, dpi))


def _rgba(data: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGBA")).astype(int)


def _chunk(data: bytes, kind: bytes) -> bytes:
    at = data.index(kind)
    return data[at + 4 : at + 4 + struct.unpack(">I", data[at - 4 : at])[0]]


@pytest.mark.parametrize(
    ("name", "transparent", "kind"),
    [
        ("image/png", False, (8, 2)),
        ("PNG", True, (8, 6)),
        ("image/png; mode=16bit", False, (8, 6)),
        ("image/png;mode=8bit", True, (8, 3)),
        ("Image/PNG; MODE=1bit", False, (1, 3)),
    ],
)
def test_png_headers(name: str, transparent: bool, kind: tuple[int, int]) -> None:
    data = _encode(_picture(9), name, transparent=transparent)
    assert struct.unpack(">2I2B", _chunk(data, b"IHDR")[:10]) == (64, 48, *kind)
    assert _chunk(data, b"pHYs") == struct.pack(">2IB", 3571, 3571, 1)
    Image.open(io.BytesIO(data)).verify()


def test_density_follows_dpi() -> None:
    canvas = _picture(3)
    assert _chunk(_encode(canvas, "png", dpi=192), b"pHYs")[:4] == struct.pack(">I", 7559)
    jpeg = Image.open(io.BytesIO(_encode(canvas, "image/jpeg")))
    assert (jpeg.info["dpi"], jpeg.quantization[0][:4]) == ((91, 91), [8, 6, 5, 8])  # as QGIS's, quality 75


@pytest.mark.parametrize("colours", [1, 2, 255, 256])
@pytest.mark.parametrize("transparent", [False, True])
def test_few_colours_keep_theirs_in_8_bits(colours: int, transparent: bool) -> None:
    canvas = _picture(colours - transparent or 1)
    if transparent:
        canvas.pixels()[:5] = 0
    data = _encode(canvas, "image/png; mode=8bit", transparent=transparent)
    assert (_rgba(data) == _rgba(_encode(canvas, "png", transparent=transparent))).all()


def test_many_colours_come_close_in_8_bits() -> None:
    y, x = np.indices((48, 64))
    canvas = Canvas(64, 48)
    canvas.pixels()[:] = np.stack([x * 4, y * 5, np.full_like(x, 90), np.full_like(x, 255)], axis=2)
    data = _encode(canvas, "image/png; mode=8bit")
    assert np.abs(_rgba(data) - _rgba(_encode(canvas, "png"))).mean() < 8


def test_translucent_colours_come_out_unpremultiplied() -> None:
    canvas = Canvas(2, 1)
    canvas.pixels()[0] = [[18 * 28 // 255, 209 * 28 // 255, 200 * 28 // 255, 28], [0, 0, 0, 0]]
    rgba = _rgba(_encode(canvas, "png", transparent=True))[0]
    assert np.abs(rgba[0] - [191, 200, 9, 28]).max() <= 1
    # 16 bit means four bits a channel, cut from premultiplied colours: this pixel of QGIS is 255,255,0,17
    assert _rgba(_encode(canvas, "image/png; mode=16bit", transparent=True))[0].tolist() == [[255, 255, 0, 17], [0] * 4]


def test_one_bit_splits_at_half_grey() -> None:
    canvas = Canvas(4, 1)
    canvas.pixels()[0] = [[127, 127, 127, 255], [128, 128, 128, 255], [255, 255, 255, 255], [0, 0, 0, 0]]
    data = _encode(canvas, "image/png; mode=1bit")
    assert _rgba(data)[0, :, 0].tolist() == [0, 255, 255, 0]
    assert _chunk(data, b"PLTE") == b"\xff\xff\xff\0\0\0"


def test_formats_are_listed_as_qgis_lists_them() -> None:
    assert [each.name for each in image_formats() if each.listed] == [
        "image/jpeg",
        "image/png",
        "image/png; mode=16bit",
        "image/png; mode=8bit",
        "image/png; mode=1bit",
    ]
    assert {each.mime for each in image_formats()} == {"image/jpeg", "image/png", "image/webp"}


@pytest.mark.parametrize("name", ["jpeg", "jpg", "image/jpg", "image/gif", "image/png8", "", "image/png; mode=4bit"])
def test_formats_qgis_refuses(name: str) -> None:
    assert image_format(name) is None


@pytest.mark.parametrize("name", ["image/jpeg", "image/webp", "webp"])
def test_lossy_formats(name: str) -> None:
    canvas = _picture(1)
    data = _encode(canvas, name)
    assert np.abs(_rgba(data) - _rgba(_encode(canvas, "png"))).max() <= 4
    best, worst = (
        found.encode(_picture(500), ImageOptions(quality=quality))
        for quality in (95, 5)
        if (found := image_format(name))
    )
    assert len(best) > len(worst)


def test_without_isal(monkeypatch: pytest.MonkeyPatch) -> None:
    canvas = _picture(40)
    expected = _rgba(_encode(canvas, "png"))
    monkeypatch.setitem(__import__("sys").modules, "isal", None)
    assert (_rgba(_encode(canvas, "png")) == expected).all()
