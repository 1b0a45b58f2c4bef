"""Paint effects, one file each; importing a file registers it."""

from qgserver.symbology.effects import (
    blur,
    color,
    drawsource,
    dropshadow,
    innerglow,
    innershadow,
    outerglow,
    transform,
)

__all__ = [
    "blur",
    "color",
    "drawsource",
    "dropshadow",
    "innerglow",
    "innershadow",
    "outerglow",
    "transform",
]
