"""Renderers of rasters, one file each; importing a file registers it."""

from qgserver.rasters.renderers import (
    contour,
    hillshade,
    multibandcolor,
    paletted,
    singlebandcolordata,
    singlebandgray,
    singlebandpseudocolor,
    singlecolor,
)

__all__ = [
    "contour",
    "hillshade",
    "multibandcolor",
    "paletted",
    "singlebandcolordata",
    "singlebandgray",
    "singlebandpseudocolor",
    "singlecolor",
]
