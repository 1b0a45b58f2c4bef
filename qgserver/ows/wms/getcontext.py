"""GetContext: the project's layers as an OWS Context 0.3.1, a request of QGIS Server's own."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from qgserver.ows.documents import PREFIX
from qgserver.ows.names import xml_name
from qgserver.ows.operations import OperationContext, operation
from qgserver.ows.wms.boxes import BoxMaker
from qgserver.ows.wms.capabilitieslayers import (
    online_resource,
    scale_range,
    service_abstract,
    service_title,
)
from qgserver.ows.wms.published import Branch, Leaf, published_tree
from qgserver.ows.xmlio import DECLARATION, attributes, element, optional
from qgserver.project.model import Link, Project
from qgserver.providers import Sources
from qgserver.web.response import Response, document

ROOT = {
    "xmlns": "http://www.opengis.net/ows-context",
    "xmlns:ows": "http://www.opengis.net/ows",
    "xmlns:sld": "http://www.opengis.net/sld",
    "xmlns:xlink": "http://www.w3.org/1999/xlink",
    "version": "0.3.1",
}
WINDOW = {"width": "800", "height": "600"}
FORMAT = "image/png"
_NOT_IN_IDS = re.compile(r"\W")


@dataclass(frozen=True, slots=True)
class _Place:
    """A layer with the groups around it (their path) and whether all of them are checked."""

    leaf: Leaf
    path: str
    shown: bool


@operation("WMS", "GetContext")
def get_context(context: OperationContext) -> Response:
    """The document: all layers, the last of the tree first."""
    text = context.documents.get(
        context.project,
        ("WMS", "GetContext"),
        context.service_url,
        lambda: "".join(write_context(context.project, context.sources)),
    )
    return document(text)


def write_context(project: Project, sources: Sources) -> Iterator[str]:
    """The document, with placeholders for the address."""
    tree = published_tree(project)
    yield f"{DECLARATION}<OWSContext{attributes(ROOT | {'id': f'ows-context-{_name(project)}'})}>"
    yield from _general(project, tree, sources)
    yield "<ResourceList>"
    for place in reversed(list(_places(tree, "", True))):
        yield from _layer(place)
    yield "</ResourceList></OWSContext>"


def _name(project: Project) -> str:
    """The project file's bare name; the title of one from a database, whose address is nobody's business."""
    return xml_name(project.title if "?" in project.path else Path(project.path).stem)


def _general(project: Project, tree: Branch, sources: Sources) -> Iterator[str]:
    yield f"<General><Window{attributes(WINDOW)}/>"
    yield element("ows:Title", service_title(project))
    yield optional("ows:Abstract", service_abstract(project))
    yield from _keywords(project.service.keywords)
    yield from _box(project, tree, sources)
    yield "</General>"


def _box(project: Project, tree: Branch, sources: Sources) -> Iterator[str]:
    """What there is to look at in the project's CRS, be it listed or not, in the order of its axes (OWS Common 1.0
    clause 10.2.1)."""
    crs = project.crs
    if crs is None:
        return
    only = replace(project, wms=replace(project.wms, crs_list=(crs.authid,)))
    box = BoxMaker(only, sources).of_map(tree).by_crs.get(crs.authid)
    if box is None:
        return
    corners = [(box.xmin, box.ymin), (box.xmax, box.ymax)]
    texts = [
        " ".join(f"{value:.15g}" for value in (corner[::-1] if crs.inverted_axes else corner)) for corner in corners
    ]
    inner = element("ows:LowerCorner", texts[0]) + element("ows:UpperCorner", texts[1])
    yield f"<ows:BoundingBox{attributes({'crs': crs.authid})}>{inner}</ows:BoundingBox>"


def _places(branch: Branch, path: str, shown: bool) -> Iterator[_Place]:
    for child in branch.children:
        if isinstance(child, Branch):
            group = child.group
            yield from _places(child, f"{path}/{group.name}" if path else group.name, shown and group.checked)
        else:
            yield _Place(child, path, shown and child.node.checked)


def _layer(place: _Place) -> Iterator[str]:
    layer = place.leaf.layer
    opacity = layer.style.opacity
    values = {
        "queryable": _flag(layer.identifiable),
        "hidden": _flag(not place.shown),
        "opacity": f"{opacity:g}",
        "id": _NOT_IN_IDS.sub("_", layer.published),
        "name": layer.published,
    }
    yield f"<Layer{attributes(values | ({'group': place.path} if place.path else {}))}>"
    yield element("ows:Title", layer.title or layer.name)
    yield element("ows:OutputFormat", FORMAT)
    server = attributes({"service": "urn:ogc:serviceType:WMS", "version": "1.3.0", "default": "true"})
    yield f'<Server{server}><OnlineResource xlink:href="{PREFIX}"/></Server>'
    yield optional("ows:Abstract", layer.abstract)
    scale = scale_range(layer)
    if scale.min_scale or scale.max_scale:
        yield element("sld:MinScaleDenominator", f"{scale.max_scale:.15g}")
        yield element("sld:MaxScaleDenominator", f"{scale.min_scale:.15g}")
    for name in sorted(layer.styles):
        yield f'<StyleList><Style current="true">{element("Name", name)}{element("Title", name)}</Style></StyleList>'
    yield from _keywords(layer.keywords)
    if layer.data_url and layer.data_url.url:
        yield _link("DataURL", layer.data_url)
    for link in layer.metadata_urls:
        yield _link("MetadataURL", link)
    yield "</Layer>"


def _keywords(words: tuple[str, ...]) -> Iterator[str]:
    if words:
        yield "<ows:Keywords>" + "".join(element("ows:Keyword", word) for word in words) + "</ows:Keywords>"


def _link(tag: str, link: Link) -> str:
    return f"<{tag}{attributes({'format': link.format})}>{online_resource(link.url)}</{tag}>"


def _flag(value: bool) -> str:
    return "true" if value else "false"
