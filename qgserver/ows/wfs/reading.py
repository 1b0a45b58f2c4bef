"""From a request to the features of its answer: sources opened, counted, read batch by batch."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import replace

import numpy as np

from qgserver.geo.crs import Crs, parse_crs
from qgserver.geo.extent import Extent
from qgserver.geo.geometry import GeometryArray
from qgserver.geo.transform import Transform, get_transform
from qgserver.geo.wkb import concat, nulls, take
from qgserver.ows.operations import OperationContext
from qgserver.ows.wfs.answer import Answer, Features, Frame, Member, Total
from qgserver.ows.wfs.featuretype import feature_types, find_type
from qgserver.ows.wfs.outputformat import Format
from qgserver.ows.wfs.params import V2, Parameters
from qgserver.ows.wfs.query import GetFeatureRequest, read_get_feature
from qgserver.ows.wfs.querystore import QueryStore
from qgserver.ows.wfs.selection import Selection, select
from qgserver.ows.wfs.standin import STAND_INS
from qgserver.project.layersource import open_layer
from qgserver.providers.batch import Batch
from qgserver.providers.protocol import Query
from qgserver.render.context import layer_context, project_context

GEOGRAPHIC_PRECISION = 6
"""The most decimals of degrees that projected coordinates are worth (0.1 m)."""
WGS84 = "EPSG:4326"
LOOKAHEAD = 2000
"""So many features are read before the first byte is sent."""


def read_request(context: OperationContext) -> GetFeatureRequest:
    """What is asked, ids cut by the types that are published."""
    store = QueryStore(context.settings.stored_queries, context.project.path)
    return read_get_feature(context.request, context.version, _names(context), store)


def _names(context: OperationContext) -> set[str]:
    return {name for kind in feature_types(context.project).values() for name in (kind.name, kind.alias)}


def select_all(context: OperationContext, asked: GetFeatureRequest, fixed_crs: str = "") -> list[Selection]:
    """The selection of each query, its source opened."""
    out = []
    known = _names(context) if context.version == V2 else ()
    for query in asked.queries:
        kind = find_type(context.project, query.type_name)
        provider = open_layer(context.project, kind.layer, context.sources)
        scopes = layer_context(project_context(context.project, context.sources), kind.layer)
        out.append(select(query, kind, provider, scopes, fixed_crs, known))
    return out


def totals(selections: Sequence[Selection], params: Parameters) -> tuple[Total, ...]:
    """How many features each query finds and returns; STARTINDEX and MAXFEATURES count over the whole."""
    skip, limit = params.start_index, params.max_features
    out = []
    for found in selections:
        matched = 0 if found.source is None else found.provider.count(found.source)
        left = max(matched - skip, 0)
        skip = max(skip - matched, 0)
        returned = left if limit is None else min(left, limit)
        limit = None if limit is None else limit - returned
        out.append(Total(matched, returned))
    return tuple(out)


# -- coordinates ----------------------------------------------------------------------------------------------------


def _frame(selection: Selection, form: Format) -> Frame:
    """How the coordinates of one type are written. Measured: a projected layer answered in degrees gets three more
    decimals than its setting says, six at most; GeoJSON has six whatever the setting."""
    if form.precision is not None:
        return Frame(selection.crs, selection.srs_name, form.precision)
    precision, crs, own = selection.type.precision, selection.crs, selection.type.layer.crs
    if crs is not None and own is not None and crs.is_geographic and not own.is_geographic:
        precision = min(precision + 3, GEOGRAPHIC_PRECISION)
    return Frame(crs, selection.srs_name, precision)


def _common_frame(frames: Sequence[Frame]) -> Frame:
    """What the box of several types is written in: their CRS, WGS 84 (as QGIS does) when they differ in that."""
    if len({(frame.crs, frame.srs_name) for frame in frames}) == 1:
        return max(frames, key=lambda frame: frame.precision)
    return Frame(parse_crs(WGS84), "", GEOGRAPHIC_PRECISION)


def _union(boxes: Iterable[tuple[Extent | None, Crs | None]], target: Crs | None) -> Extent | None:
    """The box in ``target`` around boxes in their own CRS."""
    out: Extent | None = None
    for box, crs in boxes:
        transform = get_transform(crs, target)
        moved = box if box is None or box.is_empty or transform is None else transform.extent(box)
        if moved is not None and not moved.is_empty:
            out = moved if out is None else out.union(moved)
    return out


def _box_of(features: Features) -> Extent | None:
    if features.real is None or not len(features.real.coords):
        return None
    x, y = features.real.coords[:, 0], features.real.coords[:, 1]
    return Extent(float(x.min()), float(y.min()), float(x.max()), float(y.max()))


# -- reading --------------------------------------------------------------------------------------------------------


def with_features(answer: Answer, selections: Sequence[Selection], params: Parameters, form: Format) -> Answer:
    """The answer with its features and the box around them. The box of a short answer is exact; that of a long one,
    which nobody knows before the end, is the extent of the layers, as QGIS writes it."""
    members = [_member(selection, params, form, number) for number, selection in enumerate(selections)]
    frame = _common_frame([member.frame for member in members if member.type.layer.has_geometry])
    features = _read(selections, members, params)
    held: list[Features] = []
    for batch in features:
        held.append(batch)
        if sum(len(item.batch) for item in held) >= LOOKAHEAD:
            located = [found for found in selections if found.type.layer.has_geometry]
            box = _union(((found.provider.extent(), found.type.layer.crs) for found in located), frame.crs)
            found_all = None
            break
    else:
        box = _union(((_box_of(item), item.member.frame.crs) for item in held), frame.crs)
        found_all = _known_total(held, len(selections), params)
    counts = (found_all or totals(selections, params)) if form.counted or answer.single else ()
    read = _resumed(held, features)
    return replace(answer, features=read, box=box, frame=frame, members=tuple(members), totals=counts)


def _known_total(held: Sequence[Features], queries: int, params: Parameters) -> tuple[Total, ...] | None:
    """The total of a query whose last feature has been read, so that nothing need be counted; None when unknown."""
    returned, start = sum(len(item.batch) for item in held), params.start_index
    whole = params.max_features is None or returned < params.max_features
    return (Total(start + returned, returned),) if queries == 1 and whole and (returned or not start) else None


def _resumed(held: list[Features], rest: Generator[Features]) -> Iterator[Features]:
    """What was read ahead, then the rest; closing this closes the rest."""
    try:
        yield from held
        held.clear()
        yield from rest
    finally:
        rest.close()


def _member(selection: Selection, params: Parameters, form: Format, number: int) -> Member:
    multi = selection.multi and params.geometry_name not in STAND_INS
    shape = _SHAPES.get(params.geometry_name, selection.shape) if _with_geometry(selection, params) else ""
    return Member(selection.type, selection.properties, _frame(selection, form), multi, shape, number)


_SHAPES = {"CENTROID": "Point", "EXTENT": "Polygon"}
"""Types of geometries by GEOMETRYNAME."""


def _with_geometry(selection: Selection, params: Parameters) -> bool:
    return bool(selection.shape) and params.geometry_name != "NONE"


def _read(selections: Sequence[Selection], members: Sequence[Member], params: Parameters) -> Generator[Features]:
    """The features of all types in order, STARTINDEX and MAXFEATURES counted over the whole."""
    skip, limit = params.start_index, params.max_features
    for selection, member in zip(selections, members, strict=True):
        if limit == 0:
            return
        if selection.source is None:
            continue
        if skip and member is not members[-1]:
            count = selection.provider.count(selection.source)
            if count <= skip:
                skip -= count
                continue
        source = replace(selection.source, limit=limit, offset=skip, geometry=_with_geometry(selection, params))
        skip = 0
        for batch in _batches(selection, source):
            limit = None if limit is None else limit - len(batch)
            yield _prepared(batch, selection, member, params.geometry_name)


def _batches(selection: Selection, source: Query) -> Iterator[Batch]:
    """What the source gives, without empty batches. Closing the iterator frees the source."""
    batches = selection.provider.read(source)
    try:
        yield from (batch for batch in batches if len(batch))
    finally:
        if isinstance(batches, Generator):
            batches.close()


def _prepared(batch: Batch, selection: Selection, member: Member, stand_in: str) -> Features:
    geometry = batch.geometry
    if geometry is None:
        return Features(member, batch, None)
    real = shown = _moved(geometry, selection.transform)
    if stand_in in STAND_INS:
        shown = _moved(STAND_INS[stand_in](geometry), selection.transform)
    return Features(member, replace(batch, geometry=shown), real)


def _moved(geometry: GeometryArray, transform: Transform | None) -> GeometryArray:
    """The geometry in the CRS of the answer; null where a vertex has no place there."""
    if transform is None:
        return geometry
    moved = transform.geometry(geometry)
    finite = np.isfinite(moved.coords)
    if finite.all():
        return moved
    owners = np.repeat(np.arange(len(moved)), np.diff(moved.vertex_offsets()))
    indices = np.arange(len(moved))
    indices[owners[~finite.all(axis=1)]] = len(moved)
    return take(concat((moved, nulls(1))), indices)
