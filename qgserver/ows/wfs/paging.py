"""Addresses of the next and the previous page of an answer (WFS 2.0 clause 7.7.4.4)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from urllib.parse import quote, urlencode

from lxml import etree

from qgserver.ows.operations import OperationContext
from qgserver.ows.wfs.answer import Answer
from qgserver.ows.wfs.params import V2
from qgserver.ows.wfs.query import GetFeatureRequest, Query
from qgserver.web.service_url import with_separator

LONGEST = 8000
"""Characters of an address that servers and proxies still take."""

_OLD_NAMES = ("MAXFEATURES", "RESULTTYPE", "MAP")
"""Parameters that no link repeats: ``MAP`` is part of the service's address already."""


def paged(answer: Answer, context: OperationContext, asked: GetFeatureRequest) -> Answer:
    """The answer with the addresses of its neighbours, where it has any that can be told."""
    if context.version != V2 or asked.single or not answer.totals:
        return answer
    start, size = asked.params.start_index, asked.params.max_features
    matched = sum(total.matched for total in answer.totals)
    after = start + (0 if answer.count is not None else sum(total.returned for total in answer.totals))
    following = {"STARTINDEX": after, "COUNT": size} if after < matched and size != 0 else None
    before = max(start - (start if size is None else size), 0)
    preceding = {"STARTINDEX": before, "COUNT": start - before} if start > before and answer.count is None else None
    return replace(answer, next=_link(context, asked, following), previous=_link(context, asked, preceding))


def _link(context: OperationContext, asked: GetFeatureRequest, page: Mapping[str, int | None] | None) -> str:
    if page is None:
        return ""
    params = _as_kvp(context, asked) if context.request.is_xml else dict(context.request.params)
    if params is None:
        return ""
    wanted = {name: str(value) for name, value in page.items() if value is not None}
    kept = {name: value for name, value in params.items() if name not in (*_OLD_NAMES, *page)}
    address = with_separator(context.service_url) + urlencode(kept | wanted, quote_via=quote, safe="/:,()*")
    return address if len(address) <= LONGEST else ""


def _as_kvp(context: OperationContext, asked: GetFeatureRequest) -> dict[str, str] | None:
    """The parameters that say the same as a document; None when a list for each query is needed where KVP has none."""
    first, *others = asked.queries
    if any((query.srs_name, query.sort_by) != (first.srs_name, first.sort_by) for query in others):
        return None
    params = {
        "SERVICE": "WFS",
        "VERSION": context.version,
        "REQUEST": context.request.get("REQUEST"),
        "TYPENAMES": _each(query.type_name for query in asked.queries),
        "OUTPUTFORMAT": asked.params.output_format,
        "SRSNAME": first.srs_name,
        "SORTBY": ",".join(f"{key.property} {'ASC' if key.ascending else 'DESC'}" for key in first.sort_by),
        "VALUEREFERENCE": asked.params.value_reference,
    }
    if any(query.properties is not None for query in asked.queries):
        params["PROPERTYNAME"] = _each(",".join(query.properties or ("*",)) for query in asked.queries)
    if any(query.filter is not None for query in asked.queries):
        if any(query.filter is None for query in asked.queries):
            return None
        params["FILTER"] = _each(_filter_text(query) for query in asked.queries)
    return {name: value for name, value in params.items() if value}


def _each(values: Iterable[str]) -> str:
    found = list(values)
    return found[0] if len(found) == 1 else "".join(f"({value})" for value in found)


def _filter_text(query: Query) -> str:
    return "" if query.filter is None else etree.tostring(query.filter, encoding="unicode", with_tail=False)
