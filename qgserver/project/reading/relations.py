"""``<relations>``."""

from __future__ import annotations

from qgserver.project.model import Relation
from qgserver.project.reading.elements import Element


def read_relations(root: Element) -> tuple[Relation, ...]:
    """Relations between layers of the project, in file order."""
    return tuple(
        Relation(
            id=item.get("id", ""),
            name=item.get("name", ""),
            referencing_layer=item.get("referencingLayer", ""),
            referenced_layer=item.get("referencedLayer", ""),
            pairs=tuple(
                (pair.get("referencingField", ""), pair.get("referencedField", ""))
                for pair in item.iterfind("fieldRef")
            ),
            strength=item.get("strength", "Association"),
        )
        for item in root.iterfind("relations/relation")
    )
