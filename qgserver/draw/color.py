"""Colours as QGIS writes them."""

from __future__ import annotations

Color = tuple[float, float, float, float]
"""Red, green, blue, alpha, each 0..1, not premultiplied."""
