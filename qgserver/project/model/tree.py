"""The layer tree, and what groups layers otherwise: themes and relations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from qgserver.project.model.layers import OptionValue


@dataclass(frozen=True, slots=True)
class TreeLayer:
    """A leaf of the layer tree."""

    layer_id: str
    name: str
    checked: bool = True
    expanded: bool = True
    custom_properties: Mapping[str, OptionValue] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Group:
    """A group of the layer tree, children top to bottom. ``published`` = short name, else name."""

    name: str
    children: tuple[Group | TreeLayer, ...] = ()
    short_name: str = ""
    title: str = ""
    abstract: str = ""
    checked: bool = True
    expanded: bool = True
    mutually_exclusive: bool = False
    layer_id: str = ""
    """Id of the group layer (3.24+) that composes the members as one image, "" = none."""
    custom_properties: Mapping[str, OptionValue] = field(default_factory=dict)

    @property
    def published(self) -> str:
        return self.short_name or self.name

    def leaves(self) -> Iterator[TreeLayer]:
        """All layers below, top to bottom."""
        for child in self.children:
            if isinstance(child, Group):
                yield from child.leaves()
            else:
                yield child


@dataclass(frozen=True, slots=True)
class ThemeLayer:
    """A layer of a map theme: the style it has there."""

    layer_id: str
    style: str = ""


@dataclass(frozen=True, slots=True)
class Theme:
    """``visibility-preset``: the layers it shows, top first."""

    name: str
    layers: tuple[ThemeLayer, ...] = ()


@dataclass(frozen=True, slots=True)
class Relation:
    id: str
    name: str
    referencing_layer: str
    referenced_layer: str
    pairs: tuple[tuple[str, str], ...]
    """(referencing field, referenced field)"""
    strength: str = "Association"
