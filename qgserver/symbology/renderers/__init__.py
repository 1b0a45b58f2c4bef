"""Renderers, one file each; importing a file registers it."""

from qgserver.symbology.renderers import (
    categorized,
    cluster,
    displacement,
    graduated,
    heatmap,
    inverted,
    merged,
    null,
    rules,
    single,
)

__all__ = [
    "categorized",
    "cluster",
    "displacement",
    "graduated",
    "heatmap",
    "inverted",
    "merged",
    "null",
    "rules",
    "single",
]
