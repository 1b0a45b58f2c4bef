"""The project as a whole."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from qgserver.draw.color import Color
from qgserver.errors import Problem
from qgserver.geo.crs import Crs
from qgserver.labeling.projectwide import EngineSettings
from qgserver.project.model.derived import Known
from qgserver.project.model.layers import Layer
from qgserver.project.model.services import ServiceInfo, WfsProperties, WmsProperties
from qgserver.project.model.tree import Group, Relation, Theme
from qgserver.symbology.assets import Assets

if TYPE_CHECKING:
    from qgserver.project.model.layouts import Layout


@dataclass(frozen=True, slots=True)
class CoordinateOperation:
    """``transformContext/srcDest``: the PROJ pipeline the author chose between two CRSs (authids or WKT)."""

    source: str
    destination: str
    pipeline: str
    allow_fallback: bool = True


@dataclass(frozen=True, slots=True)
class Project:
    """A whole project. ``layers`` by id, in file order; ``tree`` is the root group (its name is "")."""

    path: str
    """The file (or database address) it was read from; never shown to clients."""
    version: tuple[int, int, int]
    title: str
    abstract: str
    crs: Crs | None
    layers: Mapping[str, Layer]
    tree: Group
    custom_order: tuple[str, ...] | None = None
    """Ids top first, when the project's own drawing order is on."""
    themes: Mapping[str, Theme] = field(default_factory=dict)
    relations: tuple[Relation, ...] = ()
    service: ServiceInfo = ServiceInfo()
    wms: WmsProperties = WmsProperties()
    wfs: WfsProperties = WfsProperties()
    layouts: tuple[Layout, ...] = ()
    variables: Mapping[str, str] = field(default_factory=dict)
    ellipsoid: str = ""
    distance_units: str = ""
    area_units: str = ""
    background: Color = (1.0, 1.0, 1.0, 1.0)
    selection_color: Color = (1.0, 1.0, 0.0, 1.0)
    operations: tuple[CoordinateOperation, ...] = ()
    problems: tuple[Problem, ...] = ()
    labels: EngineSettings = EngineSettings()
    assets: Assets = Assets()
    """Where the files that its symbols name are found."""
    derived: Known = field(default_factory=dict, init=False, repr=False, compare=False)

    def listed_crs(self) -> tuple[str, ...]:
        """The authids that services list: the author's choice, else the project's CRS and the two that every client
        knows."""
        own = self.crs.authid if self.crs else ""
        listed = self.wms.crs_list or (own, "EPSG:4326", "EPSG:3857")
        return tuple(dict.fromkeys(authid for authid in listed if authid))

    def restricted_ids(self) -> frozenset[str]:
        """Layers hidden by ``WMSRestrictedLayers``, by their own name or a group's."""
        names = self.wms.restricted

        def walk(group: Group, hidden: bool) -> Iterator[str]:
            for child in group.children:
                if isinstance(child, Group):
                    yield from walk(child, hidden or child.name in names)
                elif hidden or child.name in names:
                    yield child.layer_id

        by_name = {layer.id for layer in self.layers.values() if layer.name in names}
        return frozenset(walk(self.tree, False)) | by_name
