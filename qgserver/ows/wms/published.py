"""What a project publishes by WMS: which layers and groups, under which names.

Left out are restricted layers and groups (``WMSRestrictedLayers``) and kinds that we can't draw. To a client they do
not exist, so that asking for one tells nothing. "Private" layers are published: QGIS hides them from its own layer
tree only (measured).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from qgserver.ows.closedworld import PublishedField
from qgserver.ows.names import xml_name
from qgserver.project.model import Group, Project, RasterLayer, TreeLayer, VectorLayer
from qgserver.project.model.derived import once
from qgserver.providers.protocol import Schema

Published = VectorLayer | RasterLayer


@dataclass(frozen=True, slots=True)
class Leaf:
    """A published layer where it stands in the tree."""

    layer: Published
    node: TreeLayer


@dataclass(frozen=True, slots=True)
class Branch:
    """A group with what is published of it, top to bottom; it stays even when nothing is left in it."""

    group: Group
    children: tuple[Branch | Leaf, ...]

    def leaves(self) -> Iterator[Leaf]:
        """All published layers below, top to bottom."""
        for child in self.children:
            if isinstance(child, Branch):
                yield from child.leaves()
            else:
                yield child

    def branches(self) -> Iterator[Branch]:
        """All groups below."""
        for child in self.children:
            if isinstance(child, Branch):
                yield child
                yield from child.branches()


@once
def published_tree(project: Project) -> Branch:
    """The layer tree without what is not published."""
    restricted = project.restricted_ids()

    def children(group: Group) -> Iterator[Branch | Leaf]:
        for child in group.children:
            if isinstance(child, Group):
                if child.name not in project.wms.restricted:
                    yield Branch(child, tuple(children(child)))
                continue
            layer = project.layers.get(child.layer_id)
            if isinstance(layer, VectorLayer | RasterLayer) and layer.id not in restricted:
                yield Leaf(layer, child)

    return Branch(project.tree, tuple(children(project.tree)))


def published_fields(layer: VectorLayer, schema: Schema) -> tuple[PublishedField, ...]:
    """The fields of a layer that WMS shows, in its order."""
    fields = ((field, layer.field_config(field.name)) for field in schema.fields if field.type != "geometry")
    return tuple(
        PublishedField(xml_name(field.name), field.name, field.type, config.alias)
        for field, config in fields
        if not config.hidden_wms
    )


def root_name(project: Project) -> str:
    """The name under which the whole map can be asked for, "" when the project has none."""
    return project.wms.root_name or project.title


@once
def layers_by_name(project: Project) -> Mapping[str, tuple[Published, ...]]:
    """What each name of the capabilities draws, bottom first. Layers that share a name are all drawn; a layer's name
    goes over a group's, and that over the root's."""
    tree = published_tree(project)
    names: dict[str, tuple[Published, ...]] = {}
    for branch in tree.branches():
        # Of groups of one name QGIS draws the first in the tree.
        names.setdefault(branch.group.published, drawing_order(project, branch))
    if root := root_name(project):
        names.setdefault(root, drawing_order(project, tree))
    own: dict[str, tuple[Published, ...]] = {}
    for leaf in tree.leaves():
        own[leaf.layer.published] = (leaf.layer, *own.get(leaf.layer.published, ()))
    return names | own


def drawing_order(project: Project, branch: Branch) -> tuple[Published, ...]:
    """The layers of a group, bottom first, in the project's own drawing order where it has one."""
    layers = [leaf.layer for leaf in branch.leaves()]
    if project.custom_order is not None:
        rank = {layer_id: place for place, layer_id in enumerate(project.custom_order)}
        # A layer that the custom order leaves out is not drawn with its group (measured).
        layers = sorted((layer for layer in layers if layer.id in rank), key=lambda layer: rank[layer.id])
    return tuple(reversed(layers))


def visible_names(project: Project) -> list[str]:
    """Names of the layers that the project shows when it is opened: checked, and so is every group around them."""

    def walk(branch: Branch) -> Iterator[str]:
        for child in branch.children:
            if isinstance(child, Branch):
                if child.group.checked:
                    yield from walk(child)
            elif child.node.checked:
                yield child.layer.published

    return list(dict.fromkeys(walk(published_tree(project))))
