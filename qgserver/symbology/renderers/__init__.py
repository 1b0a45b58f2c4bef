"""Renderers, one file each; importing a file registers it."""

from qgserver.symbology.renderers import categorized, graduated, nested, null, rules, single

__all__ = ["categorized", "graduated", "nested", "null", "rules", "single"]
