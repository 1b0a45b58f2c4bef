"""Symbols, renderers and their symbol layers: what QGIS calls symbology. Importing the room fills its registries."""

from qgserver.symbology import effects, layers, renderers

__all__ = ["effects", "layers", "renderers"]
