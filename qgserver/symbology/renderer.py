"""The renderer protocol, and reading of ``<renderer-v2>``."""

from __future__ import annotations

from typing import Protocol

from lxml import etree

from qgserver.errors import Problems


class Renderer(Protocol):
    """Decides which symbols draw a feature."""

    def used_fields(self) -> frozenset[str] | None:
        """Columns needed, None = all of them."""


def read_renderer(element: etree._Element | None, layer: str, problems: Problems) -> Renderer:
    """The renderer of a ``<renderer-v2>`` element; ``layer`` is the layer's name, for the list of problems. What can't
    be drawn is noted there, and nothing is raised for content."""
    raise NotImplementedError
