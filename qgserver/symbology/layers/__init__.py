"""Symbol layers, one file a class; importing a file registers it."""

from qgserver.symbology.layers import (
    centroidfill,
    ellipsemarker,
    filledmarker,
    fontmarker,
    geometrygenerator,
    hashline,
    markerline,
    simplefill,
    simpleline,
    simplemarker,
    svgmarker,
)

__all__ = [
    "centroidfill",
    "ellipsemarker",
    "filledmarker",
    "fontmarker",
    "geometrygenerator",
    "hashline",
    "markerline",
    "simplefill",
    "simpleline",
    "simplemarker",
    "svgmarker",
]
