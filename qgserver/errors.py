"""The exception tree, and the list of what a project holds that we cannot serve.

    QgServerError
    ├── OwsError(code, locator, status)  a request that OGC has a word for; raised in ``web`` and ``ows`` only
    ├── ProjectError                     the project cannot be found, read or parsed
    ├── ProviderError                    a data source is down, gone or broken
    └── ExpressionError                  an expression does not parse or cannot be evaluated

Lower rooms know no OGC word; ``qgserver.ows.exceptions`` maps classes to codes and HTTP states.
Messages of these errors may reach the client: they never hold a password, a path or a connection string.
What only the administrator may see goes into ``detail``, which is logged.
"""

from __future__ import annotations

from dataclasses import dataclass, field


class QgServerError(Exception):
    """Base of all errors we raise on purpose. ``message`` is for the client, ``detail`` for the log."""

    def __init__(self, message: str, *, detail: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.detail = detail


class OwsError(QgServerError):
    """An OGC exception: ``code`` (e.g. ``LayerNotDefined``), ``locator`` (a parameter name) and HTTP status."""

    def __init__(self, code: str, message: str, *, locator: str = "", status: int = 400, detail: str = "") -> None:
        super().__init__(message, detail=detail)
        self.code = code
        self.locator = locator
        self.status = status


class ProjectError(QgServerError):
    """The project is absent, unreadable, refused or broken. All of these look alike to a client."""


class ProviderError(QgServerError):
    """A data source failed; ``layer`` is filled in by whoever knows which published layer it is."""

    def __init__(self, message: str, *, layer: str = "", detail: str = "") -> None:
        super().__init__(message, detail=detail)
        self.layer = layer


class ExpressionError(QgServerError):
    """Syntax (``position`` is the offset in the text, -1 when unknown) or evaluation error of an expression."""

    def __init__(self, message: str, *, position: int = -1) -> None:
        super().__init__(message)
        self.position = position


@dataclass(frozen=True, slots=True)
class Problem:
    """Something in a project that is not served or not drawn: the layer's name ("" = the project), the XML
    element or symbol-layer class, and why."""

    layer: str
    element: str
    reason: str


@dataclass(slots=True)
class Problems:
    """Collects each problem once while a project is read. ``strict`` (tests) raises instead."""

    strict: bool = False
    items: dict[Problem, int] = field(default_factory=dict)

    def add(self, layer: str, element: str, reason: str) -> None:
        """Note one problem, counting repetitions."""
        problem = Problem(layer, element, reason)
        if self.strict:
            raise ProjectError(f"{layer}: {element}: {reason}")
        self.items[problem] = self.items.get(problem, 0) + 1
