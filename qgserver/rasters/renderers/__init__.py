"""Renderers of rasters, one file each, imported when a project has such a one."""

from qgserver.rasters.pipe import renderers

renderers.locate(
    __name__,
    {
        "contour": "contour",
        "hillshade": "hillshade",
        "multibandcolor": "multibandcolor",
        "paletted": "paletted",
        "singlebandcolordata": "singlebandcolordata",
        "singlebandgray": "singlebandgray",
        "singlebandpseudocolor": "singlebandpseudocolor",
        "singlecolor": "singlecolor",
    },
)
