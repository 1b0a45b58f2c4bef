"""Which features a point, an area or a filter finds: (project, request, open sources) -> hits per layer."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from qgserver.errors import ProviderError
from qgserver.expression.context import Context
from qgserver.expression.nodes import Node, resolve_field
from qgserver.geo.crs import Crs
from qgserver.geo.extent import Extent
from qgserver.geo.geometry import Floats, GeometryArray
from qgserver.geo.meets import meets_box
from qgserver.geo.transform import Transform, get_transform
from qgserver.geo.wkb import to_shapely
from qgserver.project.layersource import open_layer
from qgserver.project.model import Project, RasterLayer, Style, VectorLayer
from qgserver.providers import Sources
from qgserver.providers.batch import Batch, concat_batches, take_batch
from qgserver.providers.protocol import Field, Provider, Query, Schema
from qgserver.rasters.values import Bands
from qgserver.render.context import layer_context, map_context, project_context
from qgserver.render.geometry import request_extent
from qgserver.render.maptip import read_template
from qgserver.render.rasters import raster_bands
from qgserver.render.view import View
from qgserver.symbology.renderers.null import NullRenderer

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

log = logging.getLogger("qgserver")

Mask = NDArray[np.bool_]

POINT_SHARE, LINE_SHARE, POLYGON_SHARE = 1 / 100, 1 / 200, 1 / 400
"""Tolerances without a word of the client: parts of the map's width (measured)."""
CORNERS_KEEP = 0.25
"""Part of its width and height that a reprojected search box made of two corners must keep."""
BATCH = 64
MAX_BATCH = 2000
"""Features read at a time, more where more are asked for: only those that the search box meets come at all."""


@dataclass(frozen=True, slots=True)
class InfoLayer:
    """A layer asked about: the style that decides which features are drawn ("" = current), a client's filter."""

    layer: VectorLayer | RasterLayer
    style: str = ""
    where: Node | None = None


@dataclass(frozen=True, slots=True)
class Tolerances:
    """How far from the point features may be, in pixels of the map; 0 = the default."""

    point: int = 0
    line: int = 0
    polygon: int = 0


@dataclass(frozen=True, slots=True)
class InfoRequest:
    """What is asked: features at ``point`` (in ``crs``); else those that meet ``area`` (in ``crs``); else all in
    ``view``; else, without a map, all. ``count`` of each layer at most. ``tips``: map tips are wanted; ``shapes``:
    boxes and geometry."""

    crs: Crs
    layers: tuple[InfoLayer, ...]
    count: int = 1
    view: View | None = None
    point: tuple[float, float] | None = None
    area: BaseGeometry | None = None
    tolerances: Tolerances = Tolerances()
    tips: bool = False
    shapes: bool = True
    tolerant: bool = False


@dataclass(frozen=True, slots=True)
class Hits:
    """What was found of one layer: ``fields`` are those that WMS may show, ``batch`` the features with these columns
    (None = none found) and geometry in the CRS asked for, ``boxes`` float64[n, 4] in it, ``tips`` their map tips (each
    None: not wanted, or the layer has none), ``context`` what expressions about the layer are evaluated in. ``bands``:
    names and values of a raster's bands at the point, None = nothing."""

    layer: VectorLayer | RasterLayer
    context: Context
    fields: tuple[Field, ...] = ()
    batch: Batch | None = None
    boxes: Floats | None = None
    tips: tuple[str, ...] | None = None
    bands: Bands = ()


@dataclass(frozen=True, slots=True)
class _Search:
    """The search in one layer: all in its CRS. ``extent`` None with ``nowhere`` False = everywhere; features must meet
    ``shape`` if there is one, else, when ``exact``, the extent themselves and not with their box only."""

    extent: Extent | None = None
    shape: BaseGeometry | None = None
    exact: bool = False
    nowhere: bool = False


def identify(project: Project, request: InfoRequest, sources: Sources) -> Iterator[Hits]:
    """Hits of every layer that shows at the scale of the map, in the order asked. Raises ``ProviderError`` (with the
    layer's name) when a source can't be read and ``request.tolerant`` is off."""
    view = request.view
    context = project_context(project, sources) if view is None else map_context(project, view, sources)
    for item in request.layers:
        layer = item.layer
        shown = layer.styles.get(item.style) or layer.style
        if view is not None and not shown.scale_range.contains(view.denominator):
            continue
        inner = layer_context(context, layer)
        try:
            if isinstance(layer, RasterLayer):
                yield Hits(layer, inner, bands=_bands(project, request, item, sources))
            else:
                yield _identify(project, request, item, open_layer(project, layer, sources), inner)
        except ProviderError as error:
            error.layer = error.layer or layer.published
            if not request.tolerant:
                raise
            log.warning("layer %s gives no feature info: %s (%s)", error.layer, error.message, error.detail)
            yield Hits(layer, inner)


