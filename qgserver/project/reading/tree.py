"""``<layer-tree-group>``: groups, order, checked state; and 1.x/2.2's ``<legend>``."""

from __future__ import annotations

from collections.abc import Mapping

from qgserver.project.model import Group, OptionValue, TreeLayer
from qgserver.project.reading.elements import Element, flag
from qgserver.project.reading.options import custom_properties


def read_tree(root: Element, names: Mapping[str, str]) -> Group:
    """The layer tree, top to bottom; its root group has no name. ``names`` are the layers' own names by id: a leaf
    shows its layer's name."""
    element = root.find("layer-tree-group")
    if element is not None:
        return _read_group(element, "", names)
    legend = root.find("legend")
    return Group("") if legend is None else Group("", children=_legend_children(legend))


def read_custom_order(root: Element) -> tuple[str, ...] | None:
    """Layer ids top first when the project's own drawing order is on (2.x keeps it in ``layer-tree-canvas``)."""
    for path in ("layer-tree-group/custom-order", "layer-tree-canvas/custom-order"):
        order = root.find(path)
        if order is not None and flag(order.get("enabled")):
            return tuple(item.text or "" for item in order.iterfind("item"))
    return None


def _read_group(element: Element, name: str, names: Mapping[str, str]) -> Group:
    properties = custom_properties(element)
    return Group(
        name=name,
        children=_children(element, names),
        short_name=_property(properties, "wmsShortName"),
        title=_property(properties, "wmsTitle"),
        abstract=_property(properties, "wmsAbstract"),
        checked=_checked(element),
        expanded=flag(element.get("expanded"), True),
        mutually_exclusive=flag(element.get("mutually-exclusive")),
        layer_id=element.get("groupLayer", ""),
        custom_properties=properties,
    )


def _children(element: Element, names: Mapping[str, str]) -> tuple[Group | TreeLayer, ...]:
    children: list[Group | TreeLayer] = []
    for child in element:
        if child.tag == "layer-tree-group":
            children.append(_read_group(child, child.get("name", ""), names))
        elif child.tag == "layer-tree-layer":
            layer_id, name = child.get("id", ""), child.get("name", "")
            children.append(
                TreeLayer(
                    layer_id=layer_id,
                    name=names.get(layer_id) or name,
                    checked=_checked(child),
                    expanded=flag(child.get("expanded"), True),
                    custom_properties=custom_properties(child),
                )
            )
    return tuple(children)


def _checked(element: Element) -> bool:
    """2.x marks groups ``Qt::PartiallyChecked``; such a group is shown."""
    return element.get("checked", "Qt::Checked") != "Qt::Unchecked"


def _property(properties: Mapping[str, OptionValue], key: str) -> str:
    value = properties.get(key)
    return value if isinstance(value, str) else ""


def _legend_children(element: Element) -> tuple[Group | TreeLayer, ...]:
    """``legendgroup`` and ``legendlayer`` of projects before 2.4."""
    children: list[Group | TreeLayer] = []
    for child in element:
        name = child.get("name", "")
        if child.tag == "legendgroup":
            children.append(Group(name, _legend_children(child), checked=_checked(child)))
        elif child.tag == "legendlayer":
            files = child.iterfind("filegroup/legendlayerfile")
            children += [TreeLayer(file.get("layerid", ""), name, checked=_checked(child)) for file in files]
    return tuple(children)
