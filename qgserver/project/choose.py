"""Which project a request is for. Pure but for resolving symbolic links; opening the project is the store's."""

from __future__ import annotations

import functools
import logging
import os
from collections.abc import Iterator, Mapping

from qgserver.project.addresses import Address, administrators_address, clients_address, is_address
from qgserver.project.unavailable import unavailable
from qgserver.settings import Settings

log = logging.getLogger("qgserver")

VARIABLE = "QGIS_PROJECT_FILE"
ALIAS = "QGIS_PROJET_FILE"
ROOTS = "QGSERVER_PROJECT_ROOTS"
SUFFIXES = (".qgs", ".qgz")

_LONGEST = 4096


def choose_project(map_param: str | None, request_env: Mapping[str, str], settings: Settings) -> str | Address:
    """The project to serve, as ``ProjectStore.get`` takes it: an absolute path, or the address of a project in a
    database.

    ``MAP`` wins over ``QGIS_PROJECT_FILE`` of the request's environment (``SetEnv``, ``fastcgi_param``), which wins
    over that of the process. The two variables are the administrator's and name any project; ``MAP`` is the client's
    and names one inside ``QGSERVER_PROJECT_ROOTS`` or ``QGSERVER_PROJECT_DATABASES``. Raises ``ProjectError``, the same
    whatever is wrong.
    """
    default = _default_project(request_env, settings)
    if map_param and len(map_param) <= _LONGEST and is_address(map_param):
        return clients_address(map_param, settings.project_databases)
    if map_param:
        return _inside_roots(map_param, _roots(default, request_env, settings))
    if not default:
        raise unavailable(f"the request names no project (MAP), and {VARIABLE} is not set")
    return administrators_address(default) if is_address(default) else os.path.abspath(default)


def _default_project(request_env: Mapping[str, str], settings: Settings) -> str:
    """The administrator's project: of the request, else of the process; the misspelt variable counts last in each."""
    for name, alias in (
        (request_env.get(VARIABLE, ""), request_env.get(ALIAS, "")),
        (settings.project_file, settings.project_file_alias),
    ):
        if name:
            return name
        if alias:
            _warn_of_alias()
            return alias
    return ""


@functools.cache
def _warn_of_alias() -> None:
    log.warning("the variable %s is a misspelling: call it %s", ALIAS, VARIABLE)


def _roots(default: str, request_env: Mapping[str, str], settings: Settings) -> tuple[str, ...]:
    """Directories that MAP may reach into: those of the request's environment, which is the web server's
    (``fastcgi_param``), else of the process, else that of the default project."""
    roots = tuple(filter(None, request_env.get(ROOTS, "").split(":"))) or settings.project_roots
    if not roots and default and not is_address(default):
        roots = (os.path.dirname(os.path.abspath(default)),)
    return roots


def _inside_roots(name: str, roots: tuple[str, ...]) -> str:
    """The file that MAP names. A relative name is looked for in each root; the file need not exist."""
    shown = ascii(name[:200])
    if len(name) > _LONGEST or not _is_file_name(name):
        raise unavailable(f"MAP={shown} is no file name")
    if not name.lower().endswith(SUFFIXES):
        raise unavailable(f"MAP={shown} ends neither in .qgs nor in .qgz")
    if not roots:
        raise unavailable(f"MAP={shown} is refused: set QGSERVER_PROJECT_ROOTS")
    path = _allowed(name, roots, tuple(map(_file_at, (*roots, *_candidates(name, roots)))))
    if not path:
        raise unavailable(f"MAP={shown} is outside QGSERVER_PROJECT_ROOTS")
    return path


_Identity = tuple[int, int, int] | None


def _file_at(path: str) -> _Identity:
    """Which file or directory a path leads to (device, inode, time of the last change to either), None = to none."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino, found.st_ctime_ns


@functools.lru_cache(maxsize=256)
def _allowed(name: str, roots: tuple[str, ...], leads_to: tuple[_Identity, ...]) -> str:
    """The path of the file, with all symbolic links looked at; "" when none is inside the roots. Looking costs more
    than all else here: it is done again when the roots or the file are others (``leads_to``) than the last time."""
    real = tuple(map(os.path.realpath, roots))
    allowed = [path for path in _candidates(name, real) if _is_below(os.path.realpath(path), real)]
    return next(filter(os.path.exists, allowed), allowed[0]) if allowed else ""


def _is_file_name(name: str) -> bool:
    try:
        return b"\0" not in os.fsencode(name)
    except UnicodeEncodeError:
        return False


def _candidates(name: str, roots: tuple[str, ...]) -> Iterator[str]:
    """Absolute, without ``..``: what is checked is what is opened."""
    for root in roots:
        yield os.path.normpath(os.path.join(root, name))


def _is_below(path: str, roots: tuple[str, ...]) -> bool:
    return any(os.path.commonpath((path, root)) == root for root in roots)
