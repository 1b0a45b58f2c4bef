"""Facts of a project as QGIS Server tells them (GetProjectSettings) and as our model holds them, in one form."""

from __future__ import annotations

from dataclasses import dataclass

from lxml import etree

from qgserver.project.model import Group, Layer, OtherLayer, Project, RasterLayer, TreeLayer, VectorLayer

NS = "{http://www.opengis.net/wms}"
METADATA_TYPES = {"FGDC": "FGDC:1998", "TC211": "ISO19115:2003"}
"""WMS 1.3.0 writes the project's word differently."""

Facts = dict[str, object]


@dataclass(frozen=True)
class Difference:
    where: str
    what: str
    qgis: object
    ours: object


def differences(project: Project, settings: bytes) -> list[Difference]:
    """Where the model of ``project`` says other than QGIS Server's ``settings`` document."""
    root = etree.fromstring(settings)
    top = root.find(f"{NS}Capability/{NS}Layer")
    found = _compare("service", _service_said(root), _service_read(project))
    found += _compare("layouts", _layouts_said(root), _layouts_read(project))
    found += _compare("root", _root_said(top), _root_read(project))
    return found + _compare_children("", top, project.tree, project)


def _compare(where: str, said: Facts, read: Facts) -> list[Difference]:
    return [Difference(where, what, said[what], read.get(what)) for what in said if said[what] != read.get(what)]


def _text(element: etree._Element, tag: str) -> str:
    return element.findtext(NS + tag) or ""


def _keywords(element: etree._Element) -> tuple[str | None, ...]:
    words = element.iterfind(f"{NS}KeywordList/{NS}Keyword")
    return tuple(word.text for word in words if word.get("vocabulary") != "ISO")


def _service_said(root: etree._Element) -> Facts:
    service = root.find(NS + "Service")
    contact = service.find(NS + "ContactInformation")
    return {
        "title": _text(service, "Title"),
        "abstract": _text(service, "Abstract"),
        "keywords": _keywords(service),
        "fees": _text(service, "Fees"),
        "constraints": _text(service, "AccessConstraints"),
        "size": (_text(service, "MaxWidth"), _text(service, "MaxHeight")),
        "mail": "" if contact is None else _text(contact, "ContactElectronicMailAddress"),
        "position": "" if contact is None else _text(contact, "ContactPosition"),
        "wfs": sorted(layer.get("name") for layer in root.iter(NS + "WFSLayer")),
    }


def _service_read(project: Project) -> Facts:
    service = project.service
    layers = [project.layers[id_] for id_ in project.wfs.layers if id_ in project.layers]
    return {
        "title": service.title or project.title or "Untitled",
        "abstract": service.abstract,
        "keywords": service.keywords,
        "fees": service.fees or "None",
        "constraints": service.access_constraints or "None",
        "size": (str(project.wms.max_width or ""), str(project.wms.max_height or "")),
        "mail": service.contact.mail,
        "position": service.contact.position,
        "wfs": sorted(layer.id if project.wms.use_layer_ids else layer.name for layer in layers),
    }


def _layouts_said(root: etree._Element) -> Facts:
    return {
        layout.get("name"): (
            [(m.get("name"), _mm(m.get("width")), _mm(m.get("height"))) for m in layout.iterfind(NS + "ComposerMap")],
            [label.get("name") for label in layout.iterfind(NS + "ComposerLabel")],
            [html.get("name") for html in layout.iterfind(NS + "ComposerHtml")],
            layout.get("atlasEnabled") == "1",
            (_mm(layout.get("width")), _mm(layout.get("height"))),
        )
        for layout in root.iter(NS + "ComposerTemplate")
    }


def _layouts_read(project: Project) -> Facts:
    shown = (layout for layout in project.layouts if layout.name not in project.wms.restricted_layouts)
    return {
        layout.name: (
            [(m.name, _mm(m.width), _mm(m.height)) for m in layout.maps],
            list(layout.labels),
            list(layout.htmls),
            layout.atlas_layer is not None,
            (_mm(layout.width), _mm(layout.height)),
        )
        for layout in shown
    }


def _mm(value: str | float) -> float:
    return round(float(value), 6)


def _root_said(top: etree._Element) -> Facts:
    crs = [element.text for element in top.iterfind(NS + "CRS")]
    return {"name": _text(top, "Name")} | ({"crs": crs[1:]} if crs else {})


def _root_read(project: Project) -> Facts:
    own = [project.crs.authid] if project.crs and not project.crs.authid.startswith("USER:") else []
    default = list(dict.fromkeys([*own, "EPSG:4326", "EPSG:3857"]))
    return {
        "name": project.wms.root_name or project.title,
        "crs": list(project.wms.crs_list or default),
    }


