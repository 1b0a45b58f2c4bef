"""The table of requests: (SERVICE, REQUEST) -> function, and what such a function is given.

@operation("WMS", "GetMap")
def get_map(context: OperationContext) -> Response: ...
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from qgserver.errors import OwsError
from qgserver.ows.documents import DocumentCache
from qgserver.ows.exceptions import Report
from qgserver.project.model import Project
from qgserver.providers import Sources
from qgserver.settings import Settings
from qgserver.web.request import Request
from qgserver.web.response import Response
from qgserver.web.service_url import service_url as address_of


@dataclass(frozen=True, slots=True)
class OperationContext:
    """All that an operation may know.

    ``service`` is the one asked; ``version`` is the protocol version the answer is in, already negotiated.
    ``documents`` keeps capabilities and the like from one request to the next.
    """

    request: Request
    project: Project
    settings: Settings
    sources: Sources
    service: str
    version: str
    documents: DocumentCache

    @property
    def service_url(self) -> str:
        """The public address of this service without a trailing ``?`` or ``&``; its query, if any, holds ``MAP``."""
        own = {"WMS": self.project.wms.url, "WFS": self.project.wfs.url}.get(self.service, "")
        return address_of(self.request, self.settings, self.service, own)


Run = Callable[[OperationContext], Response]
Formats = Callable[[str], tuple[str, ...]]
OnError = Callable[[Request, Report], Response | None]


@dataclass(frozen=True, slots=True)
class Operation:
    """One request of one service. ``versions`` (empty = all) restricts it. ``formats`` gives, for a version, the
    formats that capabilities list (an operation without any is not listed). ``on_error`` may give an answer of its own
    to an error (INIMAGE), or None for the exception document of the service."""

    service: str
    name: str
    run: Run
    versions: tuple[str, ...] = ()
    formats: Formats | None = None
    on_error: OnError | None = None


@dataclass(frozen=True, slots=True)
class Service:
    """A service, its versions (lowest first) and the one answered when none is asked for. ``negotiates``: clients may
    send AcceptVersions with GetCapabilities (OWS Common 1.0 clause 7.3.2)."""

    name: str
    versions: tuple[str, ...]
    default: str
    negotiates: bool = False


SERVICES = {
    service.name: service
    for service in (
        Service("WMS", ("1.1.1", "1.3.0"), "1.3.0"),
        Service("WFS", ("1.0.0", "1.1.0", "2.0.0"), "1.1.0", negotiates=True),
    )
}

_operations: dict[tuple[str, str], Operation] = {}
_modules: dict[tuple[str, str], str] = {}
"""(service, name in upper case) -> the module that registers the operation when it is imported."""


def locate(service: str, modules: Mapping[str, str]) -> None:
    """Say where the operations of a service are: name -> module, imported by the first request for it, so that who only
    draws maps need not wait for all else. Capabilities list them in this order."""
    _modules.update({(service, name.upper()): module for name, module in modules.items()})


def _load(key: tuple[str, str]) -> Operation | None:
    if key not in _operations and key in _modules:
        importlib.import_module(_modules[key])
    return _operations.get(key)


def operation(
    service: str,
    *names: str,
    versions: tuple[str, ...] = (),
    formats: Formats | None = None,
    on_error: OnError | None = None,
) -> Callable[[Run], Run]:
    """Decorator: make a function the answer to REQUEST=name (any case) of a service, under every name given; the first
    is the one that capabilities tell."""

    def add(run: Run) -> Run:
        made = Operation(service, names[0], run, versions, formats, on_error)
        for name in names:
            key = (service, name.upper())
            if key in _operations:
                raise ValueError(f"{service} {name} is registered twice")
            _operations[key] = made
        return run

    return add


def operations(service: str, version: str) -> tuple[Operation, ...]:
    """The operations of a service in one version, each once."""
    keys = [key for key in dict.fromkeys((*_modules, *_operations)) if key[0] == service]
    unique = {found.name: found for found in map(_load, keys) if found is not None}
    return tuple(found for found in unique.values() if not found.versions or version in found.versions)


LEGACY = {"WMS": {"MAP": "GETMAP", "CAPABILITIES": "GETCAPABILITIES", "FEATURE_INFO": "GETFEATUREINFO"}}
"""Request names of WMS 1.0.0; without a version they are answered in the lowest."""


def service_of(request: Request) -> str:
    """The service a request is for, whether SERVICE says so or only one knows such a request; "" = none."""
    asked = request.get("SERVICE").strip()
    if asked:
        # Values count as they are written (WMS 1.3.0 clause 6.8.1), and QGIS takes no "wms" either.
        return asked if asked in SERVICES else ""
    name = request.get("REQUEST").strip().upper()
    if name == "GETCAPABILITIES":
        return "WFS"  # which says that SERVICE is missing in the form of each version; WMS has no code for that
    knowing = [service for service in SERVICES if _load((service, _modern(service, name))) is not None]
    return knowing[0] if len(knowing) == 1 else ""


def check_service(request: Request, service: str) -> None:
    """Raise ``OwsError`` unless the request names its service. Only WMS, and not for its capabilities, lets clients
    leave SERVICE out (WMS 1.3.0 tables 3 and 8; QGIS does the same)."""
    asked = request.get("SERVICE").strip()
    if asked and not service:
        raise OwsError("InvalidParameterValue", f"Service {asked[:80]} is not offered here.", locator="service")
    capabilities = request.get("REQUEST").strip().upper() == "GETCAPABILITIES"
    if not asked and (service != "WMS" or capabilities):
        raise OwsError("MissingParameterValue", "The SERVICE parameter is missing.", locator="service")


def find_operation(service: str, name: str, version: str) -> Operation:
    """The operation. ``OwsError``: MissingParameterValue without a name, OperationNotSupported (501) when unknown."""
    if not name.strip():
        raise OwsError("MissingParameterValue", "The REQUEST parameter is missing.", locator="request")
    found = _load((service, _modern(service, name.strip().upper())))
    if found is None or (found.versions and version not in found.versions):
        raise OwsError("OperationNotSupported", f"Request {name[:80]} is not supported.", locator="request", status=501)
    return found


def negotiate(service: str, request: Request) -> str:
    """The version to answer in: the one asked for; else the highest below it; else the lowest (WMS 1.3.0 clause 6.2.4).
    Without a valid number, the highest for capabilities of a service that negotiates, else its default. Raises
    ``OwsError`` VersionNegotiationFailed when a client accepts none of ours."""
    known = SERVICES[service]
    if known.negotiates and (accepted := request.get("ACCEPTVERSIONS")):
        for version in accepted.split(","):
            if version.strip() in known.versions:
                return version.strip()
        message = f"None of the versions {accepted[:80]} is offered."
        raise OwsError("VersionNegotiationFailed", message, locator="AcceptVersions")
    asked = _number(request.get("VERSION") or request.get("WMTVER"))
    if asked is None:
        if known.negotiates and request.get("REQUEST").strip().upper() == "GETCAPABILITIES":
            return known.versions[-1]  # OWS Common 1.1 clause 7.3.2: the highest
        old = request.get("REQUEST").strip().upper() in LEGACY.get(service, {})
        return known.versions[0] if old else known.default
    lower = [version for version in known.versions if (_number(version) or ()) <= asked]
    return lower[-1] if lower else known.versions[0]


def _modern(service: str, name: str) -> str:
    return LEGACY.get(service, {}).get(name, name)


@lru_cache(maxsize=64)
def _number(version: str) -> tuple[int, ...] | None:
    parts = version.strip().split(".")
    if not 1 <= len(parts) <= 3 or not all(part.isascii() and part.isdigit() and len(part) < 5 for part in parts):
        return None
    return tuple(int(part) for part in parts)
