"""The one error for every project that is not served, so that nobody can probe the file system through it."""

from __future__ import annotations

from qgserver.errors import ProjectError

MESSAGE = "The project is not available."


def unavailable(detail: str) -> ProjectError:
    """The error for a project that is absent, refused, unreadable or broken: clients get the same words for all of
    them, ``detail`` (paths, reasons) is for the log."""
    return ProjectError(MESSAGE, detail=detail)
