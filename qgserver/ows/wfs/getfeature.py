"""GetFeature: read the request, ask the sources, stream the answer."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from qgserver.geo.crs import Crs, parse_crs
from qgserver.geo.extent import Extent
from qgserver.geo.geometry import GeometryArray
from qgserver.geo.transform import Transform, get_transform
from qgserver.geo.wkb import concat, nulls, take
from qgserver.ows.operations import OperationContext, operation
from qgserver.ows.wfs.answer import Answer, Features, Frame, Member
from qgserver.ows.wfs.featuretype import find_type
from qgserver.ows.wfs.formats import Format, find_format
from qgserver.ows.wfs.query import GetFeatureRequest, read_get_feature
from qgserver.ows.wfs.selection import Selection, select
from qgserver.ows.wfs.standin import STAND_INS
from qgserver.project.layersource import open_layer
from qgserver.providers.batch import Batch
from qgserver.web.response import Response, stream

GEOGRAPHIC_PRECISION = 6
"""The most decimals of degrees that projected coordinates are worth (0.1 m)."""
WGS84 = "EPSG:4326"


@operation("WFS", "GetFeature")
def get_feature(context: OperationContext) -> Response:
    """The features, streamed batch by batch."""
    asked = read_get_feature(context.request)
    form = find_format(asked.params.output_format, context.version)
    selections: list[Selection] = []
    for query in asked.queries:
        kind = find_type(context.project, query.type_name)
        provider = open_layer(context.project, kind.layer, context.sources)
        selections.append(select(query, kind, provider, form.crs))
    answer = Answer(context.service_url, tuple(dict.fromkeys(found.type.name for found in selections)))
    if asked.params.result_type == "HITS":
        answer = replace(answer, count=_count(selections, asked))
    else:
        box, frame = _common_box(selections, form)
        answer = replace(answer, members=_members(selections, asked, form), box=box, frame=frame)
    return stream(form.encode(answer), f"{form.mime}; charset=utf-8")


def _count(selections: Sequence[Selection], asked: GetFeatureRequest) -> int:
    """How many features the answer would hold, STARTINDEX and MAXFEATURES included."""
    total = sum(found.provider.count(found.source) for found in selections if found.source is not None)
    total = max(total - asked.params.start_index, 0)
    return total if asked.params.max_features is None else min(total, asked.params.max_features)


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


def _common_box(selections: Sequence[Selection], form: Format) -> tuple[Extent | None, Frame]:
    """The box around the types as wholes: in the CRS of the answer; in WGS 84 when the types differ in that."""
    located = [selection for selection in selections if selection.type.layer.has_geometry]
    frames = [_frame(selection, form) for selection in located]
    if len({(frame.crs, frame.srs_name) for frame in frames}) == 1:
        frame = max(frames, key=lambda frame: frame.precision)
    else:
        frame = Frame(parse_crs(WGS84), "", GEOGRAPHIC_PRECISION)
    box: Extent | None = None
    for selection in located:
        own = selection.provider.extent()
        if own is not None and not own.is_empty:
            moved = _moved_box(own, selection.type.layer.crs, frame.crs)
            if moved is not None:
                box = moved if box is None else box.union(moved)
    return box, frame


def _moved_box(box: Extent, source: Crs | None, target: Crs | None) -> Extent | None:
    transform = get_transform(source, target)
    return box if transform is None else transform.extent(box)


# -- reading --------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Window:
    """What is left of STARTINDEX and MAXFEATURES while the types are read one after the other."""

    skip: int
    limit: int | None

    def take(self, count: int) -> None:
        self.limit = None if self.limit is None else self.limit - count


def _members(selections: Sequence[Selection], asked: GetFeatureRequest, form: Format) -> Iterator[Member]:
    """The types in order, each reading its features while it is written."""
    window = _Window(asked.params.start_index, asked.params.max_features)
    for at, selection in enumerate(selections):
        if window.limit == 0:
            return
        if selection.source is None:
            continue
        if window.skip and at < len(selections) - 1:
            count = selection.provider.count(selection.source)
            if count <= window.skip:
                window.skip -= count
                continue
        stand_in = asked.params.geometry_name
        yield Member(
            selection.type,
            selection.properties,
            _features(selection, window, stand_in),
            _frame(selection, form),
            multi=selection.multi and stand_in not in STAND_INS,
        )
        window.skip = 0


def _features(selection: Selection, window: _Window, stand_in: str) -> Iterator[Features]:
    """The batches of one type in the CRS of the answer. Closing the iterator frees the source."""
    assert selection.source is not None
    source = replace(selection.source, limit=window.limit, offset=window.skip)
    if stand_in == "NONE":
        source = replace(source, geometry=False)
    batches = selection.provider.read(source)
    try:
        for batch in batches:
            if len(batch):
                window.take(len(batch))
                yield _prepared(batch, selection, stand_in)
    finally:
        if isinstance(batches, Generator):
            batches.close()


def _prepared(batch: Batch, selection: Selection, stand_in: str) -> Features:
    geometry = batch.geometry
    if geometry is None:
        return Features(batch, None)
    real = shown = _moved(geometry, selection.transform)
    if stand_in in STAND_INS:
        shown = _moved(STAND_INS[stand_in](geometry), selection.transform)
    return Features(replace(batch, geometry=shown), real)


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