def _bands(project: Project, request: InfoRequest, item: InfoLayer, sources: Sources) -> Bands:
    layer = item.layer
    assert isinstance(layer, RasterLayer)
    if request.point is None:
        return ()
    x, y = request.point
    transform = get_transform(layer.crs, request.crs, project.operations)
    if transform is not None:
        x, y = transform.inverse.points(np.array([[x, y]]))[0].tolist()
    return raster_bands(layer, layer.styles.get(item.style) or layer.style, (x, y), sources)


def _style(item: InfoLayer, layer: VectorLayer) -> Style:
    return layer.styles.get(item.style) or layer.style


def _identify(project: Project, request: InfoRequest, item: InfoLayer, provider: Provider, context: Context) -> Hits:
    layer = item.layer
    assert isinstance(layer, VectorLayer)
    schema = provider.schema()
    hidden = {config.name for config in layer.fields if config.hidden_wms}
    fields = tuple(field for field in schema.fields if field.name not in hidden and field.type != "geometry")
    hits = Hits(layer, context, fields)
    transform = get_transform(layer.crs, request.crs, project.operations)
    search = _search(request, layer, schema, transform)
    if search.nowhere:
        return hits
    style = _style(item, layer)
    template = read_template(style.map_tip) if request.tips and style.map_tip.strip() else None
    used = (style.used_fields(), frozenset[str]() if template is None else template.used_fields())
    query = Query(
        columns=_columns(schema, fields, used),
        geometry=layer.has_geometry,
        extent=search.extent,
        where=item.where,
        batch_size=min(max(request.count, BATCH), MAX_BATCH),
        brief=search.extent is not None,
        context=context.for_clients(),
    )
    with_shapes = request.shapes or (template is not None and template.needs_geometry())

    def drawn(found: Batch) -> Mask:
        return _drawn(found, style, context, request.view)

    batch = _read(provider, query, search, drawn, request.count, with_shapes)
    if batch is None:
        return hits
    tips = None if template is None else tuple(template.texts(batch, context))
    if batch.geometry is None or not request.shapes:
        return replace(hits, batch=replace(batch, geometry=None), tips=tips)
    shapes = batch.geometry if transform is None else transform.geometry(batch.geometry)
    boxes = _boxes(batch.geometry, transform)
    return replace(hits, batch=replace(batch, geometry=shapes), boxes=boxes, tips=tips)


# -- where to look --------------------------------------------------------------------------------------------------


def _search(request: InfoRequest, layer: VectorLayer, schema: Schema, transform: Transform | None) -> _Search:
    view = request.view
    if request.point is None and request.area is None and view is None:
        return _Search()
    if not layer.has_geometry or schema.geometry_type == "NoGeometry":
        return _Search(nowhere=True)
    if request.point is not None and view is not None:
        x, y = request.point
        reach = _tolerance(request.tolerances, view, schema.geometry_type or layer.geometry_type)
        extent = _box_in_layer(Extent(x - reach, y - reach, x + reach, y + reach), transform)
        return _Search(nowhere=True) if extent is None else _Search(extent, exact=True)
    if request.area is not None:
        return _area_search(request.area, transform)
    extent = None if view is None else request_extent(view, transform)
    return _Search(nowhere=True) if extent is None else _Search(extent)


def _tolerance(tolerances: Tolerances, view: View, geometry_type: str) -> float:
    """Map units around the point, by the kind of geometry; what is neither line nor polygon counts as point."""
    kind = geometry_type.upper()
    if "POLYGON" in kind or "SURFACE" in kind:
        pixels, share = tolerances.polygon, POLYGON_SHARE
    elif "LINE" in kind or "CURVE" in kind or "CIRCULAR" in kind:
        pixels, share = tolerances.line, LINE_SHARE
    else:
        pixels, share = tolerances.point, POINT_SHARE
    return pixels * view.resolution if pixels > 0 else view.extent.width * share


