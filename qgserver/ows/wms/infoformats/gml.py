"""GML 2.1.2 and GML 3.1.1 feature collections."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from qgserver.ows.gml import GmlStyle, GmlVersion, bounded_by, box_texts, geometry_texts
from qgserver.ows.names import xml_name
from qgserver.ows.wms.infoformats import GML, info_format
from qgserver.ows.wms.infoformats.answer import MAP_TIP, NULL, Answer, LayerInfo
from qgserver.ows.xmlio import DECLARATION, escape, quote

SCHEMAS: dict[GmlVersion, str] = {
    2: "http://www.opengis.net/wfs http://schemas.opengis.net/wfs/1.0.0/wfs.xsd",
    3: "http://www.opengis.net/wfs http://schemas.opengis.net/wfs/1.1.0/wfs.xsd",
}
UNKNOWN: dict[GmlVersion, str] = {2: "<gml:null>unknown</gml:null>", 3: "<gml:Null>unknown</gml:Null>"}


@info_format(GML)
def gml2(answer: Answer) -> Iterator[str]:
    """A ``wfs:FeatureCollection`` in GML 2."""
    return _collection(answer, 2)


@info_format(f"{GML}/3.1.1")
def gml3(answer: Answer) -> Iterator[str]:
    """The same in GML 3."""
    return _collection(answer, 3)


def _collection(answer: Answer, version: GmlVersion) -> Iterator[str]:
    """Features of all layers; coordinates are x, y (easting first) whatever the CRS, as in QGIS."""
    yield (
        f'{DECLARATION}<wfs:FeatureCollection xmlns:wfs="http://www.opengis.net/wfs"'
        ' xmlns:ogc="http://www.opengis.net/ogc" xmlns:gml="http://www.opengis.net/gml"'
        ' xmlns:ows="http://www.opengis.net/ows" xmlns:xlink="http://www.w3.org/1999/xlink"'
        ' xmlns:qgs="http://qgis.org/gml" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
        f' xsi:schemaLocation="{SCHEMAS[version]}">\n'
    )
    # GML 2.1.2 clause 5.4: a collection has a boundedBy, be it unknown.
    yield f" <gml:boundedBy>{UNKNOWN[version]}</gml:boundedBy>\n"
    style = GmlStyle(version, answer.crs.authid, answer.precision)
    for layer in answer.layers:
        yield from _members(layer, style)
        if layer.bands:
            yield _raster(layer)
    yield "</wfs:FeatureCollection>\n"


def _members(layer: LayerInfo, style: GmlStyle) -> Iterator[str]:
    name = xml_name(layer.type_name)
    columns = [(xml_name(item.field.name), item.texts()) for item in layer.attributes]
    columns += [(MAP_TIP, list(layer.tips))] if layer.tips is not None else []
    count = len(layer.fids)
    boxes = [b""] * count if layer.boxes is None or not count else _boxes(layer.boxes, style)
    shapes = [b""] * count if layer.geometry is None else geometry_texts(layer.geometry, style)
    for row, fid in enumerate(layer.fids):
        yield f" <gml:featureMember>\n  <qgs:{name} fid={quote(f'{name}.{fid}')}>\n{boxes[row].decode()}"
        if shapes[row]:
            yield f"   <qgs:geometry>{shapes[row].decode()}</qgs:geometry>\n"
        yield from (f"   <qgs:{tag}>{escape(texts[row])}</qgs:{tag}>\n" for tag, texts in columns)
        yield f"  </qgs:{name}>\n </gml:featureMember>\n"


def _raster(layer: LayerInfo) -> str:
    """The values of a raster; a band without one is empty (QGIS writes 0, which is a value)."""
    name = xml_name(layer.type_name)
    tags = ((xml_name(band), escape(text)) for band, text in layer.band_texts(""))
    values = "".join(f"   <qgs:{tag}>{text}</qgs:{tag}>\n" for tag, text in tags)
    fid = quote(f"{name}.{NULL}")
    return f" <gml:featureMember>\n  <qgs:{name} fid={fid}>\n{values}  </qgs:{name}>\n </gml:featureMember>\n"


def _boxes(boxes: np.ndarray[tuple[int, ...], np.dtype[np.float64]], style: GmlStyle) -> list[bytes]:
    return bounded_by(box_texts(boxes, style), b"   ")
