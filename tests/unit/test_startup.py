"""What a server loads before and with its first map: mod_fcgid and restarts pay for it once per process."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]

_START = """
import os, sys
import qgserver.wsgi
assert os.environ["OPENBLAS_NUM_THREADS"]
"""
_NOT_YET = """
loaded = {"PIL", "fiona", "numpy.ma", "psycopg", "pyogrio", "pyproj", "shapely", "qgserver.ows.wfs.capabilities"}
assert not loaded & set(sys.modules), loaded & set(sys.modules)
"""
_FIRST_MAP = """
from io import BytesIO
query = "SERVICE=WMS&VERSION=1.1.1&REQUEST=GetMap&LAYERS=borders&STYLES=&SRS=EPSG:4326&BBOX=-20,30,40,70"
answer = []
environ = {
    "REQUEST_METHOD": "GET", "QUERY_STRING": query + "&WIDTH=120&HEIGHT=80&FORMAT=image/png", "SCRIPT_NAME": "",
    "SERVER_NAME": "localhost", "SERVER_PORT": "80", "SERVER_PROTOCOL": "HTTP/1.1", "wsgi.url_scheme": "http",
    "wsgi.input": BytesIO(), "QGIS_PROJECT_FILE": sys.argv[1],
}
b"".join(qgserver.wsgi.application(environ, lambda status, headers, error=None: answer.append(status)))
assert answer == ["200 OK"], answer
loaded = {"fiona", "numpy.ma", "psycopg", "pyogrio", "pyproj", "shapely", "qgserver.ows.wfs.capabilities"}
assert not loaded & set(sys.modules), loaded & set(sys.modules)
"""


def test_a_server_starts_with_what_the_first_map_needs() -> None:
    project = ROOT / "fixtures/demo/world.qgs"
    subprocess.run([sys.executable, "-c", _START + _NOT_YET + _FIRST_MAP, str(project)], check=True, timeout=60)
