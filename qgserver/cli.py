"""``qgserver``: serve one project at once, or say what in a project cannot be served.

Everything heavy is imported by the command that needs it: ``qgserver --version`` answers in a blink.
"""

from __future__ import annotations

import argparse
import os
import socket
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import qgserver

if TYPE_CHECKING:
    from qgserver.app import Application
    from qgserver.errors import ProjectError
    from qgserver.project.model import Project

_EXAMPLE_WIDTH = 900
PROJECT_HELP = ".qgs or .qgz file, or postgresql:?service=..&schema=..&project=.. or geopackage:FILE?projectName=.."


def main(arguments: Sequence[str] | None = None) -> int:
    """The console script ``qgserver``; returns its exit status."""
    options = _parser().parse_args(arguments)
    status: int = options.run(options)
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="qgserver", description="A QGIS Server in Python: WMS and WFS.")
    parser.add_argument("--version", action="version", version=f"qgserver {qgserver.__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    serve = commands.add_parser("serve", help="serve a project by HTTP until interrupted")
    serve.add_argument("project", metavar="PROJECT", help=PROJECT_HELP)
    serve.add_argument("--host", default="127.0.0.1", help="address to listen on (default %(default)s)")
    serve.add_argument("--port", type=int, default=8080, help="port, 0 for any free one (default %(default)s)")
    serve.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="processes (default %(default)s)")
    serve.add_argument("--quiet", action="store_true", help="log problems only, not each request")
    serve.set_defaults(run=_serve)
    check = commands.add_parser("check", help="list what in a project cannot be served or drawn")
    check.add_argument("project", metavar="PROJECT", help=PROJECT_HELP)
    check.add_argument("--offline", action="store_true", help="do not open files and databases")
    check.set_defaults(run=_check)
    return parser


def _serve(options: argparse.Namespace) -> int:
    import qgserver.process  # noqa: F401  (first: the others are slower and bigger without)
    from qgserver.app import create_application
    from qgserver.errors import ProjectError
    from qgserver.project.store import load_project
    from qgserver.settings import Settings

    reference = _reference(options.project)
    try:
        project = load_project(reference)
        listener = socket.create_server((options.host, options.port), backlog=1024)
    except ProjectError as error:
        return _fail(_reason(options.project, error))
    except OSError as error:
        return _fail(f"cannot listen on {options.host}:{options.port}: {error.strerror}")
    base = f"http://{_host(options.host)}:{listener.getsockname()[1]}/"
    for label, url in examples(project, base):
        print(f"{label:10} {url}", flush=True)
    settings = Settings.from_environ()
    settings = replace(settings, project_file=reference, log_level=settings.log_level if options.quiet else 0)
    _run_gunicorn(create_application(settings), listener, options.workers)
    return 0


def _reference(text: str) -> str:
    """The project as the settings name it: the address of one in a database, or the absolute path of a file."""
    from qgserver.project.addresses import is_address

    return text if is_address(text) else str(Path(text).resolve())


def _run_gunicorn(application: Application, listener: socket.socket, workers: int) -> None:
    from gunicorn.app.base import BaseApplication

    class Server(BaseApplication):  # type: ignore[misc]
        def load_config(self) -> None:
            choices: dict[str, Any] = {
                "bind": f"fd://{listener.detach()}",
                "workers": max(1, workers),
                "worker_class": "gthread",
                "threads": 4,
                "preload_app": True,
                "control_socket_disable": True,
                "loglevel": "warning",
            }
            for name, value in choices.items():
                self.cfg.set(name, value)

        def load(self) -> Application:
            return application

    Server().run()


def examples(project: Project, base: str) -> Iterator[tuple[str, str]]:
    """(What it is, URL) of one request of each kind that makes sense for this project, the viewer first."""
    from qgserver.ows.wfs.featuretype import feature_types
    from qgserver.ows.wms.published import published_tree, root_name

    yield "viewer", base
    yield "WMS", f"{base}?SERVICE=WMS&REQUEST=GetCapabilities"
    extent = project.wms.extent
    leaves = [leaf for leaf in published_tree(project).leaves() if leaf.node.checked]
    layers = ",".join(quote(leaf.layer.published) for leaf in reversed(leaves)) or quote(root_name(project))
    if extent is not None and project.crs is not None and extent.width > 0 and layers:
        height = max(1, min(2000, round(_EXAMPLE_WIDTH * extent.height / extent.width)))
        box = f"{extent.xmin:.12g},{extent.ymin:.12g},{extent.xmax:.12g},{extent.ymax:.12g}"
        yield (
            "map",
            f"{base}?SERVICE=WMS&VERSION=1.1.1&REQUEST=GetMap&LAYERS={layers}&STYLES=&SRS={project.crs.authid}"
            f"&BBOX={box}&WIDTH={_EXAMPLE_WIDTH}&HEIGHT={height}&FORMAT=image/png",
        )
    yield "WFS", f"{base}?SERVICE=WFS&REQUEST=GetCapabilities"
    for name in list(feature_types(project))[:1]:
        features = f"SERVICE=WFS&VERSION=1.1.0&REQUEST=GetFeature&TYPENAME={quote(name)}&MAXFEATURES=3"
        yield "features", f"{base}?{features}&OUTPUTFORMAT=GeoJSON"


def _check(options: argparse.Namespace) -> int:
    """0: all is served; 1: the table says what is not; 2: the project cannot be read."""
    from qgserver.errors import ProjectError
    from qgserver.project.check import report
    from qgserver.project.store import load_project
    from qgserver.providers import Sources

    try:
        project = load_project(_reference(options.project))
        problems = report(project, None if options.offline else Sources())
    except ProjectError as error:
        return _fail(_reason(options.project, error))
    if not problems:
        print("Everything in this project is served and drawn.")
        return 0
    rows = [
        ("LAYER", "ELEMENT", "REASON"),
        *((problem.layer or "-", problem.element, problem.reason) for problem in problems),
    ]
    layer_width, element_width = (max(len(row[column]) for row in rows) for column in (0, 1))
    for layer, element, reason in rows:
        print(f"{layer:{layer_width}}  {element:{element_width}}  {reason}")
    return 1


def _host(host: str) -> str:
    """A host as it stands in a URL: of "all addresses" one that can be asked, IPv6 in brackets."""
    if host in ("", "0.0.0.0", "::"):
        return "localhost"
    return f"[{host}]" if ":" in host else host


def _reason(project: str, error: ProjectError) -> str:
    """Why a project cannot be read. An address may hold a password: what is told of it is in the error."""
    told = error.detail or error.message
    return told if ":" in project.partition("/")[0] else f"{project}: {told}"


def _fail(reason: str) -> int:
    sys.stderr.write(f"qgserver: {reason}\n")
    return 2


if __name__ == "__main__":
    sys.exit(main())
