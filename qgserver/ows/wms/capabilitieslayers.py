"""The ``Layer`` elements of WMS capabilities, 1.1.1 and 1.3.0.

The order of children is that of the DTD and of the schema, which agree. QGIS's own differs, and is not valid as soon as
a layer has metadata links or a scale range.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Mapping
from typing import Protocol
from urllib.parse import quote

from qgserver.errors import ProviderError
from qgserver.geo.extent import Extent
from qgserver.ows.documents import PREFIX, URL
from qgserver.ows.operations import operations
from qgserver.ows.wms.boxes import (
    GEOGRAPHIC_DECIMALS,
    LONLAT,
    PROJECTED_DECIMALS,
    Boxes,
    BoxMaker,
    has_geometry,
    outward,
)
from qgserver.ows.wms.dimensions import dimension_elements
from qgserver.ows.wms.published import Branch, Leaf, Published, published_tree, root_name
from qgserver.ows.xmlio import attributes, element, escape, optional
from qgserver.project.layersource import open_layer
from qgserver.project.model import Link, Project, ScaleRange, VectorLayer
from qgserver.providers import Sources

log = logging.getLogger("qgserver")

SCALE_HINT = 0.00028 * 2**0.5
"""ScaleHint of 1.1.1 is the diagonal of a pixel (0.28 mm) on the ground."""
METADATA_TYPES = {"FGDC": "FGDC:1998", "TC211": "ISO19115:2003"}
"""1.1.1's words for the types of MetadataURL (the only two there) and 1.3.0's."""
_TOKEN = re.compile(r"[\w.:-]+", re.ASCII)


class Extras(Protocol):
    """What another document (GetProjectSettings) adds to the Layer elements."""

    def attributes(self, node: Branch | Leaf) -> Mapping[str, str]:
        """Further attributes."""

    def children(self, node: Branch | Leaf) -> Iterator[str]:
        """Further elements, between the standard ones and the layers inside."""


class LayerWriter:
    """Writes the layers of one project in one version."""

    def __init__(self, project: Project, version: str, sources: Sources, extras: Extras | None = None) -> None:
        self.project = project
        self.sources = sources
        self.latest = version == "1.3.0"
        self.version = version
        self.extras = extras
        self.boxes = BoxMaker(project, sources)
        self.has_legends = any(found.name == "GetLegendGraphic" for found in operations("WMS", version))

    def root(self) -> Iterator[str]:
        """The one ``Layer`` that holds all others."""
        project, tree = self.project, published_tree(self.project)
        title = service_title(project)
        head = [
            optional("Name", root_name(project)),
            element("Title", title),
            optional("Abstract", service_abstract(project)),
            *service_keywords(project, self.latest),
        ]
        yield from self._branch(tree, head, self.boxes.of_root(tree))

    def group(self, branch: Branch) -> Iterator[str]:
        """A group with all that is in it."""
        group = branch.group
        head = [
            element("Name", group.published),
            element("Title", group.title or group.name),
            optional("Abstract", group.abstract),
        ]
        yield from self._branch(branch, head, self.boxes.of_branch(branch))

    def leaf(self, leaf: Leaf) -> Iterator[str]:
        """A layer."""
        layer = leaf.layer
        queryable = "1" if layer.identifiable else "0"
        yield f"<Layer{attributes({'queryable': queryable} | self._extra_attributes(leaf))}>"
        yield element("Name", layer.published)
        yield element("Title", layer.title or layer.name)
        yield optional("Abstract", layer.abstract)
        if layer.keywords:
            yield "<KeywordList>" + "".join(element("Keyword", word) for word in layer.keywords) + "</KeywordList>"
        if has_geometry(layer):
            yield from self._crs_and_boxes(self.boxes.of_layer(layer))
        yield from self._dimensions(layer)
        yield from self._links(layer)
        yield from self._styles(layer)
        yield from self._scale(scale_range(layer))
        if self.extras:
            yield from self.extras.children(leaf)
        yield "</Layer>"

    def _branch(self, branch: Branch, head: list[str], boxes: Boxes) -> Iterator[str]:
        queryable = "1" if any(leaf.layer.identifiable for leaf in branch.leaves()) else "0"
        yield f"<Layer{attributes({'queryable': queryable} | self._extra_attributes(branch))}>"
        yield from head
        yield from self._crs_and_boxes(boxes)
        if self.extras:
            yield from self.extras.children(branch)
        for child in branch.children:
            yield from self.group(child) if isinstance(child, Branch) else self.leaf(child)
        yield "</Layer>"

    def _extra_attributes(self, node: Branch | Leaf) -> dict[str, str]:
        return dict(self.extras.attributes(node)) if self.extras else {}

    def _crs_and_boxes(self, boxes: Boxes) -> Iterator[str]:
        name = "CRS" if self.latest else "SRS"
        if self.latest:
            yield element("CRS", LONLAT)
        for authid in self.boxes.listed:
            yield element(name, authid)
        if boxes.geographic:
            yield self._geographic(boxes.geographic)
        for authid, box in sorted(boxes.by_crs.items()):
            crs = self.boxes.listed[authid]
            xmin, ymin, xmax, ymax = outward(box, GEOGRAPHIC_DECIMALS if crs.is_geographic else PROJECTED_DECIMALS)
            if self.latest and crs.inverted_axes:
                xmin, ymin, xmax, ymax = ymin, xmin, ymax, xmax
            corners = {"minx": xmin, "miny": ymin, "maxx": xmax, "maxy": ymax}
            yield f"<BoundingBox{attributes({name: authid} | corners)}/>"

    def _geographic(self, box: Extent) -> str:
        west, south, east, north = outward(box, GEOGRAPHIC_DECIMALS)
        if not self.latest:
            return f"<LatLonBoundingBox{attributes({'minx': west, 'miny': south, 'maxx': east, 'maxy': north})}/>"
        return (
            f"<EX_GeographicBoundingBox><westBoundLongitude>{west}</westBoundLongitude>"
            f"<eastBoundLongitude>{east}</eastBoundLongitude><southBoundLatitude>{south}</southBoundLatitude>"
            f"<northBoundLatitude>{north}</northBoundLatitude></EX_GeographicBoundingBox>"
        )

    def _dimensions(self, layer: Published) -> Iterator[str]:
        """The layer's dimensions; none while the source that has their values is down."""
        if not isinstance(layer, VectorLayer) or not layer.dimensions:
            return
        try:
            yield from list(dimension_elements(layer, open_layer(self.project, layer, self.sources), self.version))
        except ProviderError as error:
            log.warning("layer %s is listed without dimensions: %s", layer.published, error.message)

    def _links(self, layer: Published) -> Iterator[str]:
        credit = layer.attribution
        if credit and (credit.title or credit.url):
            resource = online_resource(credit.url) if credit.url else ""
            yield f"<Attribution>{optional('Title', credit.title)}{resource}</Attribution>"
        for link in layer.metadata_urls:
            kind = self._metadata_type(link.type)
            if link.url and kind:
                yield f"<MetadataURL{attributes({'type': kind})}>{_link(link, 'text/xml')}</MetadataURL>"
        if layer.data_url and layer.data_url.url:
            yield f"<DataURL>{_link(layer.data_url, 'text/plain')}</DataURL>"

    def _metadata_type(self, stored: str) -> str:
        """1.1.1 knows two types and requires one; in 1.3.0 it may be any token."""
        if not self.latest:
            return stored if stored in METADATA_TYPES else ""
        found = METADATA_TYPES.get(stored, stored)
        return found if _TOKEN.fullmatch(found) else "other"

    def _styles(self, layer: Published) -> Iterator[str]:
        for name in sorted(layer.styles):
            legend = self._legend(layer, name)
            yield f"<Style>{element('Name', name)}{element('Title', name)}{legend}</Style>"

    def _legend(self, layer: Published, style: str) -> str:
        # 1.1.1 requires the picture's size, which nobody knows before it is drawn.
        if not self.latest:
            return ""
        own = layer.legend_url
        if own and own.url:
            return f"<LegendURL>{_link(own, 'image/png')}</LegendURL>"
        if not self.has_legends:
            return ""
        query = (
            f"SERVICE=WMS&VERSION={self.version}&REQUEST=GetLegendGraphic&LAYER={quote(layer.published)}"
            f"&FORMAT=image/png&STYLE={quote(style)}&SLD_VERSION=1.1.0"
        )
        return f"<LegendURL><Format>image/png</Format>{online_resource(PREFIX, query)}</LegendURL>"

    def _scale(self, scale: ScaleRange) -> Iterator[str]:
        if not self.latest:
            if scale.max_scale or scale.min_scale:
                low, high = (f"{value * SCALE_HINT:g}" for value in (scale.max_scale, scale.min_scale))
                yield f"<ScaleHint{attributes({'min': low, 'max': high})}/>"
            return
        if scale.max_scale or scale.min_scale:
            yield f"<MinScaleDenominator>{scale.max_scale:g}</MinScaleDenominator>"
        if scale.min_scale:
            yield f"<MaxScaleDenominator>{scale.min_scale:g}</MaxScaleDenominator>"


