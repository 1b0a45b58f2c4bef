"""GeoJSON feature collections, in the line layout of QGIS Server."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import chain, groupby, repeat
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from qgserver.geo.geometry import POINT
from qgserver.ows.attributetext import json_texts, wrap_texts
from qgserver.ows.geojson import box_texts, geometry_texts
from qgserver.ows.geometrytext import dump_array
from qgserver.ows.wfs.answer import Answer, Features, Member
from qgserver.ows.wfs.outputformat import wfs_format
from qgserver.providers.batch import Batch


@wfs_format(
    "GeoJSON", "application/json", "application/geo+json", mime="application/vnd.geo+json", crs="EPSG:4326", precision=6
)
def geojson(answer: Answer) -> Iterator[bytes]:
    """A ``FeatureCollection``: always longitude and latitude (RFC 7946), whatever SRSNAME says."""
    if answer.count is not None:
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S")
        yield (
            f'{{"type": "FeatureCollection",\n "timeStamp": "{now}",\n "numberOfFeatures": {answer.count}\n}}'
        ).encode()
        return
    waiting = b'{"type": "FeatureCollection",\n' + _bbox(answer) + b' "features": [\n  '
    for member, batches in groupby(answer.features, lambda features: features.member):
        write = _writer(member)
        for features in batches:
            yield waiting + write(features)
            waiting = b" ,"
    yield (b"" if waiting == b" ," else waiting.rstrip(b" ")) + b" ]\n}"


def _bbox(answer: Answer) -> bytes:
    if answer.box is None:
        return b""
    text = box_texts(np.array([answer.box.as_tuple()]), answer.frame.precision)[0]
    return b' "bbox": [ ' + text[1:].replace(b",", b", ") + b",\n"


def _writer(member: Member) -> Callable[[Features], bytes]:
    """The function that writes one batch of a type, its features joined by the separator."""
    # Keys are the fields' own names, sorted as QGIS does; clients that compare answers as text rely on a stable order.
    ordered = sorted(member.properties, key=lambda item: item.field)
    keys = [orjson.dumps(item.field) + b":" for item in ordered]

    def write(features: Features) -> bytes:
        batch = features.batch
        prefix = orjson.dumps(f"{member.type.name}.")[:-1]
        parts: list[Iterator[bytes] | list[bytes]] = [
            _boxes(features, member.frame.precision),
            repeat(b'"geometry":', len(batch)),
            _geometries(batch, member),
            repeat(b',"id":' + prefix, len(batch)),
            _ids(batch.fids),
            repeat(b',"properties":{' + (keys[0] if keys else b""), len(batch)),
        ]
        for index, item in enumerate(ordered):
            if index:
                parts.append(repeat(b"," + keys[index], len(batch)))
            parts.append(json_texts(batch.columns[item.field], zone=item.zone))
        parts.append(chain(repeat(b'},"type":"Feature"}\n ,', len(batch) - 1), (b'},"type":"Feature"}\n',)))
        return b"".join(chain.from_iterable(zip(*parts, strict=True)))

    return write


def _ids(fids: NDArray[Any]) -> list[bytes]:
    """The rest of each id behind its type, with the closing quotation mark."""
    if fids.dtype.kind == "i":
        return wrap_texts(dump_array(fids)[1:-1].split(b","), b"", b'"')
    return [orjson.dumps(str(fid))[1:] for fid in fids.tolist()]


def _boxes(features: Features, precision: int) -> list[bytes]:
    """The start of each feature, with ``bbox`` where the geometry is more than a point."""
    geometry = features.batch.geometry
    if geometry is None:
        return [b"{"] * len(features.batch)
    texts = box_texts(geometry.boxes(), precision)
    wanted = ((geometry.types > POINT) & (np.diff(geometry.vertex_offsets()) > 0)).tolist()
    return [b'{"bbox":' + text + b"," if want else b"{" for text, want in zip(texts, wanted, strict=True)]


def _geometries(batch: Batch, member: Member) -> list[bytes]:
    if batch.geometry is None:
        return [b"null"] * len(batch)
    return geometry_texts(batch.geometry, member.frame.precision, multi=member.multi)
