"""GML 2.1.2 and GML 3.1.1 feature collections."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain, groupby, repeat
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qgserver.ows.attributetext import decimal_texts, pattern_texts, wrap_texts, xml_texts
from qgserver.ows.crs import written_swapped
from qgserver.ows.geometrytext import dump_array
from qgserver.ows.gml import GmlStyle, GmlVersion, bounded_by, box_texts, geometry_texts
from qgserver.ows.names import GEOMETRY
from qgserver.ows.wfs.answer import Answer, Features, Frame, Member
from qgserver.ows.wfs.featuretype import Property
from qgserver.ows.wfs.outputformat import wfs_format
from qgserver.ows.xmlio import escape
from qgserver.providers.batch import Column
from qgserver.web.service_url import with_separator


@dataclass(frozen=True, slots=True)
class _Dialect:
    """What tells GML 2 from GML 3 apart in a collection."""

    version: GmlVersion
    wfs: str
    schema_format: str
    """OUTPUTFORMAT of the DescribeFeatureType request in ``xsi:schemaLocation``."""
    id_attribute: str
    unknown: str
    """What ``gml:boundedBy`` holds when there is no box; GML 2 insists on the element."""


_GML2 = _Dialect(2, "1.0.0", "XMLSCHEMA", "fid", "<gml:null>unknown</gml:null>")
_GML3 = _Dialect(3, "1.1.0", "text/xml;%20subtype%3Dgml/3.1.1", "gml:id", "<gml:Null>unknown</gml:Null>")


@wfs_format("GML2", mime="text/xml; subtype=gml/2.1.2")
def gml2(answer: Answer) -> Iterator[bytes]:
    """A ``wfs:FeatureCollection`` of WFS 1.0.0."""
    return _collection(answer, _GML2)


@wfs_format("GML3", "text/gml; subtype=gml/3.1.1", mime="text/xml; subtype=gml/3.1.1")
def gml3(answer: Answer) -> Iterator[bytes]:
    """A ``wfs:FeatureCollection`` of WFS 1.1.0."""
    return _collection(answer, _GML3)


def _collection(answer: Answer, dialect: _Dialect) -> Iterator[bytes]:
    head = _head(answer, dialect)
    if answer.count is not None:
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S")
        yield f'{head}\n timeStamp="{now}"\n numberOfFeatures="{answer.count}">\n</wfs:FeatureCollection>'.encode()
        return
    waiting = head.encode() + b">\n" + _bounded(answer, dialect)
    for member, batches in groupby(answer.features, lambda features: features.member):
        write = _writer(member, dialect)
        for features in batches:
            # The head goes out with the first features: a source that fails at once still makes an exception.
            yield waiting + write(features)
            waiting = b""
    yield waiting + b"</wfs:FeatureCollection>\n"


def _head(answer: Answer, dialect: _Dialect) -> str:
    describe = (
        f"{with_separator(answer.service_url)}SERVICE=WFS&VERSION={dialect.wfs}&REQUEST=DescribeFeatureType"
        f"&TYPENAME={','.join(answer.type_names)}&OUTPUTFORMAT={dialect.schema_format}"
    )
    return (
        '<wfs:FeatureCollection xmlns:wfs="http://www.opengis.net/wfs" xmlns:ogc="http://www.opengis.net/ogc"'
        ' xmlns:gml="http://www.opengis.net/gml" xmlns:ows="http://www.opengis.net/ows"'
        ' xmlns:xlink="http://www.w3.org/1999/xlink" xmlns:qgs="http://www.qgis.org/gml"'
        ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
        f' xsi:schemaLocation="http://www.opengis.net/wfs http://schemas.opengis.net/wfs/{dialect.wfs}/wfs.xsd'
        f' http://www.qgis.org/gml {escape(describe)}"'
    )


def _bounded(answer: Answer, dialect: _Dialect) -> bytes:
    if answer.box is None:
        inner = dialect.unknown.encode()
    else:
        style = _style(answer.frame, dialect)
        inner = box_texts(np.array([answer.box.as_tuple()]), style)[0]
    return b"<gml:boundedBy>" + inner + b"</gml:boundedBy>\n"


def _style(frame: Frame, dialect: _Dialect, multi: bool = False) -> GmlStyle:
    """GML 2 is always x, y under the short name; GML 3 repeats the client's name and has its axis order (measured)."""
    name = frame.crs.authid if frame.crs else ""
    if dialect.version == 2:
        return GmlStyle(2, name, frame.precision, multi=multi)
    swap = written_swapped(frame.srs_name, frame.crs)
    return GmlStyle(3, frame.srs_name or name, frame.precision, swap, multi)


def _writer(member: Member, dialect: _Dialect) -> Callable[[Features], bytes]:
    """The function that writes one batch of a type."""
    name = member.type.name
    style = _style(member.frame, dialect, member.multi)
    start = f'<gml:featureMember>\n <qgs:{name} {dialect.id_attribute}="{name}.'.encode()
    end = f" </qgs:{name}>\n</gml:featureMember>\n".encode()
    geometry_start, geometry_end = f"  <qgs:{GEOMETRY}>".encode(), f"</qgs:{GEOMETRY}>\n".encode()

    def write(features: Features) -> bytes:
        batch = features.batch
        parts = [wrap_texts(_ids(batch.fids), start, b'">\n')]
        if features.real is not None:
            parts.append(bounded_by(box_texts(features.real.boxes(), style), b"  "))
        if batch.geometry is not None:
            texts = geometry_texts(batch.geometry, style)
            parts.append([geometry_start + text + geometry_end if text else b"" for text in texts])
        parts += [_elements(item, batch.columns[item.field]) for item in member.properties]
        return b"".join(chain.from_iterable(zip(*parts, repeat(end, len(batch)), strict=True)))

    return write


def _ids(fids: NDArray[Any]) -> list[bytes]:
    if fids.dtype.kind == "i":
        return dump_array(fids)[1:-1].split(b",")
    return [escape(str(fid)).replace('"', "&quot;").encode() for fid in fids.tolist()]


def _elements(item: Property, column: Column) -> list[bytes]:
    """One line per value: the property's element, nil for NULL."""
    if item.decimals is not None:
        texts = decimal_texts(column, item.decimals)
    elif item.pattern:
        texts = pattern_texts(column, item.pattern)
    else:
        texts = xml_texts(column, zone=item.zone)
    start, end = f"  <qgs:{item.name}>".encode(), f"</qgs:{item.name}>\n".encode()
    present = [text for text in texts if text is not None]
    if len(present) == len(texts):
        return wrap_texts(present, start, end)
    nil = f'  <qgs:{item.name} xsi:nil="true"/>\n'.encode()
    return [nil if text is None else start + text + end for text in texts]
