"""GetFeatureInfo."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import reduce

import numpy as np
from shapely.geometry.base import BaseGeometry

from qgserver.errors import OwsError
from qgserver.expression.geometries import from_wkt
from qgserver.geo.crs import Crs, parse_crs
from qgserver.geo.extent import Extent
from qgserver.ows.operations import OperationContext, operation
from qgserver.ows.wms import infoparams, params
from qgserver.ows.wms.infoformats import find_format, info_formats
from qgserver.ows.wms.infoformats.answer import Answer, Attribute, LayerInfo
from qgserver.ows.wms.layerfilters import layer_filters
from qgserver.ows.wms.maprequest import DEFAULT_DPI, Chosen, chosen_layers, read_crs, read_size
from qgserver.ows.wms.published import Published, layers_by_name
from qgserver.project.model import VectorLayer
from qgserver.project.related import Related
from qgserver.project.represent import Display
from qgserver.render.identify import Hits, InfoLayer, InfoRequest, Tolerances, identify
from qgserver.render.request import MapRequest
from qgserver.render.view import View, make_view
from qgserver.web.request import Request
from qgserver.web.response import Response

WITHOUT_CRS = "EPSG:4326"
"""CRS of an answer to a request that has neither a map nor a CRS (measured)."""


@operation("WMS", "GetFeatureInfo", formats=info_formats)
def get_feature_info(context: OperationContext) -> Response:
    """What the layers of QUERY_LAYERS have at a point, in an area or behind a filter."""
    found = find_format(infoparams.INFO_FORMAT.of(context.request))
    request = read_info_request(context)
    precision = infoparams.WMS_PRECISION.of(context.request)
    hits = tuple(identify(context.project, request, context.sources))
    answer = Answer(
        version=context.version,
        crs=request.crs,
        layers=tuple(_layer_info(context, one) for one in hits),
        precision=precision if precision >= 0 else context.project.wms.precision,
        project=context.project.wms,
        box=_whole_box(hits) if _filter_only(context.request) else None,
    )
    return Response("".join(found.encode(answer)), content_type=found.content_type)


def read_info_request(context: OperationContext) -> InfoRequest:
    """The request without protocol words. Raises ``OwsError``."""
    request = context.request
    layers = tuple(_info_layers(context))
    pointed = _is_pointed(request)
    asked = _read_map(context, pointed)
    view = None if asked is None else make_view(asked)
    return InfoRequest(
        crs=_answer_crs(context) if asked is None else asked.crs,
        layers=layers,
        count=infoparams.FEATURE_COUNT.of(request),
        view=view,
        point=_read_point(request, asked, view) if pointed and asked is not None and view is not None else None,
        area=None if pointed else _read_area(request),
        tolerances=Tolerances(
            infoparams.FI_POINT_TOLERANCE.of(request),
            infoparams.FI_LINE_TOLERANCE.of(request),
            infoparams.FI_POLYGON_TOLERANCE.of(request),
        ),
        tips=infoparams.WITH_MAPTIP.of(request),
        shapes=context.project.wms.add_geometry or _filter_only(request),
        tolerant=context.settings.ignore_bad_layers,
    )


# -- the request ----------------------------------------------------------------------------------------------------


def _info_layers(context: OperationContext) -> Iterator[InfoLayer]:
    """The layers of QUERY_LAYERS in that order, groups taken apart top to bottom, each in the style that the map has
    it in, with the client's filter."""
    request = context.request
    named = any(row.text(request) for row in (params.LAYERS, params.SLD, params.SLD_BODY))
    drawn: Mapping[str, Chosen] = {one.layer.id: one for one in chosen_layers(context)} if named else {}
    layers = _queried(context)
    names = {layer.published for layer in layers} | {one.layer.published for one in drawn.values()}
    listed = params.LAYERS.of(request) or infoparams.QUERY_LAYERS.of(request)
    filters = layer_filters(context, layers, names, listed)
    for layer in layers:
        if layer.id in filters:
            shown = drawn.get(layer.id, Chosen(layer))
            yield InfoLayer(shown.layer, shown.style, filters[layer.id])


def _queried(context: OperationContext) -> list[Published]:
    limit, layers = context.settings.max_layers, list[Published]()
    known = layers_by_name(context.project)
    for name in infoparams.QUERY_LAYERS.required(context.request):
        layers += _named(known, name)
        if limit and len(layers) > limit:
            raise OwsError("InvalidParameterValue", "Too many layers are asked about.", locator="QUERY_LAYERS")
    return layers


