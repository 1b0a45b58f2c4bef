"""The page at the bare address."""

from __future__ import annotations

import gzip
import re

from qgserver.web.request import Request
from qgserver.web.viewer import static_file, viewer_page


def test_the_page_escapes_what_the_project_says_and_runs_no_foreign_script() -> None:
    response = viewer_page(
        '<script>alert("1")</script>', ['a"><img src=x onerror=alert(1)>', "Flüsse", "{crs}"], "EPSG:3035"
    )
    page = response.get_data(as_text=True)
    assert "<script>alert" not in page
    assert "<img" not in page
    assert "Flüsse" in page
    assert 'data-crs="EPSG:3035"' in page
    assert "{crs}" in page  # a layer of that name is no place to fill in
    assert re.findall(r"<script[^>]*>", page) == ['<script src="?STATIC=ol.js">', '<script src="?STATIC=viewer.js">']
    policy = response.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


def test_every_file_of_the_page_is_there() -> None:
    names = re.findall(r'"\?STATIC=([^"]+)"', viewer_page().get_data(as_text=True))
    assert len(names) == 4
    for name in names:
        plain = static_file(Request(params={"STATIC": name}))
        zipped = static_file(Request(params={"STATIC": name}, headers={"accept-encoding": "gzip, br"}))
        assert plain.status_code == zipped.status_code == 200
        assert gzip.decompress(zipped.get_data()) == plain.get_data()
        assert plain.headers["ETag"] != zipped.headers["ETag"]


def test_no_other_file_can_be_had() -> None:
    for name in ("../viewer.py", "viewer.html", "/etc/passwd", "", "ol.js\0"):
        assert static_file(Request(params={"STATIC": name})).status_code == 404
