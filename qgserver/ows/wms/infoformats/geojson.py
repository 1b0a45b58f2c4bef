"""GeoJSON, compact, keys in alphabetical order as QGIS writes them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import orjson

from qgserver.geo.geometry import POINT
from qgserver.ows.attributetext import json_texts
from qgserver.ows.geojson import box_texts, geometry_texts
from qgserver.ows.wms.infoformats import info_format
from qgserver.ows.wms.infoformats.answer import Answer, Attribute, LayerInfo


@info_format("application/json", "application/geo+json")
def geojson(answer: Answer) -> Iterator[str]:
    """A ``FeatureCollection``. Coordinates are in the CRS asked for, x first, as in QGIS; values keep their types."""
    yield '{"features":['
    separator = ""
    for layer in answer.layers:
        for text in _features(layer, answer.precision) if layer.bands is None else [_raster(layer)]:
            yield separator + text
            separator = ","
    yield '],"type":"FeatureCollection"}'


def _features(layer: LayerInfo, precision: int) -> Iterator[str]:
    # Of two fields with one label the last one stays, as in QGIS: an object has each key once.
    by_label = {item.label: item for item in layer.shown}
    columns = [(orjson.dumps(label).decode(), _values(item)) for label, item in sorted(by_label.items())]
    boxes, shapes = _geometries(layer, precision)
    for row, fid in enumerate(layer.fids):
        # RFC 7946 clause 3.2: null where there are none.
        properties = (
            "{" + ",".join(f"{key}:{texts[row].decode()}" for key, texts in columns) + "}" if columns else "null"
        )
        name = orjson.dumps(f"{layer.type_name}.{fid}").decode()
        yield (f'{{{boxes[row]}"geometry":{shapes[row]},"id":{name},"properties":{properties},"type":"Feature"}}')


def _raster(layer: LayerInfo) -> str:
    """The values of a raster at the point, as texts; none of them outside. No geometry, not even null (as in QGIS)."""
    values = dict(sorted(layer.band_texts("null")))
    return orjson.dumps({"id": layer.type_name, "properties": values, "type": "Feature"}).decode()


def _values(item: Attribute) -> list[bytes]:
    labels = item.labels()
    return json_texts(item.column) if labels is None else [orjson.dumps(label) for label in labels]


def _geometries(layer: LayerInfo, precision: int) -> tuple[list[str], list[str]]:
    """``"bbox":[...],`` (not for points) and the geometry of each feature."""
    geometry = layer.geometry
    if geometry is None or not layer.fids:
        return [""] * len(layer.fids), ["null"] * len(layer.fids)
    wide = (geometry.types > POINT) & (np.diff(geometry.vertex_offsets()) > 0)
    texts = box_texts(geometry.boxes(), precision)
    boxes = [f'"bbox":{text.decode()},' if show else "" for text, show in zip(texts, wide.tolist(), strict=True)]
    return boxes, [text.decode() for text in geometry_texts(geometry, precision)]
