"""Capabilities of WMTS 1.0.0: levels and addresses of the tiles of a layer."""

from __future__ import annotations

from dataclasses import dataclass

from qgserver.geo.crs import Crs, parse_crs
from qgserver.rasters.sources.capsxml import LINK, Element, children, find, numbers, parse, text
from qgserver.rasters.tiles import TileMatrix

PIXEL_M = 0.00028
"""The side of a pixel that scale denominators stand for (OGC 07-057r7, 6.1)."""
MOST_MATRICES = 50
MOST_TILES = 1 << 31


@dataclass(frozen=True, slots=True)
class TileSet:
    """A tile matrix set: its CRS and levels."""

    crs: Crs
    matrices: tuple[TileMatrix, ...]


@dataclass(frozen=True, slots=True)
class WmtsCapabilities:
    """Tile matrix sets by identifier, address templates of tiles by (layer, format), and the address of GetTile ("" for
    none)."""

    sets: dict[str, TileSet]
    templates: dict[tuple[str, str], str]
    tile_url: str


def read_wmts(body: bytes) -> WmtsCapabilities | None:
    """What a document says; None when it is none."""
    root = parse(body)
    contents = find(root, "Contents")
    if root is None or contents is None:
        return None
    sets = {}
    for element in children(contents, "TileMatrixSet"):
        found = _tile_set(element)
        if found is not None:
            sets[text(element, "Identifier")] = found
    return WmtsCapabilities(sets, _templates(contents), _tile_url(root))


def _templates(contents: Element) -> dict[tuple[str, str], str]:
    return {
        (text(layer, "Identifier"), link.get("format", "")): link.get("template", "")
        for layer in children(contents, "Layer")
        for link in children(layer, "ResourceURL")
        if link.get("resourceType") == "tile"
    }


def _tile_url(root: Element) -> str:
    """The address that takes key-value pairs; one whose encoding is not told counts as such."""
    operations = find(root, "OperationsMetadata")
    for operation in () if operations is None else children(operations, "Operation"):
        http = find(operation, "DCP", "HTTP")
        if operation.get("name") != "GetTile" or http is None:
            continue
        for get in children(http, "Get"):
            encodings = [(value.text or "").strip().upper() for value in get.iterfind(".//{*}Value")]
            if not encodings or "KVP" in encodings:
                return get.get(LINK, "")
    return ""


def _tile_set(element: Element) -> TileSet | None:
    crs = parse_crs(text(element, "SupportedCRS"))
    if crs is None:
        return None
    matrices = [_matrix(child, crs) for child in list(children(element, "TileMatrix"))[:MOST_MATRICES]]
    return TileSet(crs, tuple(one for one in matrices if one is not None))


def _matrix(element: Element, crs: Crs) -> TileMatrix | None:
    """A level; None where its numbers make no sense."""
    fields = ("TopLeftCorner", "ScaleDenominator", "TileWidth", "TileHeight", "MatrixWidth", "MatrixHeight")
    found = numbers(" ".join(text(element, name) for name in fields))
    if len(found) != 7 or min(found[2:]) <= 0 or max(found[3:]) > MOST_TILES:
        return None
    x, y, denominator, width, height, columns, rows = found
    if crs.inverted_axes:
        x, y = y, x
    resolution = denominator * PIXEL_M / crs.meters_per_unit
    name = text(element, "Identifier")
    return TileMatrix(name, x, y, width * resolution, height * resolution, int(columns), int(rows), resolution)
