"""Symbol layers, one file a class; importing a file registers it."""

from qgserver.symbology.layers import simplefill, simpleline, simplemarker, svgmarker

__all__ = ["simplefill", "simpleline", "simplemarker", "svgmarker"]
