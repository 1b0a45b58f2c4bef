"""Bounding boxes of layers and groups in every CRS that capabilities list. From the project file alone: no data source
is asked."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from qgserver.geo.crs import Crs, parse_crs
from qgserver.geo.extent import Extent
from qgserver.geo.transform import get_transform
from qgserver.ows.wms.published import Branch, Published
from qgserver.project.model import Project, VectorLayer

WORLD = Extent(-180.0, -90.0, 180.0, 90.0)
LONLAT = "CRS:84"


@dataclass(frozen=True, slots=True)
class Boxes:
    """``geographic`` in lon/lat; ``by_crs``: authid to box, x before y."""

    geographic: Extent | None = None
    by_crs: Mapping[str, Extent] = field(default_factory=dict)


def has_geometry(layer: Published) -> bool:
    """False for tables."""
    return not isinstance(layer, VectorLayer) or layer.has_geometry


class BoxMaker:
    """Makes the boxes of one project; each CRS of the list is looked up once."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self.listed: dict[str, Crs] = {}
        for authid in project.listed_crs():
            crs = parse_crs(authid)
            if crs is not None and authid != LONLAT:
                self.listed[authid] = crs
        self._lonlat = parse_crs(LONLAT)
        self._known: dict[str, Boxes] = {}

    def of_layer(self, layer: Published) -> Boxes:
        """Boxes of a layer; none when the project file has no extent of it."""
        if layer.id not in self._known:
            self._known[layer.id] = self._make(layer)
        return self._known[layer.id]

    def _make(self, layer: Published) -> Boxes:
        if not has_geometry(layer):
            return Boxes()
        extent, chosen, crs = layer.extent, self._project.wms.extent, self._project.crs
        flat = extent is None or extent.is_empty or not (extent.width and extent.height)
        if flat and chosen is not None and not chosen.is_empty and crs is not None:
            return self._boxes(chosen, crs, None)  # nothing to zoom to: the author's extent of the service (measured)
        if extent is None or extent.is_empty or layer.crs is None:
            return Boxes()
        return self._boxes(extent, layer.crs, layer.wgs84_extent)

    def of_branch(self, branch: Branch) -> Boxes:
        """Union of all boxes below a group."""
        return united(self.of_layer(leaf.layer) for leaf in branch.leaves())

    def of_root(self, root: Branch) -> Boxes:
        """The extent the author chose for the service (``WMSExtent``, in the project's CRS), else the union; the whole
        world when the file has no extent of any layer, since every layer must have or inherit one (WMS 1.3.0 clause
        7.2.4.6.6)."""
        chosen, crs = self._project.wms.extent, self._project.crs
        if chosen is not None and not chosen.is_empty and crs is not None:
            return self._boxes(chosen, crs, None)
        found = self.of_branch(root)
        return found if found.geographic or found.by_crs else Boxes(WORLD)

    def _boxes(self, extent: Extent, crs: Crs, lonlat: Extent | None) -> Boxes:
        if lonlat is None or lonlat.is_empty:
            lonlat = self._transformed(extent, crs, self._lonlat) if self._lonlat else None
        by_crs = {authid: self._transformed(extent, crs, target) for authid, target in self.listed.items()}
        return Boxes(
            lonlat.intersection(WORLD) if lonlat else None,
            {authid: box for authid, box in by_crs.items() if box is not None},
        )

    def _transformed(self, extent: Extent, source: Crs, target: Crs) -> Extent | None:
        transform = get_transform(source, target, self._project.operations)
        box = extent if transform is None else transform.extent(extent)
        return None if box is None or box.is_empty else box


def united(boxes: Iterable[Boxes]) -> Boxes:
    """The union, CRS by CRS."""
    geographic: Extent | None = None
    by_crs: dict[str, Extent] = {}
    for one in boxes:
        if one.geographic is not None:
            geographic = one.geographic.union(geographic) if geographic else one.geographic
        for authid, box in one.by_crs.items():
            by_crs[authid] = box.union(by_crs[authid]) if authid in by_crs else box
    return Boxes(geographic, by_crs)


def outward(box: Extent, decimals: int) -> tuple[str, str, str, str]:
    """xmin, ymin, xmax, ymax as text, minima rounded down and maxima up, without trailing zeros."""
    factor = 10.0**decimals
    low = (math.floor(value * factor) / factor for value in (box.xmin, box.ymin))
    high = (math.ceil(value * factor) / factor for value in (box.xmax, box.ymax))
    xmin, ymin, xmax, ymax = (plain(value, decimals) for value in (*low, *high))
    return xmin, ymin, xmax, ymax


def plain(value: float, decimals: int) -> str:
    """Fixed notation without trailing zeros."""
    text = f"{value:.{decimals}f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text == "-0" else text
