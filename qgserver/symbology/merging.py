"""What renderers that merge features share: features of the same symbols become one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from qgserver.geo.geometry import GeometryArray, Ints, spans
from qgserver.geo.wkb import take
from qgserver.providers.batch import Batch, Column, take_batch
from qgserver.symbology.renderer import Jobs, Renderer
from qgserver.symbology.scene import Scene

Merge = Callable[[GeometryArray, Ints, int], GeometryArray]
"""From geometries, the group of each and the number of groups to the geometry of each group."""


@dataclass(frozen=True, slots=True)
class Classes:
    """g classes of features: ``rows`` int64[m] are drawn and belong to ``classes`` int64[m]; ``first`` int64[g] is each
    class's first feature and ``jobs`` its symbols, with classes as rows."""

    rows: Ints
    classes: Ints
    first: Ints
    jobs: Jobs


def classes_of(jobs: Jobs) -> Classes:
    """Features with the same symbols in one class, classes in the order of their first features."""
    rows, starts = np.unique(jobs.rows, return_index=True)
    counts = np.diff(np.append(starts, len(jobs)))
    keys = np.zeros(len(rows), dtype=np.int64)
    for number in range(int(counts.max(initial=0))):
        symbols = np.where(counts > number, jobs.symbols[np.minimum(starts + number, len(jobs) - 1)], -1)
        pairs = keys * (int(symbols.max(initial=0)) + 2) + symbols + 1
        keys = np.unique(pairs, return_inverse=True)[1]
    _, first, classes = np.unique(keys, return_index=True, return_inverse=True)
    order = np.argsort(first)
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))
    first = first[order]
    drawn = jobs.symbols[spans(starts[first], starts[first] + counts[first])]
    merged = Jobs(np.repeat(np.arange(len(first)), counts[first]), drawn)
    return Classes(rows, rank[classes], rows[first], merged)


def draw_merged(scene: Scene, inner: Renderer, merge: Merge) -> int:
    """Draw each class as one feature, with the attributes of its first one. Returns how many there were."""
    env = scene.env
    found = classes_of(inner.classify(env.batch, env.context, env.scale.scale_denominator))
    if not len(found.first):
        return 0
    merged = merge(take(scene.geometry, found.rows), found.classes, len(found.first))
    draw_as(scene, inner, take_batch(replace(env.batch, geometry=None), found.first), merged, found.jobs)
    return len(found.first)


def draw_as(scene: Scene, inner: Renderer, batch: Batch, geometry: GeometryArray, jobs: Jobs) -> None:
    """Draw features of a batch with other geometries (in the map's CRS)."""
    batch = replace(batch, geometry=geometry)
    env = replace(scene.env, batch=batch, to_device=scene.to_pixels, painters={}, values={})
    scene.paint(env, scene.to_pixels(geometry), jobs, inner)


def nobody(batch: Batch) -> Batch:
    """A batch of one feature without attributes."""
    columns = {name: Column(np.array([None], dtype=object), np.array([True])) for name in batch.columns}
    return Batch(np.zeros(1, dtype=np.int64), columns, None)
