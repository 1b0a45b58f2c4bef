"""Symbol layers, one file a class; importing a file registers it."""

from qgserver.symbology.layers import (
    centroidfill,
    ellipsemarker,
    filledmarker,
    fontmarker,
    geometrygenerator,
    gradientfill,
    hashline,
    linepatternfill,
    markerline,
    pointpatternfill,
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
    "gradientfill",
    "hashline",
    "linepatternfill",
    "markerline",
    "pointpatternfill",
    "simplefill",
    "simpleline",
    "simplemarker",
    "svgmarker",
]
