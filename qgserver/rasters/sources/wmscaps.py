"""Capabilities of WMS 1.1.1 and 1.3.0, as far as GetMap needs them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from qgserver.geo.crs import Crs, parse_crs
from qgserver.geo.extent import Extent
from qgserver.geo.transform import get_transform
from qgserver.rasters.sources.capsxml import LINK, Element, children, find, numbers, parse, text

WGS84 = "OGC:CRS84"
DEEPEST = 50
"""Layers in layers that are looked into."""


@dataclass(frozen=True, slots=True)
class WmsCapabilities:
    """``boxes``: (layer, "" for its longitudes and latitudes or a CRS as written) -> extent, x before y. ``map_url`` is
    the address of GetMap ("" for none), the largest picture ``max_size`` (0: no limit)."""

    version: str
    map_url: str
    max_size: tuple[int, int]
    boxes: dict[tuple[str, str], Extent]

    def extent(self, layer: str, crs: Crs) -> Extent | None:
        """What a layer covers."""
        for (name, written), box in self.boxes.items():
            if name == layer and written and parse_crs(written) == crs:
                return box
        world, degrees = self.boxes.get((layer, "")), parse_crs(WGS84)
        if world is None or degrees is None:
            return None
        transform = get_transform(degrees, crs, ())
        return world if transform is None else transform.extent(world)


def read_wms(body: bytes) -> WmsCapabilities | None:
    """What a document says; None when it is none."""
    root = parse(body)
    capability = find(root, "Capability")
    if root is None or capability is None:
        return None
    version = root.get("version", "1.3.0")
    link = find(capability, "Request", "GetMap", "DCPType", "HTTP", "Get", "OnlineResource")
    width, height = (numbers(text(root, "Service", name)) for name in ("MaxWidth", "MaxHeight"))
    limits = (int(width[0]) if width else 0, int(height[0]) if height else 0)
    boxes: dict[tuple[str, str], Extent] = {}
    for layer in children(capability, "Layer"):
        boxes |= dict(_boxes(layer, {}, version, DEEPEST))
    return WmsCapabilities(version, "" if link is None else link.get(LINK, ""), limits, boxes)


def _boxes(
    layer: Element, inherited: dict[str, Extent], version: str, depth: int
) -> Iterator[tuple[tuple[str, str], Extent]]:
    """Extents of a layer and of those in it; what one does not say holds from the layer around it."""
    found = {**inherited, **dict(_own_boxes(layer, version))}
    name = text(layer, "Name")
    if name:
        yield from (((name, crs), box) for crs, box in found.items())
    if depth:
        for child in children(layer, "Layer"):
            yield from _boxes(child, found, version, depth - 1)


def _own_boxes(layer: Element, version: str) -> Iterator[tuple[str, Extent]]:
    world = find(layer, "EX_GeographicBoundingBox")
    words = ""
    if world is not None:
        sides = ("westBoundLongitude", "southBoundLatitude", "eastBoundLongitude", "northBoundLatitude")
        words = " ".join(text(world, side) for side in sides)
    elif (world := find(layer, "LatLonBoundingBox")) is not None:
        words = _sides(world)
    box = _extent(numbers(words))
    if box is not None:
        yield "", box
    for element in children(layer, "BoundingBox"):
        written = element.get("CRS") or element.get("SRS") or ""
        crs = parse_crs(written)
        box = _extent(numbers(_sides(element)))
        if box is None or crs is None:
            continue
        if version.startswith("1.3") and crs.inverted_axes:
            box = Extent(box.ymin, box.xmin, box.ymax, box.xmax)
        yield written, box


def _sides(element: Element) -> str:
    return " ".join(element.get(side, "") for side in ("minx", "miny", "maxx", "maxy"))


def _extent(found: tuple[float, ...]) -> Extent | None:
    if len(found) != 4 or found[0] >= found[2] or found[1] >= found[3]:
        return None
    return Extent(*found)
