"""Bounding boxes of layers and groups in every CRS that capabilities list."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

from qgserver.geo.crs import Crs, parse_crs
from qgserver.geo.extent import Extent
from qgserver.geo.transform import get_transform
from qgserver.ows.wms.published import Branch, Published
from qgserver.project.currentextents import CurrentExtents
from qgserver.project.model import Project, RasterLayer, VectorLayer
from qgserver.providers import Sources, file_is_missing

WORLD = Extent(-180.0, -90.0, 180.0, 90.0)
LONLAT = "CRS:84"
GEOGRAPHIC_DECIMALS, PROJECTED_DECIMALS = 6, 3
"""How exact boxes are written."""
OF_NOTHING, OF_TABLES = 1e-6, 1e-9
"""How far the boxes of groups without geometry reach from the origin, in units of the project's CRS. Written numbers
are rounded outwards."""


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

    def __init__(self, project: Project, sources: Sources) -> None:
        self._project = project
        self._extents = CurrentExtents(project, sources)
        self.listed: dict[str, Crs] = {}
        for authid in project.listed_crs():
            crs = parse_crs(authid)
            if crs is not None and authid != LONLAT:
                self.listed[authid] = crs
        self._lonlat = parse_crs(LONLAT)
        self._known: dict[str, Boxes] = {}

    @property
    def complete(self) -> bool:
        """See ``CurrentExtents``."""
        return self._extents.complete

    def of_layer(self, layer: Published) -> Boxes:
        """Boxes of a layer; none of a table, and of what has no CRS."""
        if layer.id not in self._known:
            self._known[layer.id] = self._make(layer)
        return self._known[layer.id]

    def _make(self, layer: Published) -> Boxes:
        """Where there is nothing to zoom to (no feature, a single point, no file), the author's extent of the service;
        without that, of an empty layer, all of its CRS (measured)."""
        if not has_geometry(layer) or layer.crs is None:
            return Boxes()
        extent = self._extents.of(layer)
        if extent is not None and extent.width and extent.height:
            return self._boxes(extent, layer.crs)
        chosen = self._service_extent(layer.crs)
        if chosen is not None:
            return self._boxes(chosen, layer.crs)
        if extent is None and not layer.crs.is_geographic:
            # QGIS takes the degrees of the area of use for units of the CRS here: a place that nobody meant.
            extent = layer.extent
        if extent is not None and not extent.is_empty:
            return self._boxes(extent, layer.crs)
        area = layer.crs.area_of_use
        unknown = isinstance(layer, RasterLayer) and not file_is_missing(layer.source)
        if unknown or area is None or self._lonlat is None:
            return Boxes()
        around = area if area.xmin < area.xmax else Extent(WORLD.xmin, area.ymin, WORLD.xmax, area.ymax)
        return self._boxes(around, self._lonlat)

    def _service_extent(self, crs: Crs) -> Extent | None:
        """``WMSExtent`` as a box of a layer's CRS: QGIS reprojects two corners to that, and the box of them on; in a
        project without CRS it takes them for the layer's own (measured)."""
        chosen, own = self._project.wms.extent, self._project.crs
        if chosen is None or chosen.is_empty:
            return None
        transform = get_transform(own or crs, crs, self._project.operations)
        if transform is None:
            return chosen
        corners = transform.points(np.array([[chosen.xmin, chosen.ymin], [chosen.xmax, chosen.ymax]]))
        if not np.isfinite(corners).all():
            return None
        return Extent(*corners.min(axis=0).tolist(), *corners.max(axis=0).tolist())

    def of_branch(self, branch: Branch) -> Boxes:
        """Union of the boxes of what is in a group. Every layer must have a box or inherit one (WMS 1.3.0 clause
        7.2.4.6.6): where there is nothing, it is one around the origin of the project's CRS, with tables in it a
        smaller one; groups around it hold that too (measured)."""
        found = united(
            self.of_branch(child) if isinstance(child, Branch) else self.of_layer(child.layer)
            for child in branch.children
        )
        if found.geographic or found.by_crs:
            return found
        return self._origin(OF_TABLES if branch.children else OF_NOTHING)

    def of_root(self, root: Branch) -> Boxes:
        """The extent the author chose for the service (``WMSExtent``, in the project's CRS), else the union."""
        return self._chosen() or self.of_branch(root)

    def of_map(self, root: Branch) -> Boxes:
        """As ``of_root``, but empty groups do not count: what there is to look at."""
        return self._chosen() or united(self.of_layer(leaf.layer) for leaf in root.leaves())

    def _chosen(self) -> Boxes | None:
        chosen, crs = self._project.wms.extent, self._project.crs
        return None if chosen is None or chosen.is_empty or crs is None else self._boxes(chosen, crs)

    def _origin(self, reach: float) -> Boxes:
        crs = self._project.crs or self._lonlat
        return Boxes(WORLD) if crs is None else self._boxes(Extent(-reach, -reach, reach, reach), crs)

    def _boxes(self, extent: Extent, crs: Crs) -> Boxes:
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
