"""How many candidates a label gets at most: the fewer, the more labels its source has (measured on QGIS 3.22)."""

from __future__ import annotations

Limits = tuple[tuple[int, int], ...]
"""(more labels than this in the source, so many candidates each), the largest first; the last row holds for all."""

UNLIMITED = 1 << 30

POINTS: Limits = ((1000, 4), (500, 6), (200, 8), (100, 12), (0, 16))
LINES: Limits = ((1000, 5), (500, 10), (200, 20), (100, 40), (0, UNLIMITED))
POLYGONS: Limits = ((1000, 5), (500, 15), (200, 20), (100, 25), (0, UNLIMITED))


def limit(limits: Limits, labels: int) -> int:
    """The number of candidates in a source of so many labels."""
    return next(most for more, most in limits if labels > more)
