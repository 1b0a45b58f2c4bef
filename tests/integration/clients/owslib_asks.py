"""OWSLib reads the bundled map: ``python owslib_asks.py URL SERVICE VERSION`` prints what it found as JSON."""

from __future__ import annotations

import json
import sys
from typing import Any

from lxml import etree
from owslib import fes, fes2
from owslib.util import ServiceException
from owslib.wfs import WebFeatureService
from owslib.wms import WebMapService

url, service, version = sys.argv[1:]
found: dict[str, Any] = {}


def count(answer: Any) -> int:
    """The features of an answer in GML."""
    return sum(1 for _ in etree.fromstring(answer.read()).iter("{http://www.qgis.org/gml}cities"))


if service == "WFS":
    wfs = WebFeatureService(url, version=version)
    found["types"] = sorted(wfs.contents)
    found["operations"] = sorted(operation.name for operation in wfs.operations)
    found["schema"] = wfs.get_schema("cities")["properties"]["population"]
    found["all"] = count(wfs.getfeature(typename=["cities"]))
    found["page"] = count(wfs.getfeature(typename=["cities"], startindex=5, maxfeatures=7))
    names = fes2 if version == "2.0.0" else fes
    like = names.PropertyIsLike("name", "Ber*", wildCard="*", singleChar="?", escapeChar="!")
    text = etree.tostring(like.toXML(), encoding="unicode")
    space = "http://www.opengis.net/fes/2.0" if version == "2.0.0" else "http://www.opengis.net/ogc"
    how = {"method": "Post"} if version == "2.0.0" else {}  # by GET OWSLib calls it QUERY there
    found["filtered"] = count(
        wfs.getfeature(typename=["cities"], filter=f'<Filter xmlns="{space}">{text}</Filter>', **how)
    )
    box = (5, 47, 15, 55) if version == "1.0.0" else (5, 47, 15, 55, "EPSG:4326")
    found["box"] = count(wfs.getfeature(typename=["cities"], bbox=box, propertyname=["name"]))
    answer = wfs.getfeature(typename=["cities"], outputFormat="application/json", maxfeatures=3)
    found["json"] = len(json.loads(answer.read())["features"])
else:
    wms = WebMapService(url, version=version)
    found["layers"] = "countries" in wms.contents and len(wms.contents) > 5
    found["box"] = wms.contents["countries"].boundingBoxWGS84
    where = {"srs": "EPSG:4326", "bbox": (0, 40, 20, 55), "size": (200, 150)}
    image = wms.getmap(layers=["countries"], format="image/png", transparent=True, **where)
    found["map"] = len(image.read())
    info = wms.getfeatureinfo(
        layers=["countries"], query_layers=["countries"], info_format="application/json", xy=(100, 75), **where
    )
    found["info"] = [feature["properties"]["Name"] for feature in json.loads(info.read())["features"]]
    try:
        wms.getmap(layers=["nosuch"], format="image/png", **where)
    except ServiceException as error:
        found["error"] = "nosuch" in str(error)
print(json.dumps(found))
