"""What a print is asked for, once all protocol words are settled."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from qgserver.expression.context import Feature
from qgserver.geo.crs import Crs
from qgserver.project.model.layouts import Layout, MapItem
from qgserver.render.request import Highlight, MapLayer


@dataclass(frozen=True, slots=True)
class PrintMap:
    """What a map item shows: ``layers`` bottom first; ``chosen``: its own or those asked for, not the project's, and
    then its legends show no others."""

    layers: tuple[MapLayer, ...] = ()
    chosen: bool = False
    highlights: tuple[Highlight, ...] = ()


@dataclass(frozen=True, slots=True)
class PrintRequest:
    """``layout`` has the items that are drawn, its maps with the extents and rotations asked for, in ``crs``. ``maps``
    by uuid; ``texts`` by uuid: what labels say instead of their own text, taken literally. ``size`` in pixels goes over
    ``dpi``. ``feature`` is the atlas's, the ``number``-th (from 1) of ``total``."""

    layout: Layout
    crs: Crs
    dpi: float
    maps: Mapping[str, PrintMap] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)
    size: tuple[int, int] | None = None
    feature: Feature | None = None
    number: int = 0
    total: int = 0
    absent: tuple[MapItem, ...] = ()
    """Maps that no extent was given for: they are not drawn, but other items may speak of them."""

    def pixels(self, page: int) -> tuple[int, int]:
        """Width and height of a page; QGIS drops fractions of pixels (measured)."""
        if self.size is not None:
            return self.size
        paper = self.layout.pages[page]
        return int(paper.width * self.dpi / 25.4), int(paper.height * self.dpi / 25.4)