def scale_range(layer: Published) -> ScaleRange:
    """Scales at which a layer shows (in its current style)."""
    return layer.style.scale_range


def service_title(project: Project) -> str:
    """Title of the service and of the root layer."""
    return project.service.title or project.title or "Untitled"


def service_abstract(project: Project) -> str:
    """Abstract of the service and of the root layer."""
    return project.service.abstract


def service_keywords(project: Project, with_vocabulary: bool) -> Iterator[str]:
    """KeywordList of the service and of the root layer; 1.1.1 knows no vocabularies."""
    iso = {"vocabulary": "ISO"} if with_vocabulary else {}
    own = {"vocabulary": "SIA_Geo405"} if with_vocabulary and project.wms.sia2045 else {}
    yield "<KeywordList>"
    yield element("Keyword", "infoMapAccessService", **iso)
    for word in project.service.keywords:
        yield optional("Keyword", word, **own)
    yield "</KeywordList>"


def online_resource(url: str, query: str = "") -> str:
    """An ``OnlineResource``; ``url`` may be a placeholder of ``ows.documents``."""
    href = url if url in (PREFIX, URL) else escape(url).replace('"', "&quot;")
    return (
        '<OnlineResource xmlns:xlink="http://www.w3.org/1999/xlink" xlink:type="simple" '
        f'xlink:href="{href}{escape(query)}"/>'
    )


def _link(link: Link, format_without: str) -> str:
    return element("Format", link.format or format_without) + online_resource(link.url)
