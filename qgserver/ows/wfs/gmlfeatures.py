"""Features as GML, a batch at a time: what the collections of all versions of WFS are made of."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain, repeat
from typing import Any

from numpy.typing import NDArray

from qgserver.ows.attributetext import decimal_texts, pattern_texts, wrap_texts, xml_texts
from qgserver.ows.closedworld import standard_fields
from qgserver.ows.crs import written_swapped
from qgserver.ows.geometrytext import dump_array
from qgserver.ows.gml import GmlStyle, GmlVersion, bounded_by, box_texts, geometry_texts, with_ids
from qgserver.ows.names import GEOMETRY, QGS, xml_id
from qgserver.ows.wfs.answer import Answer, Features, Frame, Member, Total
from qgserver.ows.wfs.featuretype import Property
from qgserver.ows.xmlio import attributes, escape
from qgserver.providers.batch import Column
from qgserver.web.service_url import with_separator


@dataclass(frozen=True, slots=True)
class Dialect:
    """What the versions of GML write differently. ``version`` is that of the geometry; ``official``: a CRS that the
    client did not name is called by its URN; ``ids``: geometries have ids, which XML must be able to hold."""

    version: GmlVersion
    id_attribute: str = "gml:id"
    official: bool = False
    ids: bool = False


GML2 = Dialect(2, "fid")
GML3 = Dialect(3)
GML32 = Dialect(3, official=True, ids=True)


def timestamp() -> str:
    """Now, in UTC."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def collection_attributes(answer: Answer, total: Total | None, links: Iterable[tuple[str, str]] = ()) -> str:
    """Attributes of the root of an answer of WFS 2.0: namespaces, schemas and, of a collection, its ``total``."""
    describe = (
        f"{with_separator(answer.service_url)}SERVICE=WFS&VERSION=2.0.0&REQUEST=DescribeFeatureType"
        f"&TYPENAMES={','.join(answer.type_names)}"
    )
    counts = ""
    if total is not None:
        counts = f' timeStamp="{timestamp()}" numberMatched="{total.matched}" numberReturned="{total.returned}"'
    return (
        ' xmlns:wfs="http://www.opengis.net/wfs/2.0" xmlns:gml="http://www.opengis.net/gml/3.2"'
        ' xmlns:xlink="http://www.w3.org/1999/xlink" xmlns:qgs="http://www.qgis.org/gml"'
        ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
        ' xsi:schemaLocation="http://www.opengis.net/wfs/2.0 http://schemas.opengis.net/wfs/2.0/wfs.xsd'
        " http://www.opengis.net/gml/3.2 http://schemas.opengis.net/gml/3.2.1/gml.xsd"
        f' http://www.qgis.org/gml {escape(describe)}"{counts}{attributes(dict(links))}'
    )


def style_of(frame: Frame, dialect: Dialect, multi: bool = False) -> GmlStyle:
    """GML 2 is always x, y under the short name; GML 3 repeats the client's name and has its axis order (measured)."""
    name = frame.crs.authid if frame.crs else ""
    if dialect.version == 2:
        return GmlStyle(2, name, frame.precision, multi=multi)
    if dialect.official and frame.crs is not None:
        name = frame.crs.urn or name
    swap = written_swapped(frame.srs_name, frame.crs)
    return GmlStyle(3, frame.srs_name or name, frame.precision, swap, multi, dialect.ids)


def feature_writer(
    member: Member, dialect: Dialect, around: tuple[str, str], root_attributes: str = ""
) -> Callable[[Features], bytes]:
    """The function that writes one batch of a type: its features, each within the two texts ``around``."""
    name = member.type.name
    style = style_of(member.frame, dialect, member.multi)
    start = f'{around[0]} <qgs:{name}{root_attributes} {dialect.id_attribute}="'.encode()
    end = f" </qgs:{name}>\n{around[1]}".encode()
    standard = standard_fields(member.properties) if dialect.ids else {}
    own = [item for item in member.properties if not (dialect.ids and item.standard)]
    geometry_start, geometry_end = f"  <qgs:{GEOMETRY}>".encode(), f"</qgs:{GEOMETRY}>\n".encode()

    def write(features: Features) -> bytes:
        batch = features.batch
        ids = id_texts(member, batch.fids, dialect)
        values = {item.field: value_texts(item, batch.columns[item.field]) for item in member.properties}
        parts = [wrap_texts(ids, start, b'">\n')]
        parts += [_standard_elements(name, values[item.field]) for name, item in standard.items()]
        if features.real is not None:
            parts.append(bounded_by(box_texts(features.real.boxes(), style), b"  "))
        if batch.geometry is not None:
            texts = geometry_texts(batch.geometry, style)
            texts = with_ids(texts, ids) if dialect.ids else texts
            parts.append([geometry_start + text + geometry_end if text else b"" for text in texts])
        parts += [_elements(item.name, values[item.field]) for item in own]
        return b"".join(chain.from_iterable(zip(*parts, repeat(end, len(batch)), strict=True)))

    return write


def id_texts(member: Member, fids: NDArray[Any], dialect: Dialect) -> list[bytes]:
    """The ids of features, as they stand in an attribute."""
    start = f"{member.type.name}.".encode()
    if fids.dtype.kind == "i":
        return wrap_texts(dump_array(fids)[1:-1].split(b","), start, b"")
    if dialect.ids:
        return [start + xml_id(str(fid)).encode() for fid in fids.tolist()]
    return [start + escape(str(fid)).replace('"', "&quot;").encode() for fid in fids.tolist()]


def value_texts(item: Property, column: Column) -> Sequence[bytes | None]:
    """The values of a property as they stand in its element, None for NULL."""
    if item.decimals is not None:
        return decimal_texts(column, item.decimals)
    if item.pattern:
        return pattern_texts(column, item.pattern)
    return xml_texts(column, zone=item.zone)


def _standard_elements(name: str, texts: Sequence[bytes | None]) -> list[bytes]:
    """One line per value that is there: a property of GML itself."""
    # An identifier says who gives it (GML 3.2.1 clause 7.2.4.5): nobody but the owner of the data.
    space = f' codeSpace="{QGS}"' if name == "identifier" else ""
    start, end = f"  <gml:{name}{space}>".encode(), f"</gml:{name}>\n".encode()
    return [b"" if text is None else start + text + end for text in texts]


def _elements(name: str, texts: Sequence[bytes | None]) -> list[bytes]:
    """One line per value: the property's element, nil for NULL."""
    start, end = f"  <qgs:{name}>".encode(), f"</qgs:{name}>\n".encode()
    present = [text for text in texts if text is not None]
    if len(present) == len(texts):
        return wrap_texts(present, start, end)
    nil = f'  <qgs:{name} xsi:nil="true"/>\n'.encode()
    return [nil if text is None else start + text + end for text in texts]