def _compare_children(where: str, said: etree._Element, read: Group, project: Project) -> list[Difference]:
    """Children of a group by order, then each by its facts."""
    layers = said.findall(NS + "Layer")
    nodes = [node for node in read.children if _is_published(node, project)]
    names = [_published(node, project) for node in nodes]
    found = _compare(where, {"children": [_text(layer, "Name") for layer in layers]}, {"children": names})
    if found:
        return found
    for layer, node in zip(layers, nodes, strict=True):
        path = f"{where}/{_text(layer, 'Name')}"
        if isinstance(node, Group):
            found += _compare(path, _group_said(layer), _group_read(node))
            found += _compare_children(path, layer, node, project)
        else:
            found += _compare_layer(path, layer, node, project.layers[node.layer_id])
    return found


def _is_published(node: Group | TreeLayer, project: Project) -> bool:
    if isinstance(node, Group):
        return node.name not in project.wms.restricted
    layer = project.layers.get(node.layer_id)
    return layer is not None and not isinstance(layer, OtherLayer) and layer.id not in project.restricted_ids()


def _published(node: Group | TreeLayer, project: Project) -> str:
    return node.published if isinstance(node, Group) else project.layers[node.layer_id].published


def _group_said(element: etree._Element) -> Facts:
    return {
        "title": _text(element, "Title"),
        "abstract": _text(element, "Abstract"),
        "tree name": _text(element, "TreeName"),
        "checked": element.get("visibilityChecked") == "1",
        "expanded": element.get("expanded") == "1",
        "exclusive": element.get("mutuallyExclusive") == "1",
    }


def _group_read(group: Group) -> Facts:
    return {
        "title": group.title or group.name,
        "abstract": group.abstract,
        "tree name": group.name,
        "checked": group.checked,
        "expanded": group.expanded,
        "exclusive": group.mutually_exclusive,
    }


def _compare_layer(where: str, said: etree._Element, node: TreeLayer, layer: Layer) -> list[Difference]:
    found = _compare(where, _layer_said(said), _layer_read(node, layer))
    if isinstance(layer, VectorLayer):
        geometry = said.get("geometryType") or ""
        if geometry != "Unknown" and not geometry.removeprefix("Multi").startswith(
            layer.geometry_type.removeprefix("Multi")
        ):
            found.append(Difference(where, "geometry", geometry, layer.geometry_type))
        for attribute in said.iterfind(f"{NS}Attributes/{NS}Attribute"):
            config = layer.field_config(attribute.get("name"))
            field_said = {"alias": attribute.get("alias", ""), "widget": attribute.get("editType", ""), "hidden": False}
            field_read = {"alias": config.alias, "widget": config.widget.type, "hidden": config.hidden_wms}
            found += _compare(f"{where}.{config.name}", field_said, field_read)
    return found


def _layer_said(element: etree._Element) -> Facts:
    return {
        "title": _text(element, "Title"),
        "abstract": _text(element, "Abstract"),
        "keywords": _keywords(element),
        "tree name": _text(element, "TreeName"),
        "checked": element.get("visibilityChecked") == "1",
        "expanded": element.get("expanded") == "1",
        "opacity": element.get("opacity"),
        "queryable": element.get("queryable") == "1",
        "styles": [style.findtext(NS + "Name") for style in element.iterfind(NS + "Style")],
        "scales": tuple(_text(element, f"{end}ScaleDenominator") or "0" for end in ("Min", "Max")),
        "attribution": element.findtext(f"{NS}Attribution/{NS}Title") or "",
        "data": element.find(NS + "DataURL") is not None,
        "metadata": [url.get("type") for url in element.iterfind(NS + "MetadataURL")],
        "dimensions": [dimension.get("name") for dimension in element.iterfind(NS + "Dimension")],
    }


def _layer_read(node: TreeLayer, layer: Layer) -> Facts:
    assert isinstance(layer, VectorLayer | RasterLayer)
    vector = isinstance(layer, VectorLayer)
    scales = layer.style.scale_range
    return {
        "title": layer.title or layer.name,
        "abstract": layer.abstract,
        "keywords": layer.keywords,
        "tree name": node.name,
        "checked": node.checked,
        "expanded": node.expanded,
        "opacity": f"{layer.style.opacity:g}",
        "queryable": layer.identifiable,
        "styles": sorted(layer.styles),
        "scales": (f"{scales.max_scale:g}", f"{scales.min_scale:g}"),
        "attribution": layer.attribution.title if layer.attribution else "",
        "data": layer.data_url is not None,
        "metadata": [METADATA_TYPES.get(url.type, url.type) for url in layer.metadata_urls],
        "dimensions": [dimension.name for dimension in layer.dimensions] if vector else [],
    }


def geographic_boxes(settings: bytes) -> dict[str, tuple[float, ...]]:
    """West, south, east, north of each layer without children, by its name."""
    sides = ("westBoundLongitude", "southBoundLatitude", "eastBoundLongitude", "northBoundLatitude")
    return {
        _text(layer, "Name"): tuple(float(box.findtext(NS + side)) for side in sides)
        for layer in etree.fromstring(settings).iter(NS + "Layer")
        if (box := layer.find(NS + "EX_GeographicBoundingBox")) is not None and layer.find(NS + "Layer") is None
    }
