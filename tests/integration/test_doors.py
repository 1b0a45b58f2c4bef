"""Every recipe of ``deploy/`` on a real Apache or NGINX, asked what clients ask."""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

import pytest
from doors import ROOT, Doors, Site, need, wait

pytestmark = pytest.mark.server

RECIPES = ("apache/qgserver-fcgid", "apache/qgserver-proxy", "nginx/qgserver-fastcgi", "nginx/qgserver-proxy")
TAKES_RAW_UTF8 = ("apache/qgserver-fcgid", "nginx/qgserver-fastcgi")  # gunicorn refuses it
MAP = "SERVICE=WMS&VERSION=1.3.0&REQUEST=GetMap&CRS=EPSG:4326&BBOX=40,0,55,20&WIDTH=200&HEIGHT=150&FORMAT=image/png"
PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture(scope="module", params=RECIPES)
def site(request: pytest.FixtureRequest, doors: Doors) -> Iterator[Site]:
    need("apache2" if request.param.startswith("apache") else "nginx", "spawn-fcgi", "curl")
    with doors.run(request.param) as running:
        yield running


def more(projects: Path) -> str:
    return quote(str(projects / "more" / "flüsse.qgs"), safe="/")


def test_it_serves_the_default_project_at_its_own_address(site: Site) -> None:
    answer = site.ask("SERVICE=WMS&REQUEST=GetCapabilities")
    assert answer.status == 200, site.log()
    assert "<Title>The world</Title>" in answer.text
    assert f'xlink:href="{site.base}?' in answer.text
    assert site.ask(f"{MAP}&LAYERS=countries&STYLES=").body.startswith(PNG)


def readme_requests() -> Iterator[list[str]]:
    """The words of each curl command in README.md; a command ends with the line that closes its quotes."""
    pending = ""
    for line in (ROOT / "README.md").read_text().splitlines():
        pending = pending + line + "\n" if pending else line if line.startswith("curl ") else ""
        if pending and pending.count("'") % 2 == 0:
            yield shlex.split(pending)
            pending = ""


def test_the_curls_of_the_readme_work(site: Site) -> None:
    commands = list(readme_requests())
    assert len(commands) >= 8
    for words in commands:
        command = [word.replace("http://127.0.0.1:8080/", site.base) for word in words]
        if "-o" in command:
            del command[command.index("-o") : command.index("-o") + 2]
        done = subprocess.run([*command, "--fail", "--silent"], capture_output=True, check=False)
        assert done.returncode == 0, command
        assert not re.search(rb"<(ServiceException|ExceptionReport|ows:ExceptionReport)", done.stdout), command
        assert len(done.stdout) > 200, command


def test_map_goes_over_the_default_project(site: Site, projects: Path) -> None:
    answer = site.ask(f"MAP={more(projects)}&SERVICE=WMS&REQUEST=GetCapabilities")
    assert "<Title>More of the world</Title>" in answer.text
    for outside in ("/etc/passwd", f"{projects}/../etc/passwd", f"{projects}/absent.qgs", f"{projects}/world.gpkg"):
        refused = site.ask(f"MAP={quote(outside)}&SERVICE=WMS&REQUEST=GetCapabilities")
        assert refused.status >= 400
        assert outside not in refused.text


def test_names_beyond_ascii(site: Site, projects: Path) -> None:
    name = "Flüsse"
    escaped = site.ask(f"MAP={more(projects)}&{MAP}&STYLES=&LAYERS={quote(name)}")
    assert escaped.body.startswith(PNG)
    raw = site.ask(f"MAP={more(projects)}&{MAP}&STYLES=&LAYERS={name}")
    assert raw.status == (200 if site.name in TAKES_RAW_UTF8 else 400)
    if raw.status == 200:
        assert raw.body == escaped.body


def test_a_large_answer_streams_whole(site: Site, projects: Path) -> None:
    query = f"MAP={more(projects)}&SERVICE=WFS&VERSION=1.1.0&REQUEST=GetFeature&TYPENAME=cities"
    with closing(site.open(query)) as response:
        size, tail = 0, b""
        while chunk := response.read(1 << 16):
            size += len(chunk)
            tail = (tail + chunk)[-200:]
    assert size > 20_000_000
    assert tail.rstrip().endswith(b"</wfs:FeatureCollection>")


