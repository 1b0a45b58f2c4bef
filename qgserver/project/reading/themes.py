"""``<visibility-presets>``: map themes."""

from __future__ import annotations

from qgserver.project.model import Group, Theme, ThemeLayer
from qgserver.project.reading.elements import Element, flag


def read_themes(root: Element, tree: Group) -> dict[str, Theme]:
    """Themes by name; their layers in the order of the tree (the file's own order is that of a hash)."""
    position = {leaf.layer_id: index for index, leaf in enumerate(tree.leaves())}
    themes: dict[str, Theme] = {}
    for preset in root.iterfind("visibility-presets/visibility-preset"):
        shown = [layer for layer in preset.iterfind("layer") if flag(layer.get("visible"), True)]
        layers = [ThemeLayer(layer.get("id", ""), layer.get("style", "")) for layer in shown]
        layers.sort(key=lambda layer: position.get(layer.layer_id, len(position)))
        name = preset.get("name", "")
        themes[name] = Theme(name, tuple(layers))
    return themes