def _box_in_layer(box: Extent, transform: Transform | None) -> Extent | None:
    """The search box in the layer's CRS: as QGIS makes it of two corners, unless the axes turn so much on the way that
    the box would lose a good part of its size."""
    if transform is None:
        return box
    back = transform.inverse
    whole = back.extent(box)
    corners = back.points(np.array([[box.xmin, box.ymin], [box.xmax, box.ymax]]))
    if whole is None or not np.isfinite(corners).all():
        return whole
    low, high = corners.min(axis=0).tolist(), corners.max(axis=0).tolist()
    own = Extent(low[0], low[1], high[0], high[1])
    keeps = own.width >= whole.width * CORNERS_KEEP and own.height >= whole.height * CORNERS_KEEP
    return own if keeps else whole


def _area_search(area: BaseGeometry, transform: Transform | None) -> _Search:
    if transform is not None:
        import shapely  # the area is its own: it is loaded already

        area = shapely.transform(area, transform.inverse.points)
    bounds = Extent(*area.bounds)
    return _Search(nowhere=True) if area.is_empty or bounds.is_empty else _Search(bounds, area)


# -- reading --------------------------------------------------------------------------------------------------------


def _columns(schema: Schema, fields: tuple[Field, ...], more: Iterable[frozenset[str] | None]) -> tuple[str, ...]:
    """The columns of ``fields`` and those that somebody else uses (None = all), in the source's order."""
    names = [field.name for field in schema.fields]
    needed = {field.name for field in fields}
    for used in more:
        wanted = names if used is None else [resolve_field(name, names) for name in used]
        needed |= {name for name in wanted if name is not None}
    return tuple(name for name in names if name in needed)


def _read(
    provider: Provider,
    query: Query,
    search: _Search,
    drawn: Callable[[Batch], Mask],
    count: int,
    with_shapes: bool,
) -> Batch | None:
    """The first ``count`` features found that are drawn."""
    found: list[Batch] = []
    left = count
    with closing(provider.read(query)) as batches:
        for batch in batches:
            keep = _found(batch, search)
            if keep.any():
                keep &= drawn(batch)
            rows = np.flatnonzero(keep)[:left]
            if not with_shapes:
                batch = replace(batch, geometry=None)
            if len(rows):
                found.append(batch if len(rows) == len(batch) else take_batch(batch, rows))
                left -= len(rows)
            if left <= 0:
                break
    return concat_batches(found) if found else None


def _found(batch: Batch, search: _Search) -> Mask:
    """bool[n]: features where the search looks."""
    if batch.geometry is not None and search.shape is not None:
        return _meets(batch.geometry, search.shape)
    if batch.geometry is not None and search.extent is not None and search.exact:
        return meets_box(batch.geometry, search.extent)
    return np.ones(len(batch), dtype=bool)


def _meets(geometry: GeometryArray, shape: BaseGeometry) -> Mask:
    """bool[n]: features that have a point in common with ``shape``."""
    import shapely  # the shape is its own: it is loaded already

    geometries = to_shapely(geometry)
    shapely.prepare(shape)
    with np.errstate(all="ignore"):  # a client's shape may reach as far as numbers do
        try:
            met: Mask = shapely.intersects(shape, geometries)
        except shapely.errors.GEOSException:  # an invalid shape that GEOS can't relate to another
            met = shapely.intersects(shapely.make_valid(shape), shapely.make_valid(geometries))
    return met


def _drawn(batch: Batch, style: Style, context: Context, view: View | None) -> Mask:
    """bool[n]: features that the renderer draws at the scale of the map, all without one. A renderer that draws nothing
    at all is meant for layers that are to be asked about, so it hides nothing (measured)."""
    if view is None or isinstance(style.renderer, NullRenderer):
        return np.ones(len(batch), dtype=bool)
    drawn = np.zeros(len(batch), dtype=bool)
    drawn[style.renderer.classify(batch, context, view.denominator).rows] = True
    return drawn


def _boxes(geometry: GeometryArray, transform: Transform | None) -> Floats:
    """Boxes of the features in the target CRS: of a grid over their box in the layer's, as QGIS makes them."""
    boxes = geometry.boxes()
    if transform is None:
        return boxes
    out = np.full_like(boxes, np.nan)
    for row in np.flatnonzero(~np.isnan(boxes[:, 0])):
        moved = transform.extent(Extent(*boxes[row].tolist()))
        if moved is not None:
            out[row] = moved.as_tuple()
    return out
