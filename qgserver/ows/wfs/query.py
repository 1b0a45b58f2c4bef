"""GetFeature requests, by KVP or as a document, in one form."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lxml import etree

from qgserver.errors import OwsError
from qgserver.ows.fes import bare_name
from qgserver.ows.gmlread import local_name
from qgserver.ows.kvp import groups
from qgserver.ows.wfs.params import Bbox, Parameters, SortKey, read_parameters, words
from qgserver.web.request import Request
from qgserver.web.xmlbody import parse


@dataclass(frozen=True, slots=True)
class Query:
    """What is asked of one type. ``properties`` None = all; ``fids`` with their type (``points.1``). All conditions
    hold together."""

    type_name: str
    properties: tuple[str, ...] | None = None
    srs_name: str = ""
    filter: etree._Element | None = None
    fids: tuple[str, ...] | None = None
    bbox: Bbox | None = None
    expression: str = ""
    sort_by: tuple[SortKey, ...] = ()


@dataclass(frozen=True, slots=True)
class GetFeatureRequest:
    """A whole request: ``queries`` in the order of the answer."""

    queries: tuple[Query, ...]
    params: Parameters


def read_get_feature(request: Request) -> GetFeatureRequest:
    """The request. Raises ``OwsError`` with the parameter as locator."""
    params = read_parameters(request.params)
    queries = _from_document(request.body, params) if request.is_xml else _from_kvp(params)
    if not queries:
        raise OwsError("MissingParameterValue", "The TYPENAME parameter is missing.", locator="typename")
    return GetFeatureRequest(queries, params)


# -- KVP ------------------------------------------------------------------------------------------------------------


def _from_kvp(params: Parameters) -> tuple[Query, ...]:
    exclusive = [params.feature_ids, params.filters, params.bbox]
    if sum(1 for value in exclusive if value) > 1:
        # WFS 1.1.0 clause 14.7.3: "these parameters are mutually exclusive".
        raise OwsError("InvalidParameterValue", "FEATUREID, FILTER and BBOX exclude one another.", locator="filter")
    names = params.type_names or _types_of(params.feature_ids)
    filters = _per_type(params.filters, len(names), "FILTER")
    properties = _per_type(params.property_names, len(names), "PROPERTYNAME")
    expressions = _expressions(params.expression, len(names))
    return tuple(
        Query(
            type_name=bare_name(name),
            properties=_wanted(properties[at]),
            srs_name=params.srs_name,
            filter=parse(filters[at].encode()) if filters[at] else None,
            fids=_ids_of(params.feature_ids, bare_name(name)) if params.feature_ids else None,
            bbox=params.bbox,
            expression=expressions[at],
            sort_by=params.sort_by,
        )
        for at, name in enumerate(names)
    )


def _types_of(ids: Sequence[str]) -> tuple[str, ...]:
    """The types that feature ids belong to, in the order of their first appearance."""
    names = []
    for fid in ids:
        name, dot, key = fid.rpartition(".")
        if not dot or not key or not name:
            raise OwsError("InvalidParameterValue", f"The feature id {fid[:80]} has no type.", locator="featureid")
        names.append(name)
    return tuple(dict.fromkeys(names))


def _ids_of(ids: Sequence[str], type_name: str) -> tuple[str, ...]:
    _types_of(ids)
    return tuple(fid for fid in ids if bare_name(fid).startswith(f"{type_name}."))


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


def _from_document(body: bytes, params: Parameters) -> tuple[Query, ...]:
    return tuple(_from_element(element, params) for element in parse(body) if local_name(element) == "Query")


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
    return Query(
        type_name=bare_name(element.get("typeName") or element.get("typeNames") or ""),
        properties=_wanted(",".join(wanted)),
        srs_name=element.get("srsName") or params.srs_name,
        filter=condition,
        sort_by=keys,
    )


def _sort_key(element: etree._Element) -> SortKey:
    parts = {local_name(child): (child.text or "").strip() for child in element}
    name = parts.get("PropertyName") or parts.get("ValueReference") or ""
    return SortKey(bare_name(name), parts.get("SortOrder", "ASC").upper() != "DESC")
