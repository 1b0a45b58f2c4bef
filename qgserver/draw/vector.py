"""Canvases that keep shapes as shapes, for documents: what is drawn is recorded, and played back at any size."""

from __future__ import annotations

import ctypes
import sys
from functools import lru_cache
from typing import cast

import cairo

from qgserver.draw.canvas import Antialias, Canvas


class VectorCanvas(Canvas):
    """A recording of ``width`` x ``height`` units, in which lengths are what pixels are to a picture.

    It is composed with others as pictures are, and stays a recording then. It has no pixels.
    """

    __slots__ = ()

    vector = True

    def _new_surface(self) -> cairo.ImageSurface:
        bounds = cairo.Rectangle(0.0, 0.0, float(self.width), float(self.height))
        # typed as what all others are: none that asks for pixels is given a recording
        return cast(cairo.ImageSurface, cairo.RecordingSurface(cairo.Content.COLOR_ALPHA, bounds))

    @property
    def antialias(self) -> Antialias:
        """Crowds are drawn like all else."""
        return "exact"

    @antialias.setter
    def antialias(self, mode: Antialias) -> None:
        """Nothing is antialiased here."""


_POINTER = 8


@lru_cache(maxsize=1)
def _known_layout() -> bool:
    """Whether pycairo keeps the ``cairo_surface_t*`` right behind the header of its object, before one more pointer."""
    layout = object.__basicsize__ + 2 * _POINTER
    sized = cairo.Surface.__basicsize__ == layout and ctypes.sizeof(ctypes.c_void_p) == _POINTER
    return sys.implementation.name == "cpython" and sized


def surface_address(canvas: VectorCanvas) -> int | None:
    """Where cairo has the recording, for other bindings of the same library; None where that is not known."""
    if not _known_layout():
        return None
    return ctypes.c_void_p.from_address(id(canvas.surface) + object.__basicsize__).value
