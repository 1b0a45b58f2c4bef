"""CSV (RFC 4180): one type, its id first, its geometry as WKT.

Values are written as they are, also those that a spreadsheet would take for a formula (``=``, ``+``, ``-``, ``@``):
a number is no text with an apostrophe. Whoever opens files of strangers in a spreadsheet imports such columns as text.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import repeat

from qgserver.geo.wkb import to_shapely
from qgserver.ows.attributetext import csv_texts, quoted_text
from qgserver.ows.geometrytext import dump_array
from qgserver.ows.names import GEOMETRY
from qgserver.ows.wfs.answer import Answer, Features, Member
from qgserver.ows.wfs.answerfile import one_type_only, shown, unique_names
from qgserver.ows.wfs.outputformat import wfs_format

ID = "gml_id"
"""The column of the feature's id, as GDAL and QGIS call it."""


@wfs_format("csv", "application/csv", mime="text/csv", extension=".csv")
def comma_separated(answer: Answer) -> Iterator[bytes]:
    """A table in UTF-8: a header, then a line for each feature. NULL is nothing at all, an empty text is ``""``."""
    if len(answer.members) != 1:
        raise one_type_only("A CSV file")
    (member,) = answer.members
    waiting = _header(member)
    for features in answer.features:
        yield waiting + _lines(features, member)
        waiting = b""
    yield waiting


def _header(member: Member) -> bytes:
    names = [item.name for item in member.properties]
    before = unique_names([ID, GEOMETRY] if member.shape else [ID], names)
    return b",".join(map(quoted_text, [*before, *names])) + b"\r\n"


def _lines(features: Features, member: Member) -> bytes:
    batch = features.batch
    count = len(batch)
    columns = [_ids(features)]
    if member.shape:
        columns.append(_geometries(features))
    columns += [csv_texts(batch.columns[item.field], zone=item.zone) for item in member.properties]
    return b"".join(line + b"\r\n" for line in map(b",".join, zip(*columns, strict=True))) if count else b""


def _ids(features: Features) -> list[bytes]:
    fids, name = features.batch.fids, features.member.type.name
    if fids.dtype.kind == "i":
        start = name.encode() + b"."
        return [start + number for number in dump_array(fids)[1:-1].split(b",")]
    return [quoted_text(f"{name}.{fid}") for fid in fids.tolist()]


def _geometries(features: Features) -> list[bytes]:
    """WKT, x before y whatever the CRS; nothing where there is no geometry."""
    import shapely

    geometry, member = features.batch.geometry, features.member
    if geometry is None:
        return list(repeat(b"", len(features.batch)))
    shapes = to_shapely(shown(geometry, member))
    texts = shapely.to_wkt(shapes, rounding_precision=min(max(member.frame.precision, 0), 15), output_dimension=3)
    return [b"" if text is None else b'"' + text.encode() + b'"' for text in texts.tolist()]
