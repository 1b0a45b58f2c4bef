"""What legends must read from data sources: which classes are in view, how many features each has."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass

import numpy as np
import shapely

from qgserver.geo.transform import get_transform
from qgserver.geo.wkb import to_shapely
from qgserver.project.model import Project, Style, VectorLayer
from qgserver.providers.protocol import Provider, Query
from qgserver.render.context import layer_context, map_context, project_context
from qgserver.render.geometry import request_extent
from qgserver.render.layer import resolved_columns
from qgserver.render.request import MapLayer
from qgserver.render.view import View

ANY_SCALE = 0.0
BATCH = 20_000


@dataclass(frozen=True, slots=True)
class Census:
    """Features of a layer: all of them, and those drawn with each symbol, by its number."""

    total: int
    by_symbol: Mapping[int, int]


def find_visible(project: Project, item: MapLayer, style: Style, provider: Provider, view: View) -> frozenset[int]:
    """Numbers of the symbols that draw a feature in view. Raises ``ProviderError``."""
    layer = item.layer
    if not style.scale_range.contains(view.denominator):
        return frozenset()
    extent = request_extent(view, get_transform(layer.crs, view.crs, project.operations))
    context = layer_context(map_context(project, view), layer)
    query = Query(_columns(style, provider), True, extent, item.where, batch_size=BATCH, context=context)
    box = shapely.box(*extent.as_tuple())
    found: set[int] = set()
    with closing(provider.read(query)) as batches:
        for batch in batches:
            jobs = style.renderer.classify(batch, context, view.denominator)
            if batch.geometry is None or not len(jobs):
                continue
            inside = shapely.intersects(to_shapely(batch.geometry), box)
            found.update(np.unique(jobs.symbols[inside[jobs.rows]]).tolist())
            if len(found) == len(style.renderer.symbols):
                break
    return frozenset(found)


def count_features(project: Project, layer: VectorLayer, style: Style, provider: Provider) -> Census:
    """How many features each symbol draws, at whatever scale. Raises ``ProviderError``."""
    context = layer_context(project_context(project), layer)
    symbols = style.renderer.symbols
    counts = np.zeros(len(symbols), dtype=np.int64)
    total = 0
    query = Query(_columns(style, provider), False, batch_size=BATCH, context=context)
    with closing(provider.read(query)) as batches:
        for batch in batches:
            total += len(batch)
            jobs = style.renderer.classify(batch, context, ANY_SCALE)
            counts += np.bincount(jobs.symbols, minlength=len(symbols))
    return Census(total, dict(enumerate(counts.tolist())))


def _columns(style: Style, provider: Provider) -> tuple[str, ...]:
    """The columns that classification needs."""
    names = [field.name for field in provider.schema().fields]
    used = style.renderer.used_fields()
    return tuple(names) if used is None else resolved_columns(used, names)
