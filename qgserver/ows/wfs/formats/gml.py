"""GML 2.1.2 and GML 3.1.1 feature collections."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby

import numpy as np

from qgserver.ows.gml import box_texts
from qgserver.ows.wfs.answer import Answer
from qgserver.ows.wfs.gmlfeatures import GML2, GML3, Dialect, feature_writer, style_of
from qgserver.ows.wfs.outputformat import wfs_format
from qgserver.ows.xmlio import escape
from qgserver.web.service_url import with_separator


@dataclass(frozen=True, slots=True)
class _Collection:
    """What tells GML 2 from GML 3 apart in a collection."""

    features: Dialect
    wfs: str
    schema_format: str
    """OUTPUTFORMAT of the DescribeFeatureType request in ``xsi:schemaLocation``."""
    unknown: str
    """What ``gml:boundedBy`` holds when there is no box; GML 2 insists on the element."""


_GML2 = _Collection(GML2, "1.0.0", "XMLSCHEMA", "<gml:null>unknown</gml:null>")
_GML3 = _Collection(GML3, "1.1.0", "text/xml;%20subtype%3Dgml/3.1.1", "<gml:Null>unknown</gml:Null>")
_AROUND = ("<gml:featureMember>\n", "</gml:featureMember>\n")


@wfs_format("GML2", mime="text/xml; subtype=gml/2.1.2")
def gml2(answer: Answer) -> Iterator[bytes]:
    """A ``wfs:FeatureCollection`` of WFS 1.0.0."""
    return _collection(answer, _GML2)


@wfs_format("GML3", "text/gml; subtype=gml/3.1.1", mime="text/xml; subtype=gml/3.1.1")
def gml3(answer: Answer) -> Iterator[bytes]:
    """A ``wfs:FeatureCollection`` of WFS 1.1.0."""
    return _collection(answer, _GML3)


def _collection(answer: Answer, kind: _Collection) -> Iterator[bytes]:
    head = _head(answer, kind)
    if answer.count is not None:
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S")
        yield f'{head}\n timeStamp="{now}"\n numberOfFeatures="{answer.count}">\n</wfs:FeatureCollection>'.encode()
        return
    waiting = head.encode() + b">\n" + _bounded(answer, kind)
    for member, batches in groupby(answer.features, lambda features: features.member):
        write = feature_writer(member, kind.features, _AROUND)
        for features in batches:
            # The head goes out with the first features: a source that fails at once still makes an exception.
            yield waiting + write(features)
            waiting = b""
    yield waiting + b"</wfs:FeatureCollection>\n"


def _head(answer: Answer, kind: _Collection) -> str:
    describe = (
        f"{with_separator(answer.service_url)}SERVICE=WFS&VERSION={kind.wfs}&REQUEST=DescribeFeatureType"
        f"&TYPENAME={','.join(answer.type_names)}&OUTPUTFORMAT={kind.schema_format}"
    )
    return (
        '<wfs:FeatureCollection xmlns:wfs="http://www.opengis.net/wfs" xmlns:ogc="http://www.opengis.net/ogc"'
        ' xmlns:gml="http://www.opengis.net/gml" xmlns:ows="http://www.opengis.net/ows"'
        ' xmlns:xlink="http://www.w3.org/1999/xlink" xmlns:qgs="http://www.qgis.org/gml"'
        ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
        f' xsi:schemaLocation="http://www.opengis.net/wfs http://schemas.opengis.net/wfs/{kind.wfs}/wfs.xsd'
        f' http://www.qgis.org/gml {escape(describe)}"'
    )


def _bounded(answer: Answer, kind: _Collection) -> bytes:
    if answer.box is None:
        inner = kind.unknown.encode()
    else:
        style = style_of(answer.frame, kind.features)
        inner = box_texts(np.array([answer.box.as_tuple()]), style)[0]
    return b"<gml:boundedBy>" + inner + b"</gml:boundedBy>\n"
