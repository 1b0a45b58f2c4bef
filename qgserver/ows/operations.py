"""The table of requests: (SERVICE, REQUEST) -> function, and what such a function is given.

@operation("WMS", "GetMap")
def get_map(context: OperationContext) -> Response: ...
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from qgserver.errors import OwsError, QgServerError
from qgserver.project.model import Project
from qgserver.providers import Sources
from qgserver.settings import Settings
from qgserver.web.request import Request
from qgserver.web.response import Response


@dataclass(frozen=True, slots=True)
class OperationContext:
    """All that an operation may know.

    ``service_url`` is the public address of this service without a trailing ``?`` or ``&`` (its query, if any, holds
    ``MAP``); ``version`` is the protocol version the answer is in, already negotiated.
    """

    request: Request
    project: Project
    settings: Settings
    sources: Sources
    service_url: str
    version: str


Run = Callable[[OperationContext], Response]
OnError = Callable[[OperationContext, QgServerError], Response | None]


@dataclass(frozen=True, slots=True)
class Operation:
    """One request of one service. ``versions`` (empty = all) restricts it. ``on_error`` may give an answer of its own
    to an error (INIMAGE), or None for the exception document of the service."""

    service: str
    name: str
    run: Run
    versions: tuple[str, ...] = ()
    on_error: OnError | None = None


@dataclass(frozen=True, slots=True)
class Service:
    """A service, its versions (lowest first) and the one answered when none is asked for."""

    name: str
    versions: tuple[str, ...]
    default: str


SERVICES = {
    service.name: service
    for service in (
        Service("WMS", ("1.1.1", "1.3.0"), "1.3.0"),
        Service("WFS", ("1.0.0", "1.1.0"), "1.1.0"),
    )
}

_operations: dict[tuple[str, str], Operation] = {}


def operation(
    service: str, *names: str, versions: tuple[str, ...] = (), on_error: OnError | None = None
) -> Callable[[Run], Run]:
    """Decorator: make a function the answer to REQUEST=name (any case) of a service, under every name given."""

    def add(run: Run) -> Run:
        for name in names:
            key = (service, name.upper())
            if key in _operations:
                raise ValueError(f"{service} {name} is registered twice")
            _operations[key] = Operation(service, name, run, versions, on_error)
        return run

    return add


def operations(service: str, version: str) -> Iterator[Operation]:
    """The operations of a service in one version, in order of registration."""
    for found in _operations.values():
        if found.service == service and (not found.versions or version in found.versions):
            yield found


def service_of(request: Request) -> str:
    """The service a request is for ("" = none that we have). Without SERVICE, the only one that knows such a request
    and may do without it: WMS requires SERVICE of GetCapabilities alone (WMS 1.3.0 clause 7.3.2)."""
    asked = request.get("SERVICE").strip().upper()
    if asked:
        return asked if asked in SERVICES else ""
    name = request.get("REQUEST").strip().upper()
    return "WMS" if name not in ("GETCAPABILITIES", "") and ("WMS", name) in _operations else ""


def find_operation(service: str, name: str, version: str) -> Operation:
    """The operation, or ``OwsError``: MissingParameterValue without a name, OperationNotSupported (501) when unknown."""
    if not name.strip():
        raise OwsError("MissingParameterValue", "The REQUEST parameter is missing.", locator="REQUEST")
    found = _operations.get((service, name.strip().upper()))
    if found is None or (found.versions and version not in found.versions):
        raise OwsError("OperationNotSupported", f"Request {name[:80]} is not supported.", locator="REQUEST", status=501)
    return found


def negotiate(service: str, asked: str) -> str:
    """The version to answer in: the one asked for; else the highest below it; else the lowest (WMS 1.3.0 clause 6.2.4).
    Without a valid number, the default of the service."""
    known = SERVICES[service]
    number = _number(asked)
    if number is None:
        return known.default
    lower = [version for version in known.versions if (_number(version) or ()) <= number]
    return lower[-1] if lower else known.versions[0]


def _number(version: str) -> tuple[int, ...] | None:
    parts = version.strip().split(".")
    if not 1 <= len(parts) <= 3 or not all(part.isascii() and part.isdigit() and len(part) < 5 for part in parts):
        return None
    return tuple(int(part) for part in parts)
