"""GetFeature requests, by KVP or as a document, in one form."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from lxml import etree

from qgserver.errors import OwsError
from qgserver.ows.fes import bare_name
from qgserver.ows.gmlread import local_name
from qgserver.ows.kvp import groups
from qgserver.ows.names import QGS
from qgserver.ows.wfs.params import V2, Bbox, Parameters, SortKey, read_parameters, words
from qgserver.ows.wfs.querystore import BY_ID, QueryStore
from qgserver.web.request import Request
from qgserver.web.xmlbody import parse

MAX_QUERIES = 200
"""Queries of one request: each opens a source."""
MAX_DOTS = 50
"""Dots of an id behind which its key is looked for: names of types hold few."""


@dataclass(frozen=True, slots=True)
class Query:
    """What is asked of one type. ``properties`` None = all; ``fids`` with their type (``points.1``). All conditions
    hold together. ``version`` is that of the request: what numbers without a CRS and ids mean depends on it."""

    type_name: str
    properties: tuple[str, ...] | None = None
    srs_name: str = ""
    filter: etree._Element | None = None
    fids: tuple[str, ...] | None = None
    bbox: Bbox | None = None
    expression: str = ""
    sort_by: tuple[SortKey, ...] = ()
    version: str = "1.1.0"


@dataclass(frozen=True, slots=True)
class GetFeatureRequest:
    """A whole request: ``queries`` in the order of the answer. ``single``: the answer is the feature itself, not a
    collection (``GetFeatureById``)."""

    queries: tuple[Query, ...]
    params: Parameters
    single: bool = False


def read_get_feature(
    request: Request, version: str = "1.1.0", known: Collection[str] = (), stored: QueryStore | None = None
) -> GetFeatureRequest:
    """The request. ``known`` are the names of published types: ids are cut behind the longest that they begin with.
    ``stored`` are the stored queries. Raises ``OwsError`` with the parameter as locator."""
    params = read_parameters(request.params, version)
    stored = stored or QueryStore()
    if request.is_xml:
        asked = _from_document(request.body, params, known, stored)
    elif params.stored_query:
        asked = _stored(stored, params.stored_query, request.params, params, known)
    else:
        asked = GetFeatureRequest(_from_kvp(params, version, known), params)
    if not asked.queries:
        locator = "typenames" if version == V2 else "typename"
        raise OwsError("MissingParameterValue", "No feature type is named.", locator=locator)
    return replace(asked, queries=tuple(replace(query, version=version) for query in asked.queries))


# -- KVP ------------------------------------------------------------------------------------------------------------


def _from_kvp(params: Parameters, version: str, known: Collection[str]) -> tuple[Query, ...]:
    exclusive = [params.feature_ids, params.filters, params.bbox]
    if sum(1 for value in exclusive if value) > 1:
        # WFS 1.1.0 clause 14.7.3: "these parameters are mutually exclusive".
        raise OwsError("InvalidParameterValue", "FEATUREID, FILTER and BBOX exclude one another.", locator="filter")
    ids = tuple(map(_unprefixed, params.feature_ids))
    names = params.type_names or types_of(ids, known)
    _check_number(names)
    filters = _per_type(params.filters, len(names), "FILTER")
    properties = _per_type(params.property_names, len(names), "PROPERTYNAME")
    expressions = _expressions(params.expression, len(names))
    if version != V2:  # there an id that is none is simply not found
        types_of(ids)
    owners = _owners(ids, frozenset(map(bare_name, names)))
    strays = owners.get("", ()) if version == V2 else ()  # of no type that is asked for: looked at further on
    return tuple(
        Query(
            type_name=type_name(name, dict(params.namespaces) if version == V2 else None),
            properties=_wanted(properties[at]),
            srs_name=params.srs_name,
            filter=parse(filters[at].encode()) if filters[at] else None,
            fids=(*owners.get(bare_name(name), ()), *strays) if ids else None,
            bbox=params.bbox,
            expression=expressions[at],
            sort_by=params.sort_by,
        )
        for at, name in enumerate(names)
    )


def types_of(ids: Sequence[str], known: Collection[str] = ()) -> tuple[str, ...]:
    """The types that feature ids belong to, in the order of their first appearance."""
    return tuple(dict.fromkeys(_type_of(fid, known) for fid in ids))


def _type_of(fid: str, known: Collection[str]) -> str:
    """The type of an id; its key may hold dots itself."""
    name, dot, key = fid.rpartition(".")
    found = _owner(fid, known)
    if not found and not (name and dot and key):
        raise OwsError("InvalidParameterValue", f"The feature id {fid[:80]} has no type.", locator="featureid")
    return found or name


def _owner(fid: str, names: Collection[str]) -> str:
    """The longest of the names that an id begins with, "" when it is of none."""
    found, at = "", fid.find(".")
    for _ in range(MAX_DOTS):
        if at < 0:
            break
        if fid[:at] in names:
            found = fid[:at]
        at = fid.find(".", at + 1)
    return found


def _owners(ids: Sequence[str], names: frozenset[str]) -> Mapping[str, Sequence[str]]:
    """The ids of each type, those of none of them under ""."""
    out: dict[str, list[str]] = {}
    for fid in ids:
        out.setdefault(_owner(fid, names), []).append(fid)
    return out


def _unprefixed(fid: str) -> str:
    """``app:points.1`` -> ``points.1``; a colon in the key stays."""
    prefix, colon, rest = fid.partition(":")
    return rest if colon and "." not in prefix else fid


def _check_number(queries: Sequence[object]) -> None:
    if len(queries) > MAX_QUERIES:
        raise OwsError("InvalidParameterValue", f"A request may hold {MAX_QUERIES} queries.", status=413)


def _per_type(values: Sequence[str], types: int, name: str) -> Sequence[str]:
    """One value per type: WFS 1.1.0 clause 14.2.2 wants a 1:1 mapping."""
    if not values:
        return [""] * types
    if len(values) != types:
        raise OwsError(
            "InvalidParameterValue", f"{name} holds {len(values)} parts for {types} types.", locator=name.lower()
        )
    return values


def _expressions(value: str, types: int) -> Sequence[str]:
    """EXP_FILTER of each type: ``(a)(b)`` for several; else brackets belong to the expression, which counts for all."""
    found = groups(value) if types > 1 else ()
    return found if len(found) == types else [value] * types


def _wanted(value: str) -> tuple[str, ...] | None:
    found = words(value)
    return None if not found or "*" in found else tuple(bare_name(name) for name in found)


# -- document -------------------------------------------------------------------------------------------------------


def _from_document(body: bytes, params: Parameters, known: Collection[str], store: QueryStore) -> GetFeatureRequest:
    elements = [element for element in parse(body) if local_name(element) in ("Query", "StoredQuery")]
    _check_number(elements)
    stored = [element for element in elements if local_name(element) == "StoredQuery"]
    if stored and len(elements) > 1:
        # Its answer may be a feature and no collection, so that nothing can stand beside it.
        raise OwsError("OperationNotSupported", "A stored query is asked alone.", locator="StoredQuery", status=501)
    if stored:
        given = {str(item.get("name")).upper(): "".join(map(str, item.itertext())) for item in stored[0]}
        return _stored(store, stored[0].get("id") or "", given, params, known)
    return GetFeatureRequest(tuple(_from_element(element, params) for element in elements), params)


def _stored(
    store: QueryStore, name: str, given: Mapping[str, str], params: Parameters, known: Collection[str]
) -> GetFeatureRequest:
    """The request that a stored query stands for."""
    found = store.find(name)
    if found is not BY_ID:
        return GetFeatureRequest(tuple(_from_element(query, params) for query in found.filled(given)), params)
    fid = found.value(given, "ID").strip()
    try:
        return GetFeatureRequest((Query(_type_of(fid, known), fids=(fid,)),), params, True)
    except OwsError:
        raise not_found(fid) from None


def not_found(fid: str) -> OwsError:
    """No feature has this id (WFS 2.0.2 clause 11.3.5: 404)."""
    return OwsError("NotFound", f"There is no feature {fid[:80]}.", locator="ID", status=404)


def _from_element(element: etree._Element, params: Parameters) -> Query:
    wanted: list[str] = []
    condition: etree._Element | None = None
    keys: tuple[SortKey, ...] = ()
    for child in element:
        match local_name(child):
            case "PropertyName":
                wanted.append(child.text or "")
            case "Filter":
                condition = child
            case "SortBy":
                keys = tuple(_sort_key(item) for item in child)
    names = (element.get("typeName") or " ".join((element.get("typeNames") or "").split())).strip()
    return Query(
        type_name=type_name(names, element.nsmap if element.get("typeNames") else None),
        properties=_wanted(",".join(wanted)),
        srs_name=element.get("srsName") or params.srs_name,
        filter=condition,
        sort_by=keys,
    )


def _sort_key(element: etree._Element) -> SortKey:
    parts = {local_name(child): (child.text or "").strip() for child in element}
    name = parts.get("PropertyName") or parts.get("ValueReference") or ""
    return SortKey(bare_name(name), parts.get("SortOrder", "ASC").upper() != "DESC")


def type_name(text: str, namespaces: Mapping[str | None, str] | Mapping[str, str] | None) -> str:
    """The type that a name means, its prefix stripped. ``namespaces`` are those of WFS 2.0, None before: then prefixes
    mean nothing. Raises ``OwsError``: a prefix of another namespace than ours, several names in one query."""
    prefix, colon, name = text.rpartition(":")
    if namespaces is None:
        return bare_name(name)
    if " " in text.strip() or "," in text:
        # Several types in one query are a join (WFS 2.0 clause 7.9.2.5.3).
        raise OwsError(
            "OperationNotSupported",
            "Joins are not offered; several queries are written (a)(b), or as several Query elements.",
            locator="typenames",
            status=501,
        )
    if colon and dict(namespaces).get(prefix, QGS) != QGS:
        raise OwsError("InvalidParameterValue", f"TypeName '{text[:80]}' could not be found.", locator="typenames")
    return bare_name(name)
