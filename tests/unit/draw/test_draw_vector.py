"""Recordings: they look as pictures do, and documents of them hold shapes."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
import pytest

from qgserver.draw.brush import Brush, fill
from qgserver.draw.canvas import Canvas
from qgserver.draw.document import write_pdf, write_svg
from qgserver.draw.paths import box_path, single_path
from qgserver.draw.pen import Pen, stroke
from qgserver.draw.svg import SvgColors, read_picture
from qgserver.draw.vector import VectorCanvas

Kind = TypeVar("Kind", bound=Canvas)
RED, BLUE = (1.0, 0.0, 0.0, 1.0), (0.0, 0.0, 1.0, 0.5)
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 10 10"><rect width="10" height="10" fill="#00ff00"/></svg>'


def drawn(canvas: Kind) -> Kind:
    """A red square, a translucent layer over its right half, a sharp angle of a wide translucent pen, an SVG."""
    fill(canvas, box_path(5, 5, 25, 25), Brush(RED))
    layer = canvas.new_layer()
    fill(layer, box_path(15, 5, 35, 25), Brush((0.0, 0.0, 1.0, 1.0)))
    canvas.compose(layer, 0.5)
    angle = single_path(np.array(((5.0, 32.0), (35.0, 35.0), (5.0, 38.0))), False)
    stroke(canvas, angle, Pen(BLUE, 3.0, join="miter"))
    picture = read_picture(SVG, SvgColors(RED, RED, 1.0, 10.0))
    assert picture is not None
    picture.draw(canvas, (32, 12), (4, 4), 0.0, 1.0)
    return canvas


def test_a_recording_looks_as_a_picture_does() -> None:
    played = Canvas(40, 40)
    played.compose(drawn(VectorCanvas(40, 40)))
    differences = np.abs(played.pixels().astype(int) - drawn(Canvas(40, 40)).pixels())
    assert differences.max() <= 2


def test_documents_hold_shapes() -> None:
    pdf, svg = (
        write_pdf([(drawn(VectorCanvas(40, 40)), (40, 40))], 25.4),
        write_svg(drawn(VectorCanvas(40, 40)), (40, 40), 25.4),
    )
    assert b"/Subtype /Image" not in pdf and b"<image" not in svg
    assert b'width="40mm" height="40mm" viewBox="0 0 40 40"' in svg


@pytest.mark.parametrize("width", [0.25, 0.8])
def test_thin_pens_keep_their_width(width: float) -> None:
    canvas = VectorCanvas(10, 10)
    stroke(canvas, single_path(np.array(((0.0, 5.0), (10.0, 5.0))), False), Pen(RED, width, cap="flat"))
    assert f"stroke-width:{width};".encode() in write_svg(canvas, (10, 10), 25.4)
