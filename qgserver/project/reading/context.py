"""What the readers of all sections need to know of the project as a whole."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from qgserver.errors import Problems
from qgserver.project.reading.elements import Element, text
from qgserver.project.reading.entries import Entries


@dataclass(frozen=True, slots=True)
class Context:
    """``folder`` is what relative paths start from; ``names`` the layers' own names by id; ``use_layer_ids`` says that
    ids are the published names; ``not_identifiable`` are the ids of 2.x's ``Identify/disabledLayers``."""

    folder: str
    names: Mapping[str, str]
    use_layer_ids: bool
    not_identifiable: frozenset[str]
    problems: Problems

    def published_name(self, layer_id: str, name: str, short_name: str) -> str:
        """The name a layer is asked for by (reference: WMS names)."""
        return layer_id if self.use_layer_ids else short_name or name


def read_context(root: Element, folder: str, entries: Entries, problems: Problems) -> Context:
    """Gather the context from the root element and the project's entries."""
    return Context(
        folder=folder,
        names={text(layer, "id"): text(layer, "layername") for layer in root.iterfind("projectlayers/maplayer")},
        use_layer_ids=entries.flag("WMSUseLayerIDs"),
        not_identifiable=frozenset(entries.texts("Identify/disabledLayers")),
        problems=problems,
    )
