"""HIGHLIGHT_GEOM and HIGHLIGHT_SYMBOL: what a client wants drawn above the layers."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lxml import etree
from shapely.geometry.base import BaseGeometry

from qgserver.errors import OwsError
from qgserver.expression.geometries import from_wkt
from qgserver.expression.nodes import Node
from qgserver.ows.sldread import read_style, user_renderer
from qgserver.ows.wms import params
from qgserver.render.request import Highlight
from qgserver.web.request import Request

MAX_HIGHLIGHTS = 100
_NEXT_DOCUMENT = re.compile(r";\s*(?=<)")
"""Entities end in semicolons too."""


def read_highlights(request: Request) -> Iterator[Highlight]:
    """The geometries of a request, each with the symbol at its place; what is left over of either list does not count.
    Raises ``OwsError``."""
    shapes = [text for text in params.HIGHLIGHT_GEOM.of(request).split(";") if text.strip()]
    symbols = [text for text in _NEXT_DOCUMENT.split(params.HIGHLIGHT_SYMBOL.of(request)) if text.strip()]
    if len(shapes) > MAX_HIGHLIGHTS:
        raise _wrong(f"there are more than {MAX_HIGHLIGHTS} geometries")
    for text, symbol in zip(shapes, symbols, strict=False):
        shape = from_wkt(text.strip())
        if not isinstance(shape, BaseGeometry):
            raise _wrong(f"'{text.strip()[:40]}' is not a WKT geometry")
        if not shape.is_empty:
            yield Highlight(shape, user_renderer(read_style(symbol.strip()), _kind(shape), _no_condition))


def _kind(shape: BaseGeometry) -> str:
    families = (("Polygon", "fill"), ("Line", "line"))
    return next((kind for word, kind in families if word in shape.geom_type), "marker")


def _no_condition(document: etree._Element) -> Node | None:
    raise OwsError("InvalidParameterValue", "A highlight has no fields to filter by.", locator="HIGHLIGHT_SYMBOL")


def _wrong(what: str) -> OwsError:
    return OwsError("InvalidParameterValue", f"HIGHLIGHT_GEOM: {what}.", locator="HIGHLIGHT_GEOM")
