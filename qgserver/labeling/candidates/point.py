"""Labels at points: around, over and at ordered positions; polygons stand there with their centre."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from qgserver.geo.geometry import Floats, Ints
from qgserver.labeling.candidates.columns import Candidates, boxes
from qgserver.labeling.model import Item, Mode

CHEAPEST = 0.0001
_STEP = 0.002

_SIDES: dict[str, tuple[float, float, float, int, int]] = {
    # (the slightly left ones lie to the right and the other way round: measured)
    # direction in degrees, share of the width to the left, share of the height below, side in x and y
    "TL": (135, 1.0, 0.0, -1, 1),
    "TSL": (90, 0.25, 0.0, -1, 1),
    "T": (90, 0.5, 0.0, 0, 1),
    "TSR": (90, 0.75, 0.0, 1, 1),
    "TR": (45, 0.0, 0.0, 1, 1),
    "L": (180, 1.0, 0.5, -1, 0),
    "R": (0, 0.0, 0.5, 1, 0),
    "BL": (225, 1.0, 1.0, -1, -1),
    "BSL": (270, 0.25, 1.0, -1, -1),
    "B": (270, 0.5, 1.0, 0, -1),
    "BSR": (270, 0.75, 1.0, 1, -1),
    "BR": (315, 0.0, 1.0, 1, -1),
}


def over(which: Ints, items: Sequence[Item], points: Floats, most: int = 1) -> Candidates:
    """One candidate an item, ``quadrant`` and ``offset`` away from its point. ``which`` numbers the ``items`` in the
    map; ``points`` float64[n, 2]."""
    size = sizes(items)
    quadrant = np.array([item.placing.quadrant for item in items], dtype=np.int64).reshape(-1, 2)
    angle = angles(items)
    shift = turn((quadrant - 1) * size / 2, angle) + _over_offsets(items, quadrant)
    found = boxes(which, points + shift, size, np.full(len(which), CHEAPEST), angle=angle)
    found.quadrant[:] = quadrant
    return found


def _over_offsets(items: Sequence[Item], quadrant: Ints) -> Floats:
    """Over a point the offset counts; around a point with a side of its own, the distance does."""
    offset = np.array([item.placing.offset for item in items], dtype=np.float64).reshape(-1, 2)
    around = np.array([item.placing.mode == Mode.AROUND_POINT for item in items], dtype=bool)
    if around.any():
        distance = np.array([item.placing.distance for item in items])
        slant = np.where((quadrant != 0).all(axis=1), np.sqrt(0.5), 1.0)
        offset[around] = (quadrant * (distance * slant)[:, None])[around]
    return offset


def centred(which: Ints, items: Sequence[Item], points: Floats, most: int = 1) -> Candidates:
    """The box's middle on the point: what polygons try before the places around their centre."""
    size = sizes(items)
    return boxes(which, points - size / 2, size, np.full(len(which), CHEAPEST / 2), angle=angles(items))


def around(which: Ints, items: Sequence[Item], points: Floats, most: int) -> Candidates:
    """``most`` candidates an item on a circle (the corner or side that faces the point lies on it), from the upper
    right one counter-clockwise; the cost rises alternately to both sides of the first."""
    size = sizes(items)
    width, height = size[:, :1], size[:, 1:]
    distance = np.array([item.placing.distance for item in items], dtype=np.float64).reshape(-1, 1)
    wide = np.arctan2(height / 2, distance + width / 2)
    high = np.arctan2(width / 2, distance + height / 2)
    limit = np.pi / 6
    # a side faces the point, instead of a corner, up to these angles from its axis
    side = np.where(distance > 0, np.minimum(wide, limit), limit)
    top = np.where(distance > 0, np.minimum(high, limit), limit)
    angle = np.mod(np.pi / 4 + np.arange(most) * 2 * np.pi / most, 2 * np.pi)[None, :]
    x, y, quadrant = _around_corner(angle, distance, (width, height), (side, top))
    shift = turn(np.stack((x, y), axis=-1).reshape(-1, 2), np.repeat(angles(items), most))
    rank = np.concatenate((np.arange(0, most, 2), np.arange(most - 1, 0, -2)))
    cost = CHEAPEST + _STEP * rank / (most - 1)
    found = boxes(
        np.repeat(which, most),
        np.repeat(points, most, axis=0) + shift,
        np.repeat(size, most, axis=0),
        np.tile(cost, len(which)),
        angle=np.repeat(angles(items), most),
    )
    found.quadrant[:] = quadrant.reshape(-1, 2)
    return found


