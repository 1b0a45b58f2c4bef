"""Data-defined properties as QGIS 2 wrote them: four options ``<name>_dd_...`` for each property."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from lxml import etree

ACTIVE = "_dd_active"
LINES = ("SimpleLine", "HashLine", "MarkerLine", "ArrowLine")
NAMES: Mapping[str, str] = MappingProxyType(
    {
        "angle": "angle",
        "border_color": "outlineColor",
        "border_style": "outlineStyle",
        "border_width": "outlineWidth",
        "capstyle": "capStyle",
        "char": "char",
        "color": "fillColor",
        "color2": "color2",
        "color_border": "outlineColor",
        "customdash": "customDash",
        "distance": "lineDistance",
        "distance_x": "distanceX",
        "distance_y": "distanceY",
        "fill": "fillColor",
        "fill_color": "fillColor",
        "fill_style": "fillStyle",
        "height": "height",
        "horizontal_anchor_point": "hAnchor",
        "interval": "interval",
        "join_style": "joinStyle",
        "joinstyle": "joinStyle",
        "line_style": "outlineStyle",
        "lineangle": "lineAngle",
        "name": "name",
        "offset": "offset",
        "offset_along_line": "offsetAlongLine",
        "outline": "outlineColor",
        "outline-width": "outlineWidth",
        "outline_color": "outlineColor",
        "outline_style": "outlineStyle",
        "outline_width": "outlineWidth",
        "placement": "placement",
        "rotation": "angle",
        "size": "size",
        "symbol_height": "height",
        "symbol_name": "name",
        "symbol_width": "width",
        "vertical_anchor_point": "vAnchor",
        "width": "width",
        "width_border": "outlineWidth",
    }
)
"""Old name -> key of the property."""
OF_LINES: Mapping[str, str] = MappingProxyType({"color": "outlineColor", "width": "outlineWidth"})
"""The same where lines mean another one."""


def modernise(element: etree._Element) -> None:
    """Write the old properties of all symbol layers below ``element`` as QGIS 3 does."""
    for layer in element.iter("layer"):
        options = {child.get("k", ""): child.get("v", "") for child in layer.iterfind("prop")}
        active = [key.removesuffix(ACTIVE) for key in options if key.endswith(ACTIVE) and options[key] == "1"]
        if active:
            _write(layer, active, options)


def _write(layer: etree._Element, active: Sequence[str], options: Mapping[str, str]) -> None:
    names = {**NAMES, **OF_LINES} if layer.get("class") in LINES else NAMES
    root = layer.find("data_defined_properties")
    if root is None:
        root = etree.SubElement(layer, "data_defined_properties")
    holder = root.find("Option/Option[@name='properties']")
    if holder is None:
        holder = etree.SubElement(etree.SubElement(root, "Option", type="Map"), "Option", name="properties")
    known = {child.get("name") for child in holder.iterfind("Option")}
    for name in active:
        key = names.get(name)
        if key is None or key in known:
            continue
        item = etree.SubElement(holder, "Option", name=key, type="Map")
        by_expression = options.get(f"{name}_dd_useexpr", "1") == "1"
        kind, number = ("expression", "3") if by_expression else ("field", "2")
        for part, value in (("active", "true"), (kind, options.get(f"{name}_dd_{kind}", "")), ("type", number)):
            etree.SubElement(item, "Option", name=part, value=value)
