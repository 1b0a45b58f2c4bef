"""Small projects as text."""

from __future__ import annotations

from qgserver.errors import Problems
from qgserver.project.model import Project, VectorLayer
from qgserver.project.reading import read_project

CRS = "<spatialrefsys><wkt/><proj4/><srsid>1</srsid><authid>EPSG:2154</authid></spatialrefsys>"
RENDERER = """<renderer-v2 type="singleSymbol" symbollevels="0"><symbols><symbol name="0" type="marker" alpha="1">
<layer class="SimpleMarker" enabled="1" pass="0"/></symbol></symbols></renderer-v2>"""


def project_xml(body: str = "", properties: str = "", version: str = "3.22.16-Białowieża") -> bytes:
    """A project with ``body`` below its root and ``properties`` among its entries."""
    return f"""<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>
<qgis version="{version}"><title>t</title>{body}
<properties>
<SpatialRefSys><ProjectionsEnabled type="int">1</ProjectionsEnabled></SpatialRefSys>{properties}</properties>
</qgis>""".encode()


def layer_xml(body: str = "", attributes: str = "", renderer: str = RENDERER) -> str:
    """``<projectlayers>`` with one vector layer, ``id`` and ``name``."""
    return f"""<projectlayers><maplayer type="vector" geometry="Point" {attributes}>
<id>id</id><layername>name</layername>
<datasource>./d.gpkg|layername=t</datasource><provider encoding="UTF-8">ogr</provider>{renderer}{body}</maplayer>
</projectlayers>"""


def read(body: str = "", properties: str = "", version: str = "3.22.16") -> Project:
    """That project, read strictly: content that is not supported raises."""
    return read_project(project_xml(body, properties, version), "/srv/maps/p.qgs", Problems(strict=True))


def read_layer(body: str = "", attributes: str = "", version: str = "3.22.16") -> VectorLayer:
    """The layer of ``layer_xml`` in a project."""
    layer = read(layer_xml(body, attributes), version=version).layers["id"]
    assert isinstance(layer, VectorLayer)
    return layer
