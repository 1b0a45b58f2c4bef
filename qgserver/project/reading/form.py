"""``attributeEditorForm``: the tabs and groups of a form made by drag and drop."""

from __future__ import annotations

from collections.abc import Iterator

from qgserver.project.model import FormContainer
from qgserver.project.reading.elements import Element, text

MAX_DEPTH = 32


def read_form(layer: Element) -> FormContainer | None:
    """The layout of the form, None unless the layer uses one with tabs."""
    form = layer.find("attributeEditorForm")
    if form is None or text(layer, "editorlayout") != "tablayout":
        return None
    return FormContainer("", tuple(_children(form, 0)))


def _children(parent: Element, depth: int) -> Iterator[FormContainer | str]:
    for child in parent:
        if child.tag == "attributeEditorField":
            yield child.get("name", "")
        elif child.tag == "attributeEditorContainer" and depth < MAX_DEPTH:
            yield FormContainer(child.get("name", ""), tuple(_children(child, depth + 1)))
