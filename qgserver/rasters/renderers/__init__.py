"""Renderers of rasters, one file each; importing a file registers it."""

from qgserver.rasters.renderers import (
    hillshade,
    multibandcolor,
    paletted,
    singlebandcolordata,
    singlebandgray,
    singlebandpseudocolor,
    singlecolor,
)

__all__ = [
    "hillshade",
    "multibandcolor",
    "paletted",
    "singlebandcolordata",
    "singlebandgray",
    "singlebandpseudocolor",
    "singlecolor",
]
