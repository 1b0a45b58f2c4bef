"""Coordinate reference systems."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Crs:
    """A CRS: ``authid`` (``EPSG:2154``, "" when it has none) and ``definition`` (what PROJ makes it from)."""

    authid: str
    definition: str