def _around_corner(
    angle: Floats, distance: Floats, size: tuple[Floats, Floats], limits: tuple[Floats, Floats]
) -> tuple[Floats, Floats, Ints]:
    """Lower left corners relative to the point, and sides: float64[n, k] twice, int64[n, k, 2]."""
    width, height = size
    side, top = limits
    shape = np.broadcast_shapes(angle.shape, distance.shape)
    from_right = np.mod(angle + np.pi, 2 * np.pi) - np.pi
    right, left = np.abs(from_right) < side, np.abs(angle - np.pi) < side
    above, below = np.abs(angle - np.pi / 2) < top, np.abs(angle - 3 * np.pi / 2) < top
    dx, dy = distance * np.cos(angle), distance * np.sin(angle)
    west, south = np.cos(angle) < 0, np.sin(angle) < 0
    with np.errstate(divide="ignore", invalid="ignore"):
        x = np.select(
            [right, left, above, below],
            [
                np.broadcast_to(distance, shape),
                -distance - width + np.zeros(shape),
                -width * (angle - np.pi / 2 + top) / (2 * top),
                -width + (angle - 3 * np.pi / 2 + top) * width / (2 * top),
            ],
            default=np.where(west, dx - width, dx),
        )
        y = np.select(
            [right, left, above, below],
            [
                -height + height * (from_right + side) / (2 * side),
                -(angle - np.pi + side) * height / (2 * side),
                np.broadcast_to(distance, shape),
                -distance - height + np.zeros(shape),
            ],
            default=np.where(south, dy - height, dy),
        )
    across = np.where(above | below, 0, np.where(west, -1, 1))
    upward = np.where(right | left, 0, np.where(south, -1, 1))
    return x, y, np.stack((across, upward), axis=-1)


def ordered(which: Ints, items: Sequence[Item], points: Floats, most: int) -> Candidates:
    """The positions that map makers prefer, in the order of the settings: each next one costs a little more. Turned
    boxes turn around the point at their distance from the item's."""
    rows, found = [], []
    for row, item in enumerate(items):
        left, under = item.width, item.height
        top, bottom = item.margins
        half_width, half_height = item.placing.symbol
        for rank, name in enumerate(item.placing.positions[:most]):
            if name not in _SIDES:
                continue
            degrees, share, below, across, upward = _SIDES[name]
            unit = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
            x = _sign(unit[0]) * half_width - left * share
            y = _sign(unit[1]) * half_height - under * below
            y += top if below == 1.0 else -bottom if below == 0.0 else 0.0
            away = item.placing.distance
            rows.append(row)
            found.append((away * unit[0], away * unit[1], x, y, CHEAPEST + 0.001 * rank, across, upward))
    table = np.array(found, dtype=np.float64).reshape(-1, 7)
    at = np.array(rows, dtype=np.int64)
    angle = angles(items)[at]
    corner = points[at] + table[:, :2] + turn(table[:, 2:4], angle)
    out = boxes(which[at], corner, sizes(items)[at], table[:, 4], angle=angle)
    out.quadrant[:] = table[:, 5:]
    return out


def _sign(value: float) -> int:
    return 0 if abs(value) < 1e-9 else 1 if value > 0 else -1


def sizes(items: Sequence[Item]) -> Floats:
    """float64[n, 2]: width and height of the boxes."""
    return np.array([(item.width, item.height) for item in items], dtype=np.float64).reshape(-1, 2)


def angles(items: Sequence[Item]) -> Floats:
    """float64[n]: the angles that data demand, else 0."""
    return np.array([item.angle or 0.0 for item in items], dtype=np.float64)


def turn(vectors: Floats, angle: Floats) -> Floats:
    """The vectors float64[n, 2] turned counter-clockwise, each by its angle."""
    cos, sin = np.cos(angle), np.sin(angle)
    x, y = vectors[:, 0], vectors[:, 1]
    return np.stack((x * cos - y * sin, x * sin + y * cos), axis=-1)
