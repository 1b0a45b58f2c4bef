"""ListStoredQueries, DescribeStoredQueries, CreateStoredQuery, DropStoredQuery (WFS 2.0 clause 14)."""

from __future__ import annotations

from lxml import etree

from qgserver.errors import OwsError
from qgserver.ows.gmlread import local_name
from qgserver.ows.operations import OperationContext, operation
from qgserver.ows.wfs.featuretype import feature_types
from qgserver.ows.wfs.params import V2, require_version, words
from qgserver.ows.wfs.querystore import LANGUAGES, WFS, QueryStore, StoredQuery
from qgserver.ows.xmlio import DECLARATION, element, quote
from qgserver.web.response import Response, document
from qgserver.web.xmlbody import parse

_ROOT = (
    DECLARATION + '<wfs:{name}Response{attributes} xmlns:wfs="http://www.opengis.net/wfs/2.0"'
    ' xmlns:qgs="http://www.qgis.org/gml" xmlns:xs="http://www.w3.org/2001/XMLSchema"'
    ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
    ' xsi:schemaLocation="http://www.opengis.net/wfs/2.0 http://schemas.opengis.net/wfs/2.0/wfs.xsd">\n'
)


def query_store(context: OperationContext) -> QueryStore:
    """The stored queries of the project asked."""
    return QueryStore(context.settings.stored_queries, context.project.path)


def _response(name: str, content: str = "", attributes: str = "") -> Response:
    return document(f"{_ROOT.format(name=name, attributes=attributes)}{content}</wfs:{name}Response>\n")


@operation("WFS", "ListStoredQueries", versions=(V2,))
def list_stored_queries(context: OperationContext) -> Response:
    """Ids and titles, and the types that queries give."""
    require_version(context.request)
    queries = "".join(
        f"<wfs:StoredQuery id={quote(query.ids[0])}>{element('wfs:Title', query.title)}"
        + "".join(f"<wfs:ReturnFeatureType>qgs:{name}</wfs:ReturnFeatureType>" for name in _types(query, context))
        + "</wfs:StoredQuery>\n"
        for query in query_store(context).all()
    )
    return _response("ListStoredQueries", queries)


@operation("WFS", "DescribeStoredQueries", versions=(V2,))
def describe_stored_queries(context: OperationContext) -> Response:
    """Parameters of the queries named, of all when none is."""
    request, store = context.request, query_store(context)
    require_version(request)
    ids = list(words(request.get("STOREDQUERY_ID")))
    if request.is_xml:
        ids += [(item.text or "").strip() for item in parse(request.body) if local_name(item) == "StoredQueryId"]
    found = [(name, store.find(name)) for name in ids] or [(query.ids[0], query) for query in store.all()]
    return _response("DescribeStoredQueries", "".join(_description(name, query, context) for name, query in found))


def _types(query: StoredQuery, context: OperationContext) -> list[str]:
    return [name for name in feature_types(context.project) if query.types is None or name in query.types]


def _description(name: str, query: StoredQuery, context: OperationContext) -> str:
    if query.definition:
        return _as_made(query)
    parameters = "".join(f'<wfs:Parameter name="{name}" type="{kind}"/>' for name, kind in query.parameters)
    types = " ".join(f"qgs:{name}" for name in _types(query, context))
    return (
        f"<wfs:StoredQueryDescription id={quote(name)}>\n"
        f" {element('wfs:Title', query.title)}{element('wfs:Abstract', query.abstract)}{parameters}\n"
        # Private: no query language could say it.
        f' <wfs:QueryExpressionText isPrivate="true" language="{LANGUAGES[0]}" returnFeatureTypes="{types}"/>\n'
        "</wfs:StoredQueryDescription>\n"
    )


def _as_made(query: StoredQuery) -> str:
    """The definition as its maker sent it, but for what he wants private."""
    root = parse(query.definition)
    root.tag = f"{{{WFS}}}StoredQueryDescription"
    for text in root.iter("{*}QueryExpressionText"):
        if text.get("isPrivate") in ("true", "1"):
            text[:] = []
    return str(etree.tostring(root, encoding="unicode")) + "\n"


@operation("WFS", "CreateStoredQuery", versions=(V2,))
def create_stored_query(context: OperationContext) -> Response:
    """Keep the queries of a document (there is no form by KVP)."""
    store = _writable(context)
    if not context.request.is_xml:
        raise OwsError("OperationNotSupported", "A stored query is sent as a document.", locator="request", status=405)
    store.create([item for item in parse(context.request.body) if local_name(item) == "StoredQueryDefinition"])
    return _done("CreateStoredQuery")


@operation("WFS", "DropStoredQuery", versions=(V2,))
def drop_stored_query(context: OperationContext) -> Response:
    """Forget a query."""
    request, store = context.request, _writable(context)
    if request.method != "POST":  # an address that somebody is made to open must change nothing
        raise OwsError("OperationNotSupported", "A query is dropped by POST.", locator="request", status=405)
    store.drop(request.get("ID") or request.get("STOREDQUERY_ID"))
    return _done("DropStoredQuery")


def _writable(context: OperationContext) -> QueryStore:
    require_version(context.request)
    store = query_store(context)
    if not store.writable:
        name = context.request.get("REQUEST")
        raise OwsError("OperationNotSupported", f"Request {name} is not offered.", locator="request", status=501)
    return store


def _done(name: str) -> Response:
    response = _response(name, attributes=' status="OK"')
    response.headers["Cache-Control"] = "no-store"
    return response
