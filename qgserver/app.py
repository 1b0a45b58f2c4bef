"""The application: environ -> settings, project, operation -> response; the one error border, the one access line."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import qgserver.ows.wfs
import qgserver.ows.wms.getmap  # noqa: F401  (other operations at first use; this one before a server forks)
from qgserver.errors import ExpressionError, OwsError, ProjectError, ProviderError, QgServerError
from qgserver.ows.documents import DocumentCache
from qgserver.ows.exceptions import exception_response, report
from qgserver.ows.operations import (
    Operation,
    OperationContext,
    check_service,
    find_operation,
    negotiate,
    service_of,
)
from qgserver.ows.wms.published import visible_names
from qgserver.project.choose import choose_project
from qgserver.project.model import Project
from qgserver.project.store import ProjectStore
from qgserver.providers import Sources
from qgserver.settings import Settings
from qgserver.web.request import Request, read_request
from qgserver.web.response import Response, finish, preflight
from qgserver.web.viewer import static_file, viewer_page

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

log = logging.getLogger("qgserver")
access = logging.getLogger("qgserver.access")

LEVELS = {0: logging.INFO, 1: logging.WARNING}


def create_application(settings: Settings | None = None) -> Application:
    """The application of the process's environment, with its log set up. Opens nothing: projects and data sources
    are opened by the first request that needs them, so it may be made before a server forks."""
    settings = Settings.from_environ() if settings is None else settings
    handler = logging.FileHandler(settings.log_file) if settings.log_file else logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s [%(process)d] %(message)s"))
    log.handlers[:] = [handler]
    log.setLevel(LEVELS.get(settings.log_level, logging.ERROR))
    log.propagate = False
    return Application(settings)


@dataclass(slots=True)
class Exchange:
    """What becomes known of one request on its way, for the error border and for the log."""

    id: str = field(default_factory=lambda: os.urandom(4).hex())
    started: float = field(default_factory=time.perf_counter)
    request: Request = field(default_factory=Request)
    service: str = ""
    version: str = ""
    operation: Operation | None = None
    status: int = 0

    def log(self, size: int) -> None:
        """Write the access line; ``size`` bytes were sent."""
        params = self.request.params
        layers = params.get("LAYERS") or params.get("LAYER") or params.get("TYPENAME") or params.get("TYPENAMES") or "-"
        access.info(
            "%s %s %s %s layers=%s status=%d bytes=%d ms=%.1f",
            self.id,
            self.service or "-",
            self.version or "-",
            self.operation.name if self.operation else "-",
            one_line(layers, 200).replace(" ", "_"),
            self.status,
            size,
            (time.perf_counter() - self.started) * 1000,
        )


class Application:
    """The WSGI callable. One per process; safe for several threads."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.store = ProjectStore(settings)
        self.sources = Sources(
            cache_bytes=settings.cache_bytes,
            statement_timeout_ms=settings.max_seconds * 1000,
            ignore_absent=settings.ignore_bad_layers,
            remote_hosts=settings.remote_hosts,
        )
        self.documents = DocumentCache(settings.capabilities_cache_size)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        exchange = Exchange()
        response = finish(self._respond(environ, exchange), exchange.request, self.settings.cors)
        exchange.status = response.status_code
        if not response.is_streamed:
            exchange.log(response.calculate_content_length() or 0)
        return response(environ, start_response)

    def _respond(self, environ: WSGIEnvironment, exchange: Exchange) -> Response:
        """The one border: whatever goes wrong beyond it becomes an answer here."""
        try:
            response = self._answer(environ, exchange)
            if response.is_streamed:
                response.response = _Stream(response.response, exchange)
            return response
        except Exception as error:
            _log_error(error, exchange)
            found = report(error, exchange.id)
            on_error = exchange.operation.on_error if exchange.operation else None
            own = on_error(exchange.request, found) if on_error else None
            return own or exception_response(found, exchange.service, exchange.version)

    def _answer(self, environ: WSGIEnvironment, exchange: Exchange) -> Response:
        request = exchange.request = read_request(environ, self.settings.max_body_bytes)
        if request.method == "OPTIONS":
            return preflight(request)
        if request.method not in ("GET", "HEAD", "POST"):
            raise OwsError("OperationNotSupported", "This method is not supported.", status=405)
        if "STATIC" in request.params and "SERVICE" not in request.params:
            return static_file(request)
        if request.params.keys() <= {"MAP"}:
            return self._page(request)
        service = exchange.service = service_of(request)
        version = exchange.version = negotiate(service, request) if service else ""
        check_service(request, service)
        operation = exchange.operation = find_operation(service, request.get("REQUEST"), version)
        project = self._project(request)
        return operation.run(
            OperationContext(
                request=request,
                project=project,
                settings=self.settings,
                sources=self.sources,
                service=service,
                version=version,
                documents=self.documents,
            )
        )

    def _project(self, request: Request) -> Project:
        return self.store.get(choose_project(request.get("MAP"), request.env, self.settings))

    def _page(self, request: Request) -> Response:
        """The page at the bare address; it is there without a project too."""
        try:
            project = self._project(request)
        except ProjectError as error:
            log.info("no project for the page: %s", one_line(error.detail))
            return viewer_page()
        crs = project.crs.authid if project.crs else ""
        return viewer_page(project.service.title or project.title, visible_names(project), crs)


class _Stream:
    """The chunks of a streamed answer. The first is made at once, where an error can still be told as one; a later
    error is logged and breaks the connection, so that the client cannot take half an answer for a whole one."""

    def __init__(self, chunks: Iterable[Any], exchange: Exchange) -> None:
        self._chunks = chunks
        self._exchange = exchange
        self._size = 0
        self._rest = iter(chunks)
        try:
            self._first = next(self._rest, b"")
        except BaseException:
            self._close_source()
            raise

    def __iter__(self) -> Iterator[bytes]:
        self._size = len(self._first)
        yield self._first
        try:
            for chunk in self._rest:
                self._size += len(chunk)
                yield chunk
        except Exception as error:
            _log_error(error, self._exchange)
            raise

    def close(self) -> None:
        self._close_source()
        self._exchange.log(self._size)

    def _close_source(self) -> None:
        close = getattr(self._chunks, "close", None)
        if close is not None:
            close()


def _log_error(error: Exception, exchange: Exchange) -> None:
    if isinstance(error, OwsError | ExpressionError):
        log.info("%s %s", exchange.id, one_line(error.message))
    elif isinstance(error, QgServerError):
        layer = f"layer {error.layer}: " if isinstance(error, ProviderError) and error.layer else ""
        detail = f" ({error.detail})" if error.detail else ""
        log.warning("%s %s", exchange.id, one_line(f"{layer}{error.message}{detail}"))
    else:
        log.error("%s %s", exchange.id, type(error).__name__, exc_info=error)


def one_line(text: str, limit: int = 1000) -> str:
    """Text for the log: nothing a client sends may end the line, hide in it or fill the disk."""
    text = text[:limit]
    return text if text.isprintable() else "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)
