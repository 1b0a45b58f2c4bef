"""Pictures that symbols show, found by name; instead of one that is missing, a question mark."""

from __future__ import annotations

from qgserver.draw.svg import Picture, SvgColors, read_picture
from qgserver.symbology.assets import Assets, report

PLACEHOLDER = (
    b'<svg xmlns="http://www.w3.org/2000/svg" width="10" height="10">'
    b'<text x="5" y="10" font-size="10" text-anchor="middle">?</text></svg>'
)
"""What QGIS draws for a picture that is not there."""


def svg_picture(assets: Assets, name: str, colors: SvgColors) -> Picture:
    """The SVG of that name or path with its colours put in."""
    data = assets.svg(name)
    found = read_picture(data, colors) if data else None
    if found is None:
        if data:
            report(name, "is no SVG that can be drawn")
        found = read_picture(PLACEHOLDER, colors)
    if found is None:
        raise RuntimeError("the placeholder is no picture")
    return found
