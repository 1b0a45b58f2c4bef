"""GetFeature: read the request, ask the sources, stream the answer."""

from __future__ import annotations

from dataclasses import replace

from qgserver.ows.operations import OperationContext, operation
from qgserver.ows.wfs.answer import Answer
from qgserver.ows.wfs.formats import find_format
from qgserver.ows.wfs.paging import paged
from qgserver.ows.wfs.params import require_version
from qgserver.ows.wfs.query import not_found
from qgserver.ows.wfs.reading import read_request, select_all, totals, with_features
from qgserver.web.response import Response, attached, stream


@operation("WFS", "GetFeature")
def get_feature(context: OperationContext) -> Response:
    """The features, streamed batch by batch."""
    require_version(context.request)
    asked = read_request(context)
    form = find_format(asked.params.output_format, context.version)
    if form.extension and asked.params.result_type == "HITS":
        form = find_format("", context.version)  # a file of features has no place for their number
    selections = select_all(context, asked, form.crs)
    types = tuple(dict.fromkeys(found.type.name for found in selections))
    answer = Answer(context.service_url, types, single=asked.single)
    if asked.params.result_type == "HITS":
        found = totals(selections, asked.params)
        answer = replace(answer, count=sum(total.returned for total in found), totals=found)
    else:
        answer = replace(answer, max_file_bytes=context.settings.max_file_bytes)
        answer = with_features(answer, selections, asked.params, form)
        if asked.single and not sum(total.matched for total in answer.totals):
            raise not_found(next(iter(asked.queries[0].fids or ()), ""))
    response = stream(form.encode(paged(answer, context, asked)), form.content_type)
    return attached(response, _file_name(answer) + form.extension) if form.extension else response


def _file_name(answer: Answer) -> str:
    return answer.type_names[0] if len(answer.type_names) == 1 else "features"
