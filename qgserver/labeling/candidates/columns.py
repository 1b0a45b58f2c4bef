"""Candidates of all items as columns: no object per candidate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from qgserver.geo.geometry import Floats, Ints
from qgserver.labeling.model import Item, Upright

Flags = NDArray[np.bool_]
Shapes = NDArray[np.object_]
"""shapely geometries."""

NO_GLYPHS: Floats = np.empty((0, 5))


@dataclass(frozen=True, slots=True, eq=False)
class Candidates:
    """Places where labels may lie, n of them.

    ``item`` int64[n] numbers the label; ``x``, ``y``, ``width``, ``height``, ``angle`` float64[n] are its box (see
    ``model``), ``cost`` float64[n] is small where it lies well, ``quadrant`` int64[n, 2] tells on which side of its
    point it lies. The glyphs of candidate i of curved text are ``glyphs[runs[i]:runs[i + 1]]`` (x, y, width, height,
    angle), in reading order; straight text has none, and ``runs`` int64[n + 1] stands still.
    """

    item: Ints
    x: Floats
    y: Floats
    width: Floats
    height: Floats
    angle: Floats
    cost: Floats
    quadrant: Ints
    glyphs: Floats
    runs: Ints

    def __len__(self) -> int:
        return len(self.item)

    def take(self, chosen: Ints | Flags) -> Candidates:
        """The candidates at these places or under this mask, in that order."""
        rows = np.flatnonzero(chosen) if chosen.dtype == bool else chosen
        counts = np.diff(self.runs)[rows]
        glyphs = self.glyphs[expand(self.runs[rows], counts)[1]] if len(self.glyphs) else self.glyphs
        return Candidates(
            item=self.item[rows],
            x=self.x[rows],
            y=self.y[rows],
            width=self.width[rows],
            height=self.height[rows],
            angle=self.angle[rows],
            cost=self.cost[rows],
            quadrant=self.quadrant[rows],
            glyphs=glyphs,
            runs=running(counts),
        )

    def with_cost(self, cost: Floats) -> Candidates:
        return replace(self, cost=cost)


def running(counts: Ints) -> Ints:
    """int64[n + 1]: where the run of each begins, from their lengths."""
    offsets = np.zeros(len(counts) + 1, dtype=np.int64)
    np.cumsum(counts, out=offsets[1:])
    return offsets


def expand(starts: Ints, counts: Ints) -> tuple[Ints, Ints]:
    """All members of many ranges: (which range, member), both int64[sum of counts]."""
    which = np.repeat(np.arange(len(counts)), counts)
    ends = np.cumsum(counts)
    within = np.arange(len(which)) - np.repeat(ends - counts, counts)
    return which, starts[which] + within


def boxes(item: Ints, corner: Floats, size: Floats, cost: Floats, *, angle: Floats | float = 0.0) -> Candidates:
    """Straight candidates: ``corner`` and ``size`` are float64[n, 2]."""
    count = len(item)
    return Candidates(
        item=item.astype(np.int64, copy=False),
        x=corner[:, 0],
        y=corner[:, 1],
        width=size[:, 0],
        height=size[:, 1],
        angle=np.broadcast_to(np.asarray(angle, dtype=np.float64), (count,)),
        cost=np.broadcast_to(np.asarray(cost, dtype=np.float64), (count,)),
        quadrant=np.zeros((count, 2), dtype=np.int64),
        glyphs=NO_GLYPHS,
        runs=np.zeros(count + 1, dtype=np.int64),
    )


def nothing() -> Candidates:
    none = np.empty((0, 2))
    return boxes(np.empty(0, dtype=np.int64), none, none, none[:, 0])


def join(parts: Sequence[Candidates]) -> Candidates:
    """All of them, sorted by item; within an item in the order given."""
    if not parts:
        return nothing()
    together = Candidates(
        item=np.concatenate([part.item for part in parts]),
        x=np.concatenate([part.x for part in parts]),
        y=np.concatenate([part.y for part in parts]),
        width=np.concatenate([part.width for part in parts]),
        height=np.concatenate([part.height for part in parts]),
        angle=np.concatenate([part.angle for part in parts]),
        cost=np.concatenate([part.cost for part in parts]),
        quadrant=np.concatenate([part.quadrant for part in parts]),
        glyphs=np.concatenate([part.glyphs for part in parts]),
        runs=running(np.concatenate([np.diff(part.runs) for part in parts])),
    )
    return together.take(np.argsort(together.item, kind="stable"))


def stand_upright(found: Candidates, items: Sequence[Item]) -> Candidates:
    """Straight text that stands on its head is turned by half a turn around the middle of its box, as far as its
    setting says so."""
    angle = np.mod(found.angle, 2 * np.pi)
    turned = (angle > np.pi / 2) & (angle <= 3 * np.pi / 2) & (np.diff(found.runs) == 0)
    if not turned.any():
        return replace(found, angle=angle)
    rows = np.flatnonzero(turned)
    rows = rows[[turns(items[i]) for i in found.item[rows].tolist()]]
    x, y = found.x.copy(), found.y.copy()
    far = corners(x[rows], y[rows], found.width[rows], found.height[rows], angle[rows])[:, 2]
    x[rows], y[rows] = far[:, 0], far[:, 1]
    angle[rows] = np.mod(angle[rows] + np.pi, 2 * np.pi)
    return replace(found, x=x, y=y, angle=angle)


def turns(item: Item) -> bool:
    """Whether its text is turned where it would stand on its head."""
    if item.placing.upright == Upright.WHEN_PINNED:
        return item.angle is None or (item.pinned is None and item.angle == 0.0)
    return item.placing.upright == Upright.TURNED


def corners(x: Floats, y: Floats, width: Floats, height: Floats, angle: Floats) -> Floats:
    """float64[n, 4, 2]: the corners of boxes, from the lower left one on, counter-clockwise."""
    along = np.stack((np.cos(angle), np.sin(angle)), axis=-1) * width[:, None]
    up = np.stack((-np.sin(angle), np.cos(angle)), axis=-1) * height[:, None]
    first = np.stack((x, y), axis=-1)
    return np.stack((first, first + along, first + along + up, first + up), axis=1)


def parts(found: Candidates) -> tuple[Ints, Ints, Floats]:
    """The boxes of candidates: int64[p] whose they are, int64[n + 1] where those of each begin, corners
    float64[p, 4, 2]."""
    glyphs = np.diff(found.runs)
    count = np.maximum(glyphs, 1)
    first = running(count)
    owner = np.repeat(np.arange(len(found)), count)
    columns = [column[owner] for column in (found.x, found.y, found.width, found.height, found.angle)]
    if len(found.glyphs):
        curved = (glyphs > 0)[owner]
        for column, value in zip(columns, found.glyphs.T, strict=True):
            column[curved] = value
    return owner, first, corners(*columns)
