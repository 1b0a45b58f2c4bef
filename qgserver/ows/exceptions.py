"""Errors as OGC exceptions: which code and HTTP status each class has, and one writer for each dialect."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from qgserver.errors import ExpressionError, OwsError, ProjectError, ProviderError, QgServerError
from qgserver.ows.xmlio import DECLARATION, attributes, escape
from qgserver.web.response import Response


@dataclass(frozen=True, slots=True)
class Report:
    """An error as the client will see it."""

    code: str
    message: str
    locator: str = ""
    status: int = 500


STATES: dict[type[QgServerError], tuple[str, int]] = {
    ProjectError: ("NoApplicableCode", 500),
    ProviderError: ("NoApplicableCode", 500),
    ExpressionError: ("InvalidParameterValue", 400),
}
"""Code and HTTP status of errors that lower rooms raise; an ``OwsError`` brings its own."""


def report(error: Exception, request_id: str = "") -> Report:
    """What the client is told. Of an unforeseen error only the id under which the log has it."""
    if isinstance(error, OwsError):
        return Report(error.code, error.message, error.locator, error.status)
    for kind, (code, status) in STATES.items():
        if isinstance(error, kind):
            layer = f"Layer '{error.layer}': " if isinstance(error, ProviderError) and error.layer else ""
            return Report(code, layer + error.message, "", status)
    return Report("NoApplicableCode", f"Internal error; the administrator finds it in the log as {request_id}.")


def _se_111(found: Report) -> str:
    # WMS 1.1.1 annex A.2: exception_1_1_1.dtd; no namespace.
    return (
        f"{DECLARATION}<!DOCTYPE ServiceExceptionReport SYSTEM "
        '"http://schemas.opengis.net/wms/1.1.1/exception_1_1_1.dtd">\n'
        '<ServiceExceptionReport version="1.1.1">\n'
        f" <ServiceException{attributes({'code': found.code})}>{escape(found.message)}</ServiceException>\n"
        "</ServiceExceptionReport>\n"
    )


def _se_ogc(version: str, schema: str) -> Callable[[Report], str]:
    def write(found: Report) -> str:
        return (
            f'{DECLARATION}<ServiceExceptionReport version="{version}" xmlns="http://www.opengis.net/ogc" '
            'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
            f'xsi:schemaLocation="http://www.opengis.net/ogc {schema}">\n'
            f" <ServiceException{_attributes('code', found)}>{escape(found.message)}</ServiceException>\n"
            "</ServiceExceptionReport>\n"
        )

    return write


def _attributes(code: str, found: Report) -> str:
    return attributes({code: found.code} | ({"locator": found.locator} if found.locator else {}))


def _ows(namespace: str, version: str, schema: str) -> Callable[[Report], str]:
    def write(found: Report) -> str:
        return (
            f'{DECLARATION}<ExceptionReport version="{version}" xmlns="{namespace}" '
            'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
            f'xsi:schemaLocation="{namespace} {schema}">\n'
            f" <Exception{_attributes('exceptionCode', found)}>\n"
            f"  <ExceptionText>{escape(found.message)}</ExceptionText>\n </Exception>\n</ExceptionReport>\n"
        )

    return write


@dataclass(frozen=True, slots=True)
class Dialect:
    """How one version of one service writes exceptions."""

    content_type: str
    write: Callable[[Report], str]


_SCHEMAS = "http://schemas.opengis.net"
_OWS_10 = Dialect(
    "text/xml; charset=utf-8",
    _ows("http://www.opengis.net/ows", "1.0.0", f"{_SCHEMAS}/ows/1.0.0/owsExceptionReport.xsd"),
)

DIALECTS: dict[tuple[str, str], Dialect] = {
    ("WMS", "1.1.1"): Dialect("application/vnd.ogc.se_xml", _se_111),
    ("WMS", "1.3.0"): Dialect(
        "text/xml; charset=utf-8", _se_ogc("1.3.0", f"{_SCHEMAS}/wms/1.3.0/exceptions_1_3_0.xsd")
    ),
    ("WFS", "1.0.0"): Dialect("text/xml; charset=utf-8", _se_ogc("1.2.0", f"{_SCHEMAS}/wfs/1.0.0/OGC-exception.xsd")),
    ("WFS", "1.1.0"): _OWS_10,
    ("WFS", "2.0.0"): Dialect(
        "text/xml; charset=utf-8",
        _ows("http://www.opengis.net/ows/1.1", "2.0.0", f"{_SCHEMAS}/ows/1.1.0/owsExceptionReport.xsd"),
    ),
}


def exception_response(found: Report, service: str, version: str) -> Response:
    """The answer to an error in the dialect of the service and version; OWS 1.0 where no service is known."""
    dialect = DIALECTS.get((service, version), _OWS_10)
    return Response(dialect.write(found), status=found.status, content_type=dialect.content_type)
