"""Markers drawn once and stamped many times at whole pixels."""

from __future__ import annotations

import cairo
import numpy as np
from numpy.typing import NDArray

from qgserver.draw.canvas import Canvas


def stamp(canvas: Canvas, sprite: cairo.ImageSurface, xs: NDArray[np.int32], ys: NDArray[np.int32]) -> None:
    """Draw ``sprite`` with its top-left pixel at each (xs[i], ys[i]), in this order."""
    raise NotImplementedError
