"""Labels as QGIS 2.x kept them, in the layer's ``<customproperties>``, brought into the form of 3.x."""

from __future__ import annotations

from collections.abc import Mapping

from lxml import etree

PREFIX = "labeling/"
_DEFINED = "labeling/dataDefined/"
_PARTS = ("text-buffer", "background", "shadow")
_COLORS = ("textColor", "bufferColor", "shapeFillColor", "shapeBorderColor", "shadowColor")
_NUMBERED = {"0": "Point", "1": "MM", "2": "MapUnit", "3": "Percentage"}
_UNITS: Mapping[str, tuple[str, str]] = {
    "bufferSizeUnits": ("bufferSizeInMapUnits", "MM"),
    "distUnits": ("distInMapUnits", "MM"),
    "offsetUnits": ("labelOffsetInMapUnits", "MapUnit"),
}
"""Unit attribute of 3.x -> flag of 2.x that says map units, and what is meant without the flag."""
_RENAMED: Mapping[str, str] = {
    "repeatDistanceUnit": "repeatDistanceUnits",
    "shapeSizeUnits": "shapeSizeUnit",
    "shapeOffsetUnits": "shapeOffsetUnit",
    "shapeRadiiUnits": "shapeRadiiUnit",
    "shapeBorderWidthUnits": "shapeBorderWidthUnit",
    "shadowOffsetUnits": "shadowOffsetUnit",
    "shadowRadiusUnits": "shadowRadiusUnit",
}


def modern_settings(properties: etree._Element) -> etree._Element:
    """``<settings>`` as 3.x writes it, from ``<customproperties>``. All attributes stand on each of its parts: their
    names are unique."""
    found = {item.get("key", ""): item.get("value", "") for item in properties.iterfind("property")}
    values = {key.removeprefix(PREFIX): value for key, value in found.items() if key.startswith(PREFIX)}
    attributes = _attributes({key: value for key, value in values.items() if "/" not in key})
    settings = etree.Element("settings")
    style = etree.SubElement(settings, "text-style", attributes)
    for tag in _PARTS:
        etree.SubElement(style, tag, attributes)
    for tag in ("text-format", "placement", "rendering"):
        etree.SubElement(settings, tag, attributes)
    settings.append(_defined({key: value for key, value in found.items() if key.startswith(_DEFINED)}))
    return settings


def _attributes(values: Mapping[str, str]) -> dict[str, str]:
    out = {_RENAMED.get(key, key): value for key, value in values.items()}
    for key, value in out.items():
        if key.endswith(("Unit", "Units")):
            out[key] = _NUMBERED.get(value, value)
    for color in _COLORS:
        if f"{color}R" in values:
            out[color] = ",".join(values.get(color + channel, "255") for channel in "RGBA")
    for unit, (in_map_units, otherwise) in _UNITS.items():
        if in_map_units in values:
            out[unit] = "MapUnit" if values[in_map_units].lower() in ("1", "true") else "MM"
        elif unit not in out:
            out[unit] = otherwise
    if values.get("fontBold", "").lower() in ("1", "true"):
        out.setdefault("fontWeight", "75")
    return out


def _defined(values: Mapping[str, str]) -> etree._Element:
    """``<dd_properties>`` from ``active~~is expression~~expression~~field``."""
    root = etree.Element("dd_properties")
    outer = etree.SubElement(root, "Option", {"type": "Map"})
    inner = etree.SubElement(outer, "Option", {"name": "properties", "type": "Map"})
    for key, value in values.items():
        parts = value.split("~~")
        if len(parts) != 4 or parts[0] != "1":
            continue
        item = etree.SubElement(inner, "Option", {"name": key.removeprefix(_DEFINED), "type": "Map"})
        kind, name, text = ("3", "expression", parts[2]) if parts[1] == "1" else ("2", "field", parts[3])
        for option, content in (("active", "true"), ("type", kind), (name, text)):
            etree.SubElement(item, "Option", {"name": option, "value": content})
    return root
