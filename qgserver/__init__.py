"""qgserver: a drop-in QGIS Server in Python (WMS and WFS from QGIS projects)."""

__version__ = "0.1.0"
