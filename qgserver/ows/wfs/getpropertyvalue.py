"""GetPropertyValue (WFS 2.0 clause 10): the values of one property, feature after feature."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from qgserver.errors import OwsError
from qgserver.expression.nodes import Binary, Call, FieldRef, Literal, Node, all_of
from qgserver.ows.fes import bare_name
from qgserver.ows.gml import geometry_texts, with_ids
from qgserver.ows.names import GEOMETRY
from qgserver.ows.operations import OperationContext, operation
from qgserver.ows.wfs.answer import Answer, Features, Total
from qgserver.ows.wfs.featuretype import Property
from qgserver.ows.wfs.formats import find_format
from qgserver.ows.wfs.gmlfeatures import GML32, collection_attributes, id_texts, style_of, value_texts
from qgserver.ows.wfs.paging import paged
from qgserver.ows.wfs.params import V2, require_version
from qgserver.ows.wfs.query import GetFeatureRequest, not_found
from qgserver.ows.wfs.reading import read_request, select_all, totals, with_features
from qgserver.ows.wfs.selection import Selection
from qgserver.web.response import Response, stream

ID = "@gml:id"

_PATH = re.compile(r"(?:[^/@\[\]()'\"\s]+/)?(?:@[\w.-]+:id|[^/@\[\]()'\"\s]+(?:\[1\])?)")
"""The paths there are: a property or the id, behind the name of the type or not."""


@operation("WFS", "GetPropertyValue", versions=(V2,))
def get_property_value(context: OperationContext) -> Response:
    """The values that are not nil. What is not published cannot be named."""
    require_version(context.request)
    asked = read_request(context)
    form = find_format(asked.params.output_format, context.version)
    if form is not find_format("", context.version):
        raise OwsError("InvalidParameterValue", "Values are told in GML 3.2.", locator="outputFormat")
    name = _read_path(asked.params.value_reference)
    # Every field is asked for, so that the name is looked up among those that are published.
    whole = replace(asked, queries=tuple(replace(query, properties=None) for query in asked.queries))
    selections = [_only(found, name) for found in select_all(context, whole)]
    answer = Answer(context.service_url, tuple(dict.fromkeys(found.type.name for found in selections)))
    if asked.params.result_type == "HITS":
        answer = replace(answer, count=0, totals=totals(selections, asked.params))
    else:
        answer = with_features(answer, selections, asked.params, form)
    _check_found(answer, asked)
    return stream(_collection(paged(answer, context, asked), name), form.content_type)


def _read_path(path: str) -> str:
    """The property that a path means, ``ID`` for the id. Raises ``OwsError``."""
    if not _PATH.fullmatch(path):
        raise OwsError("InvalidParameterValue", f"{path[:80]!r} is no path to a property.", locator="valueReference")
    return ID if "@" in path else bare_name(path)


def _only(found: Selection, name: str) -> Selection:
    """The selection with this property alone, of features that have it. Raises ``OwsError`` when there is none."""
    if name in (ID, GEOMETRY) and (name == ID or found.shape):
        condition: Node | None = None if name == ID else _present(Call("$geometry"))
        return _narrowed(found, (), name == GEOMETRY, condition)
    wanted = tuple(item for item in found.properties if name in (item.name, item.field))[:1]
    if not wanted:
        raise OwsError("InvalidParameterValue", f"There is no property {name[:80]}.", locator="valueReference")
    return _narrowed(found, wanted, False, _present(FieldRef(wanted[0].field)))


def _present(node: Node) -> Node:
    return Binary("ISNOT", node, Literal(None))


def _narrowed(found: Selection, wanted: Sequence[Property], geometry: bool, condition: Node | None) -> Selection:
    source = found.source
    if source is not None:
        where = all_of(node for node in (source.where, condition) if node is not None)
        columns = tuple(item.field for item in wanted)
        source = replace(source, columns=columns, geometry=geometry, where=where)
    return replace(found, source=source, properties=tuple(wanted), shape=found.shape if geometry else "")


def _check_found(answer: Answer, asked: GetFeatureRequest) -> None:
    if asked.single and not sum(total.matched for total in answer.totals):
        raise not_found(next(iter(asked.queries[0].fids or ()), ""))


def _collection(answer: Answer, name: str) -> Iterator[bytes]:
    returned = 0 if answer.count is not None else sum(total.returned for total in answer.totals)
    total = Total(sum(total.matched for total in answer.totals), returned)
    links = [(word, link) for word, link in (("next", answer.next), ("previous", answer.previous)) if link]
    waiting = f"<wfs:ValueCollection{collection_attributes(answer, total, links)}>\n".encode()
    for features in answer.features:
        texts = _values(name, features)
        yield waiting + b"".join(b"<wfs:member>" + text + b"</wfs:member>\n" for text in texts if text)
        waiting = b""
    yield waiting + b"</wfs:ValueCollection>\n"


def _values(name: str, features: Features) -> Sequence[bytes | None]:
    member, batch = features.member, features.batch
    ids = id_texts(member, batch.fids, GML32)
    if name == ID:
        return ids
    if batch.geometry is not None:
        return with_ids(geometry_texts(batch.geometry, style_of(member.frame, GML32, member.multi)), ids)
    (item,) = member.properties
    return value_texts(item, batch.columns[item.field])