def test_a_large_post_is_read(site: Site) -> None:
    padding = f"<!-- {'x' * 1_000_000} -->\n" * 10
    body = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<wfs:GetFeature service="WFS" version="1.1.0" maxFeatures="3" outputFormat="GeoJSON" '
        f'xmlns:wfs="http://www.opengis.net/wfs">{padding}<wfs:Query typeName="cities"/></wfs:GetFeature>'
    )
    answer = site.ask(body=body.encode(), Content_Type="text/xml")
    assert answer.status == 200
    assert answer.text.count('"Feature"') == 3


def test_many_requests_at_once(site: Site) -> None:
    started = time.monotonic()
    with ThreadPoolExecutor(32) as pool:
        answers = list(pool.map(lambda _: site.ask(f"{MAP}&LAYERS=countries,rivers&STYLES="), range(32)))
    assert [answer.status for answer in answers] == [200] * 32
    assert len({answer.body for answer in answers}) == 1
    assert time.monotonic() - started < 60


def test_errors_head_and_options_pass_through(site: Site) -> None:
    missing = site.ask("SERVICE=WFS")
    assert missing.status == 400
    assert 'exceptionCode="MissingParameterValue"' in missing.text
    curl = ["curl", "--silent", "--include", "-o", "-"]
    head = subprocess.run(
        [*curl, "--head", f"{site.base}?{MAP}&LAYERS=countries&STYLES="], capture_output=True, check=True
    )
    assert head.stdout.startswith(b"HTTP/1.1 200")
    assert b"image/png" in head.stdout
    assert PNG not in head.stdout
    options = subprocess.run([*curl, "-X", "OPTIONS", site.base], capture_output=True, check=True)
    assert b"allow:" in options.stdout.lower()


def test_the_viewer_loads_under_its_path(site: Site) -> None:
    page = site.ask()
    assert page.status == 200
    assert "<title>The world</title>" in page.text
    for name in re.findall(r'"\?(STATIC=[^"]+)"', page.text):
        assert site.ask(name).status == 200


def test_clients_cannot_forge_the_address(site: Site) -> None:
    answer = site.ask(
        "SERVICE=WMS&REQUEST=GetCapabilities", X_Qgis_Service_Url="http://evil.example/", Proxy="http://evil.example/"
    )
    if "proxy" in site.name:
        assert "evil.example" not in answer.text
    assert site.ask(f"{MAP}&LAYERS=countries&STYLES=").status == 200


def test_sigterm_in_the_middle_of_an_answer(site: Site, projects: Path) -> None:
    """Workers told to end finish what they are at; others take their place without anyone's help."""
    query = f"MAP={more(projects)}&SERVICE=WFS&VERSION=1.1.0&REQUEST=GetFeature&TYPENAME=cities"
    with closing(site.open(query)) as response:
        body = response.read(1000)
        before = site.workers()
        assert before
        for pid in before:
            os.kill(pid, signal.SIGTERM)
        while chunk := response.read(1 << 18):
            body = body[-100:] + chunk
    assert body.rstrip().endswith(b"</wfs:FeatureCollection>")
    wait(lambda: not set(before) & set(site.workers()), "the old workers' end")
    assert site.ask(f"{MAP}&LAYERS=countries&STYLES=").status == 200


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace("QGIS_PROJECT_FILE", "QGIS_PROJET_FILE"),
        lambda text: re.sub("FcgidInitialEnv (QGIS_PROJECT_FILE .*)", r"SetEnv \1", text),
    ],
    ids=["misspelt", "SetEnv"],
)
def test_other_ways_to_name_the_project_under_apache(doors: Doors, change: Callable[[str], str]) -> None:
    need("apache2")
    with doors.run("apache/qgserver-fcgid", change) as running:
        assert "<Title>The world</Title>" in running.ask("SERVICE=WMS&REQUEST=GetCapabilities").text
