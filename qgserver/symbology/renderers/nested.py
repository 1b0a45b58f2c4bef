"""Renderers around another renderer. What they do to geometry (displacing, clustering, merging) is not drawn yet: the
inner renderer draws each feature where it is, and ``qgserver check`` says so."""

from __future__ import annotations

from lxml import etree

from qgserver.symbology.renderer import Renderer, Source, read_renderer, renderers


@renderers.register("mergedFeatureRenderer")
def read(element: etree._Element, source: Source) -> Renderer:
    kind = element.get("type", "")
    source.problems.add(source.layer, f"renderer {kind}", "features are drawn each at its own place")
    return read_renderer(element.find("renderer-v2"), source.layer, source.problems)
