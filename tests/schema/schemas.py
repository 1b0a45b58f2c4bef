"""OGC's schemas for the tests: found or fetched once, and used without any network."""

from __future__ import annotations

import os
import subprocess
import zipfile
from functools import cache
from pathlib import Path

import pytest
import xmlschema
from lxml import etree

HERE = Path(__file__).parent
FOLDER = Path(os.environ.get("QGSERVER_SCHEMAS") or HERE.parents[1] / "build" / "schemas")
HOSTS = {"schemas.opengis.net": "ogc", "www.opengis.net": "ogc", "www.w3.org": "w3c"}


@cache
def folder() -> Path:
    """The folder with ``ogc/`` and ``w3c/``. Without it the test is skipped, in CI it fails."""
    if not (FOLDER / "complete").exists():
        done = subprocess.run([str(HERE / "fetch.sh")], capture_output=True, text=True, check=False)
        if done.returncode:
            reason = f"OGC's schemas are not here: {done.stderr.strip()}"
            if os.environ.get("CI"):
                pytest.fail(reason)
            pytest.skip(reason)
    if not (FOLDER / "ogc").exists():
        for jar in sorted(FOLDER.glob("*.jar")):
            with zipfile.ZipFile(jar) as archive:
                archive.extractall(FOLDER, [n for n in archive.namelist() if n.startswith(("ogc/", "w3c/"))])
    return FOLDER


def local(url: str) -> str:
    """The file of a published schema address; other addresses stay as they are."""
    scheme, _, rest = url.partition("://")
    host, _, path = rest.partition("/")
    if scheme not in ("http", "https") or host not in HOSTS:
        return url
    return str(folder() / HOSTS[host] / path)


@cache
def schema(*locations: str) -> xmlschema.XMLSchema10:
    """One schema of several: each location is ``namespace address``, where the address may be a file."""
    imports = "".join(
        f'<import namespace="{namespace}" schemaLocation="{local(address)}"/>'
        for namespace, address in (location.split(" ") for location in locations)
    )
    text = f'<schema xmlns="http://www.w3.org/2001/XMLSchema">{imports}</schema>'
    return xmlschema.XMLSchema10(text, uri_mapper=local, allow="local", validation="lax")


def check(document: bytes, *locations: str) -> None:
    """Fail unless the document is valid against the schemas."""
    errors = [f"{error.path}: {error.reason}" for error in schema(*locations).iter_errors(document.decode())]
    assert not errors, "\n".join(errors[:5])


def check_dtd(document: bytes) -> None:
    """Fail unless the document is valid against the DTD that it names."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True)
    tree = etree.fromstring(document, parser).getroottree()
    dtd = etree.DTD(local(tree.docinfo.system_url))
    assert dtd.validate(tree), "\n".join(str(error) for error in list(dtd.error_log)[:5])