def _named(known: Mapping[str, Sequence[Published]], name: str) -> Sequence[Published]:
    """The layers that may be asked under a name. In a group those that may not are passed over, unless all are such."""
    layers = known.get(name)
    if layers is None:
        raise OwsError("LayerNotDefined", f"The layer '{name[:80]}' does not exist.", locator="QUERY_LAYERS")
    asked = [layer for layer in reversed(layers) if layer.identifiable]
    if layers and not asked:
        raise OwsError("LayerNotQueryable", f"The layer '{name[:80]}' is not queryable.", locator="QUERY_LAYERS")
    return asked


def _is_pointed(request: Request) -> bool:
    """Whether a point is asked for. Without one there must be a filter (QGIS: FILTER or FILTER_GEOM)."""
    present = [bool(row.text(request)) for row in (infoparams.I, infoparams.J)]
    if any(present) or not (params.FILTER.text(request) or infoparams.FILTER_GEOM.text(request)):
        for row in (infoparams.I, infoparams.J):
            row.required(request)
        return True
    return False


def _filter_only(request: Request) -> bool:
    return not _is_pointed(request) and bool(params.FILTER.text(request))


def _read_map(context: OperationContext, pointed: bool) -> MapRequest | None:
    """The map, None when a request by filter does without. Raises ``OwsError``."""
    request = context.request
    if not pointed and not params.BBOX.text(request):
        return None
    crs, inverted = read_crs(request, context.version)
    width, height = read_size(request, context.project, context.settings)
    extent = params.extent(request, inverted=inverted)
    dpi = params.DPI.of(request) or DEFAULT_DPI
    return MapRequest(crs, extent, width, height, (), dpi, stretch=context.version == "1.3.0")


def _answer_crs(context: OperationContext) -> Crs:
    """The CRS of an answer without a map."""
    fallback = None if params.CRS.text(context.request) else parse_crs(WITHOUT_CRS)
    return fallback or read_crs(context.request, context.version)[0]


def _read_point(request: Request, asked: MapRequest, view: View) -> tuple[float, float]:
    """The middle of the pixel I, J in map units. Raises ``OwsError`` InvalidPoint outside of the map.

    A picture that WMS 1.3.0 stretches has its pixels counted before that, as in QGIS.
    """
    place = []
    for row, size, drawn in ((infoparams.I, asked.width, view.width), (infoparams.J, asked.height, view.height)):
        value = row.of(request)
        if not 0 <= value < size:
            raise OwsError("InvalidPoint", f"{row.names[0]} must lie between 0 and {size - 1}.", locator=row.names[0])
        place.append((value * drawn // size + 0.5) / drawn)
    extent = asked.extent if asked.stretch else view.extent
    return extent.xmin + place[0] * extent.width, extent.ymax - place[1] * extent.height


def _read_area(request: Request) -> BaseGeometry | None:
    text = infoparams.FILTER_GEOM.of(request)
    if not text:
        return None
    area = from_wkt(text)
    if not isinstance(area, BaseGeometry):
        raise OwsError("InvalidParameterValue", "FILTER_GEOM is not a WKT geometry.", locator="FILTER_GEOM")
    return area


# -- the answer -----------------------------------------------------------------------------------------------------


def _layer_info(context: OperationContext, hits: Hits) -> LayerInfo:
    """One layer of the answer, with what the project lets be seen of its geometry."""
    wms, layer = context.project.wms, hits.layer
    name = wms.info_layer_aliases.get(layer.published, layer.published)
    batch = hits.batch
    if not isinstance(layer, VectorLayer):
        return LayerInfo(name, layer.published, bands=hits.bands)
    if batch is None:
        return LayerInfo(name, layer.published)
    display = Display(layer, Related(context.project, context.sources, hits.context))
    return LayerInfo(
        name=name,
        type_name=layer.published,
        fids=tuple(str(fid) for fid in batch.fids.tolist()),
        attributes=tuple(
            Attribute(field, layer.field_config(field.name).alias or field.name, batch.columns[field.name], display)
            for field in hits.fields
        ),
        tips=hits.tips,
        boxes=hits.boxes if wms.add_geometry else None,
        geometry=batch.geometry if wms.add_geometry and infoparams.WITH_GEOMETRY.of(context.request) else None,
        form=layer.form if wms.use_attribute_form else None,
    )


def _whole_box(hits: tuple[Hits, ...]) -> Extent | None:
    """The box of all features."""
    boxes = [one.boxes for one in hits if one.boxes is not None]
    rows = np.concatenate(boxes) if boxes else np.empty((0, 4))
    extents = [Extent(*row) for row in rows[~np.isnan(rows[:, 0])].tolist()]
    return reduce(Extent.union, extents) if extents else None
