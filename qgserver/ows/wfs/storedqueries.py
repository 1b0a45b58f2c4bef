"""Stored queries: what there is (one, which WFS 2.0 insists on), and the requests that tell it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from qgserver.errors import OwsError
from qgserver.ows.gmlread import local_name
from qgserver.ows.operations import OperationContext, operation
from qgserver.ows.wfs.featuretype import feature_types
from qgserver.ows.wfs.params import V2, require_version, words
from qgserver.ows.xmlio import DECLARATION, element, escape
from qgserver.web.response import Response, document
from qgserver.web.xmlbody import parse


@dataclass(frozen=True, slots=True)
class StoredQuery:
    """A stored query. ``ids``: the first is told, the others are understood. ``parameters``: names and XML types."""

    ids: tuple[str, ...]
    title: str
    abstract: str
    parameters: tuple[tuple[str, str], ...]

    def value(self, given: Mapping[str, str], name: str) -> str:
        """The value of a parameter; ``given`` has names in upper case. Raises ``OwsError`` when it is missing."""
        if not given.get(name, "").strip():
            raise OwsError("MissingParameterValue", f"The stored query wants the parameter {name}.", locator=name)
        return given[name]


QUERIES = (
    StoredQuery(
        # WFS 2.0.0 clause 7.9.3.6 has the URN, 2.0.2 the address.
        (
            "urn:ogc:def:query:OGC-WFS::GetFeatureById",
            "http://www.opengis.net/def/query/OGC-WFS/0/GetFeatureById",
        ),
        "Get feature by identifier",
        "The one feature that has this identifier (gml:id).",
        (("ID", "xs:string"),),
    ),
)


def find_stored_query(name: str) -> StoredQuery:
    """The stored query of that id. Raises ``OwsError``."""
    for query in QUERIES:
        if name.strip() in query.ids:
            return query
    raise OwsError("InvalidParameterValue", f"There is no stored query {name[:80]}.", locator="storedquery_id")


_ROOT = (
    DECLARATION + '<wfs:{name}Response xmlns:wfs="http://www.opengis.net/wfs/2.0" xmlns:qgs="http://www.qgis.org/gml"'
    ' xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
    ' xsi:schemaLocation="http://www.opengis.net/wfs/2.0 http://schemas.opengis.net/wfs/2.0/wfs.xsd">\n'
)


@operation("WFS", "ListStoredQueries", versions=(V2,))
def list_stored_queries(context: OperationContext) -> Response:
    """Ids and titles, and the types that queries give (clause 14.3)."""
    require_version(context.request)
    types = "".join(f"<wfs:ReturnFeatureType>qgs:{name}</wfs:ReturnFeatureType>" for name in _types(context))
    queries = "".join(
        f'<wfs:StoredQuery id="{query.ids[0]}">{element("wfs:Title", query.title)}{types}</wfs:StoredQuery>\n'
        for query in QUERIES
    )
    return document(_ROOT.format(name="ListStoredQueries") + queries + "</wfs:ListStoredQueriesResponse>\n")


@operation("WFS", "DescribeStoredQueries", versions=(V2,))
def describe_stored_queries(context: OperationContext) -> Response:
    """Parameters of the queries named, of all when none is (clause 14.4)."""
    request = context.request
    require_version(request)
    ids = list(words(request.get("STOREDQUERY_ID")))
    if request.is_xml:
        ids += [(item.text or "").strip() for item in parse(request.body) if local_name(item) == "StoredQueryId"]
    found = [(name, find_stored_query(name)) for name in ids] or [(query.ids[0], query) for query in QUERIES]
    types = " ".join(f"qgs:{name}" for name in _types(context))
    described = "".join(_description(name, query, types) for name, query in found)
    return document(_ROOT.format(name="DescribeStoredQueries") + described + "</wfs:DescribeStoredQueriesResponse>\n")


def _types(context: OperationContext) -> tuple[str, ...]:
    return tuple(feature_types(context.project))


def _description(name: str, query: StoredQuery, types: str) -> str:
    parameters = "".join(f'<wfs:Parameter name="{name}" type="{kind}"/>' for name, kind in query.parameters)
    return (
        f'<wfs:StoredQueryDescription id="{escape(name)}">\n'
        f" {element('wfs:Title', query.title)}{element('wfs:Abstract', query.abstract)}{parameters}\n"
        # Private: its text is none of the client's concern, and no query language could say it.
        f' <wfs:QueryExpressionText isPrivate="true" language="urn:ogc:def:queryLanguage:OGC-WFS::WFS_QueryExpression"'
        f' returnFeatureTypes="{types}"/>\n</wfs:StoredQueryDescription>\n'
    )
