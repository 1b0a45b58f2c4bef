"""Thin strokes of SVG pictures as QtSvg draws them: lines up to a pixel wide are not outlined (see ``thin``).

CairoSVG draws with a context of cairocffi; the one made here gives thin strokes as masks on the grid of the pixels that
the picture will be shown at.
"""

from __future__ import annotations

import math
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from qgserver.draw.canvas import Canvas
from qgserver.draw.paths import THIN_TOLERANCE, Paths, flatten_bezier
from qgserver.draw.thin import DashSteps, boxes_of, coverage, thin_segments
from qgserver.geo.geometry import Floats

if TYPE_CHECKING:
    import cairocffi

_MOVE, _LINE, _CURVE, _CLOSE = range(4)
ROUNDING = 1e-4
"""Widths come out of numbers with six digits."""
MAX_MASKS = 300
"""Thin strokes of a picture that are drawn so; more of them are cairo's."""
MAX_ITEMS = 200
"""Pieces of a path up to which its curves get the corners that Qt gives them."""
MAX_GRID = 2000
"""Pixels of the largest picture whose thin strokes are masks."""


def thin_context(surface: cairocffi.Surface, scale: tuple[float, float], grid: Canvas) -> cairocffi.Context:
    """A context for pictures that are shown ``scale`` times as wide and high as drawn, upright and with a whole
    pixel at their left upper corner, on a picture of the size of ``grid``."""
    context: cairocffi.Context = _context_class()(surface)
    context.shown_at(scale, grid)
    return context


@cache
def _context_class() -> Any:
    import cairocffi

    class ThinContext(cairocffi.Context):  # type: ignore[misc]
        def shown_at(self, scale: tuple[float, float], grid: Canvas) -> None:
            self._scale, self._grid, self._left = scale, grid, MAX_MASKS

        def stroke(self) -> None:
            matrix = self.get_matrix()
            size = self._scale[0] * self._scale[1] * abs(matrix.xx * matrix.yy - matrix.xy * matrix.yx)
            grown = math.sqrt(size)
            width = self.get_line_width() * grown
            self._left -= 1
            if not 0 < width <= 1 + ROUNDING or self._left < 0:
                super().stroke()
                return
            dashes, offset = self.get_dash()
            steps = DashSteps(tuple(part * grown for part in dashes), offset * grown) if sum(dashes) > 0 else None
            for paths in _device_paths(self, self._scale):
                _mask_thin(self, self._grid, paths, width, steps)
            self.new_path()

    return ThinContext


def _mask_thin(context: Any, grid: Canvas, paths: Paths, width: float, dashes: DashSteps | None) -> None:
    import cairocffi

    capped = context.get_line_cap() != cairocffi.LINE_CAP_BUTT
    group = np.zeros(len(paths), np.int64)
    lines = thin_segments(paths, np.full(len(paths), width), group, capped, dashes is not None)
    boxes = boxes_of(lines, 1, grid)
    alpha = coverage(lines, boxes, grid, dashes)
    if not len(alpha):
        return
    stride, tall = int(boxes.stride[0]), int(boxes.y1[0] - boxes.y0[0]) + 2
    mask = cairocffi.ImageSurface(cairocffi.FORMAT_A8, stride, tall, bytearray(alpha.tobytes()), stride)
    pattern = cairocffi.SurfacePattern(mask)
    pattern.set_filter(cairocffi.FILTER_NEAREST)
    pattern.set_matrix(cairocffi.Matrix(x0=1.0 - int(boxes.x0[0]), y0=1.0 - int(boxes.y0[0])))
    context.save()
    context.identity_matrix()
    context.scale(1 / context._scale[0], 1 / context._scale[1])
    context.mask(pattern)
    context.restore()


def _device_paths(context: Any, scale: tuple[float, float]) -> list[Paths]:
    """The context's path in pixels: what is open of it, and its rings."""
    found: dict[bool, list[Floats]] = {False: [], True: []}
    matrix = context.get_matrix()
    turn = np.array([[matrix.xx, matrix.yx], [matrix.xy, matrix.yy]]) * scale
    move = np.array([matrix.x0, matrix.y0]) * scale
    pieces: list[Floats] = []

    def finish(closed: bool) -> None:
        coords = np.concatenate([np.empty((0, 2)), *pieces])
        if len(coords) > 1 and np.isfinite(coords).all():
            found[closed].append(np.clip(coords, -1e6, 1e6))
        pieces.clear()

    path = context.copy_path()
    for kind, values in path if len(path) <= MAX_ITEMS else context.copy_path_flat():
        if kind == _CLOSE:
            finish(True)
            continue
        points = np.array(values, dtype=np.float64).reshape(-1, 2) @ turn + move
        if kind == _MOVE:
            finish(False)
        elif kind == _CURVE:
            start = pieces[-1][-1:] if pieces else points[:1]
            points = flatten_bezier(np.concatenate([start, points])[None], THIN_TOLERANCE)[1:]
        pieces.append(points)
    finish(False)
    return [_joined(lines, closed) for closed, lines in found.items() if lines]


def _joined(lines: list[Floats], closed: bool) -> Paths:
    starts = np.concatenate([[0], np.cumsum([len(line) for line in lines])]).astype(np.int64)
    return Paths(np.concatenate(lines), starts, closed)
