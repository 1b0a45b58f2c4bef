"""Groups and layers taken from other project files (``embedded="1"``)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from qgserver.errors import ProjectError
from qgserver.project.model import Group, Layer, OptionValue, Project, TreeLayer
from qgserver.project.reading.context import Context
from qgserver.project.reading.elements import Element, flag
from qgserver.providers.uri import absolute_path

OpenProject = Callable[[str], Project]
"""Absolute path -> that project; raises ``ProjectError``."""


def embed(
    root: Element, tree: Group, layers: dict[str, Layer], context: Context, open_project: OpenProject | None
) -> tuple[Group, dict[str, Layer]]:
    """The tree and the layers with what they embed filled in. What cannot be read is left out and noted."""
    sources = _Sources(context, open_project)
    wanted = [item for item in root.iterfind("projectlayers/maplayer") if flag(item.get("embedded"))]
    found: dict[str, Layer] = {}
    for item in wanted:
        found |= sources.layer(item.get("project", ""), item.get("id", ""))
    tree = _fill(tree, sources, found)
    published = {
        layer.id: replace(layer, published=context.published_name(layer.id, layer.name, layer.short_name))
        for layer in found.values()
    }
    return tree, layers | published


class _Sources:
    """The other projects, opened as they are named."""

    def __init__(self, context: Context, open_project: OpenProject | None) -> None:
        self._context = context
        self._open = open_project
        self._opened: dict[str, Project | None] = {}

    def project(self, path: str, what: str) -> Project | None:
        if path not in self._opened:
            self._opened[path] = self._try(path)
        if self._opened[path] is None:
            self._context.problems.add(what, "embedded", "the project it is embedded from cannot be read")
        return self._opened[path]

    def _try(self, path: str) -> Project | None:
        if self._open is None or not path:
            return None
        try:
            return self._open(absolute_path(path, self._context.folder))
        except ProjectError:
            return None

    def layer(self, path: str, layer_id: str) -> dict[str, Layer]:
        project = self.project(path, layer_id)
        if project is None:
            return {}
        if layer_id not in project.layers:
            self._context.problems.add(layer_id, "embedded", "the project it is embedded from does not have it")
            return {}
        return {layer_id: project.layers[layer_id]}


def _fill(group: Group, sources: _Sources, found: dict[str, Layer]) -> Group:
    """``group`` with embedded groups below it replaced by their content; their layers are added to ``found``."""
    children: list[Group | TreeLayer] = []
    for child in group.children:
        if isinstance(child, TreeLayer):
            children.append(child)
        elif flag(str(child.custom_properties.get("embedded", ""))):
            children.append(_embedded_group(child, sources, found))
        else:
            children.append(_fill(child, sources, found))
    return replace(group, children=tuple(children))


def _embedded_group(group: Group, sources: _Sources, found: dict[str, Layer]) -> Group:
    project = sources.project(str(group.custom_properties.get("embedded_project", "")), group.name)
    source = None if project is None else next(_groups(project.tree, group.name), None)
    if project is None or source is None:
        return group
    found |= {
        leaf.layer_id: project.layers[leaf.layer_id] for leaf in source.leaves() if leaf.layer_id in project.layers
    }
    hidden = _hidden(group.custom_properties.get("embedded-invisible-layers"))
    return replace(source, checked=group.checked, expanded=group.expanded, children=_checked(source, hidden))


def _groups(group: Group, name: str) -> Iterator[Group]:
    """Groups of that name below ``group``, in tree order."""
    for child in group.children:
        if isinstance(child, Group):
            if child.name == name:
                yield child
            yield from _groups(child, name)


def _checked(group: Group, hidden: frozenset[str]) -> tuple[Group | TreeLayer, ...]:
    """The children, leaves unchecked that the embedding project hides."""
    return tuple(
        replace(child, children=_checked(child, hidden))
        if isinstance(child, Group)
        else replace(child, checked=child.layer_id not in hidden)
        for child in group.children
    )


def _hidden(value: OptionValue) -> frozenset[str]:
    items = value if isinstance(value, list) else [value]
    return frozenset(str(item) for item in items if item)
