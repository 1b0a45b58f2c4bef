"""Painting limited to an area."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import cairo

from qgserver.draw.canvas import Canvas
from qgserver.draw.paths import Paths, append_paths


@contextmanager
def clipped_to(canvas: Canvas, rings: Paths) -> Iterator[None]:
    """Everything painted inside the ``with`` shows only within the rings (odd-even)."""
    context = canvas.context
    context.save()
    context.new_path()
    append_paths(context, rings)
    context.set_fill_rule(cairo.FillRule.EVEN_ODD)
    context.clip()
    try:
        yield
    finally:
        context.restore()
