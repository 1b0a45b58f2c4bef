"""Limits that follow what a map shows (``minMaxOrigin`` with the extent ``UpdatedCanvas``)."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from lxml import etree

from qgserver.rasters.model import Mask, Values

MIN_MAX, DEVIATIONS, CUT = "MinMax", "StdDev", "CumulativeCut"


@dataclass(frozen=True, slots=True)
class VisibleLimits:
    """Which limits are taken of the visible values: the least and the greatest (``MinMax``), so many standard
    ``deviations`` around the mean (``StdDev``), or what is left without the shares below ``lower`` and above ``upper``
    (``CumulativeCut``)."""

    kind: str
    lower: float = 0.02
    upper: float = 0.98
    deviations: float = 2.0

    def of(self, values: Values, void: Mask) -> tuple[float, float] | None:
        """The limits of the values that are not void; None where there are none."""
        shown = values[~void].astype(np.float64)
        shown = shown[np.isfinite(shown)]
        if not len(shown):
            return None
        if self.kind == DEVIATIONS:
            mean, reach = float(shown.mean()), float(shown.std()) * self.deviations
            return mean - reach, mean + reach
        if self.kind == CUT:
            low, high = np.quantile(shown, (self.lower, self.upper))
            return float(low), float(high)
        return float(shown.min()), float(shown.max())


def read_visible_limits(element: etree._Element) -> VisibleLimits | None:
    """Of a ``<rasterrenderer>``; None where its stored limits count."""
    origin = element.find("minMaxOrigin")
    if origin is None or (origin.findtext("extent") or "").strip() != "UpdatedCanvas":
        return None
    kind = (origin.findtext("limits") or "").strip()
    if kind not in (MIN_MAX, DEVIATIONS, CUT):
        return None
    lower, upper, deviations = (
        _number(origin.findtext(name), default)
        for name, default in (("cumulativeCutLower", 0.02), ("cumulativeCutUpper", 0.98), ("stdDevFactor", 2.0))
    )
    return VisibleLimits(kind, min(max(lower, 0.0), 1.0), min(max(upper, 0.0), 1.0), deviations)


def _number(text: str | None, default: float) -> float:
    try:
        value = float(text or "")
    except ValueError:
        return default
    return value if math.isfinite(value) else default
