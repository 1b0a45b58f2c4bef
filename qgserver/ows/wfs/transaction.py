"""Transaction (WFS 1.x clause 12, 2.0 clause 15): Insert, Update, Replace, Delete; the whole request or nothing."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from qgserver.errors import OwsError
from qgserver.ows.operations import OperationContext, operation
from qgserver.ows.wfs.params import require_version
from qgserver.ows.wfs.transactionread import read_transaction
from qgserver.ows.wfs.transactionrun import Result, run
from qgserver.ows.xmlio import DECLARATION, attributes, element, optional
from qgserver.web.response import Response

log = logging.getLogger("qgserver")

XML = "text/xml; charset=utf-8"
REFUSED = 403


@operation("WFS", "Transaction")
def transaction(context: OperationContext) -> Response:
    """Carry the request out and tell the new ids. What is wrong with the request itself, or not permitted, is an
    exception in every version; an action that failed is one since 1.1.0 and a FAILED in 1.0.0."""
    request = context.request
    require_version(request)
    if request.method == "HEAD":  # asks what GET would answer, and must change nothing
        raise OwsError("OperationNotSupported", "A transaction is sent by POST.", locator="request", status=405)
    actions = read_transaction(request, context.version, context.settings.max_transaction_features)
    try:
        result = run(actions, context)
    except OwsError as error:
        if error.detail:
            # %r: what a client sends must not end the line.
            log.warning("Transaction: %r: %s %r", error.locator, error.message, error.detail[:1000])
        if context.version != "1.0.0" or error.status == REFUSED:
            raise
        return _answer(_failed_100(error))
    return _answer(_WRITERS[context.version](result))


def _answer(text: str) -> Response:
    response = Response(text, content_type=XML)
    response.headers["Cache-Control"] = "no-store"
    return response


_HEAD = (
    DECLARATION
    + '<{root} version="{version}" xmlns="http://www.opengis.net/wfs" xmlns:ogc="http://www.opengis.net/ogc"'
    ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
    ' xsi:schemaLocation="http://www.opengis.net/wfs http://schemas.opengis.net/wfs/{schema}">\n'
)


def _handle(text: str) -> str:
    return attributes({"handle": text}) if text else ""


def _ids(ids: tuple[str, ...]) -> str:
    return "".join(element("ogc:FeatureId", "", fid=fid) for fid in ids)


def _response_100(inserted: str, outcome: str) -> str:
    head = _HEAD.format(root="WFS_TransactionResponse", version="1.0.0", schema="1.0.0/WFS-transaction.xsd")
    return f"{head}{inserted}{outcome}</WFS_TransactionResponse>\n"


def _done_100(result: Result) -> str:
    inserted = "".join(
        f"<InsertResult{_handle(handle)}>{_ids(ids)}</InsertResult>\n" for handle, ids in result.inserted
    )
    return _response_100(inserted, "<TransactionResult><Status><SUCCESS/></Status></TransactionResult>\n")


def _failed_100(error: OwsError) -> str:
    told = optional("Locator", error.locator) + element("Message", error.message)
    return _response_100("", f"<TransactionResult><Status><FAILED/></Status>{told}</TransactionResult>\n")


_TOTALS = {"Insert": "totalInserted", "Update": "totalUpdated", "Delete": "totalDeleted"}


def _done_110(result: Result) -> str:
    totals = "".join(element(name, str(result.counts[kind])) for kind, name in _TOTALS.items() if kind in result.counts)
    # One Feature for each new one, with the handle of its Insert (clause 12.4.4).
    features = "".join(
        f"<Feature{_handle(handle)}>{_ids((fid,))}</Feature>\n" for handle, ids in result.inserted for fid in ids
    )
    inserted = f"<InsertResults>\n{features}</InsertResults>\n" if features else ""
    head = _HEAD.format(root="TransactionResponse", version="1.1.0", schema="1.1.0/wfs.xsd")
    return f"{head}<TransactionSummary>{totals}</TransactionSummary>\n{inserted}</TransactionResponse>\n"


_TOTALS_200 = {
    "Insert": "totalInserted",
    "Update": "totalUpdated",
    "Replace": "totalReplaced",
    "Delete": "totalDeleted",
}


def _done_200(result: Result) -> str:
    totals = "".join(
        f"<wfs:{name}>{result.counts[kind]}</wfs:{name}>" for kind, name in _TOTALS_200.items() if kind in result.counts
    )
    return (
        DECLARATION + '<wfs:TransactionResponse version="2.0.0" xmlns:wfs="http://www.opengis.net/wfs/2.0"'
        ' xmlns:fes="http://www.opengis.net/fes/2.0" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
        ' xsi:schemaLocation="http://www.opengis.net/wfs/2.0 http://schemas.opengis.net/wfs/2.0/wfs.xsd">\n'
        f"<wfs:TransactionSummary>{totals}</wfs:TransactionSummary>\n"
        f"{_results_200('InsertResults', result.inserted)}{_results_200('ReplaceResults', result.replaced)}"
        "</wfs:TransactionResponse>\n"
    )


def _results_200(name: str, done: Sequence[tuple[str, tuple[str, ...]]]) -> str:
    """One Feature for each, with the handle of its action, in the order of the request (clause 15.3.4)."""
    features = "".join(
        f"<wfs:Feature{_handle(handle)}>{element('fes:ResourceId', '', rid=fid)}</wfs:Feature>\n"
        for handle, ids in done
        for fid in ids
    )
    return f"<wfs:{name}>\n{features}</wfs:{name}>\n" if features else ""


_WRITERS = {"1.0.0": _done_100, "1.1.0": _done_110, "2.0.0": _done_200}
