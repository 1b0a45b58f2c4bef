"""Contrast enhancement: values of a band become 0..255."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from lxml import etree

from qgserver.rasters.colors import Bytes, by_table
from qgserver.rasters.model import Mask, Values
from qgserver.rasters.visible import VisibleLimits

NONE, STRETCH, STRETCH_CLIP, CLIP = (
    "NoEnhancement",
    "StretchToMinimumMaximum",
    "StretchAndClipToMinimumMaximum",
    "ClipToMinimumMaximum",
)
_BY_NUMBER = {"0": NONE, "1": STRETCH, "2": STRETCH_CLIP, "3": CLIP}
"""Projects before QGIS 2.0 have numbers."""


@dataclass(frozen=True, slots=True)
class Enhancement:
    """``algorithm`` in QGIS's words. A limit that is None is that of the data type."""

    algorithm: str = NONE
    minimum: float | None = None
    maximum: float | None = None

    @property
    def stretches(self) -> bool:
        """Whether the limits become black and white; otherwise the whole range of the data type is what becomes
        0..255 (measured)."""
        return self.algorithm in (STRETCH, STRETCH_CLIP)

    @property
    def clips(self) -> bool:
        """Whether what lies beyond the limits is not shown."""
        return self.algorithm in (STRETCH_CLIP, CLIP)

    def fitted(self, visible: VisibleLimits, values: Values, void: Mask) -> Enhancement:
        """The enhancement with the limits of what is visible, if anything is."""
        found = visible.of(values, void)
        return self if found is None else replace(self, minimum=found[0], maximum=found[1])

    def bytes(self, values: Values) -> Bytes:
        """uint8 of the same shape; fractions are cut off (measured)."""
        if values.dtype == np.uint8 and not self.stretches:
            return values
        return by_table(values, self._bytes)

    def hidden(self, values: Values) -> Mask | None:
        """Where the algorithm shows nothing; None: it shows all."""
        if not self.clips:
            return None
        low, high = self._limits(values.dtype)
        outside: Mask = ~((values >= low) & (values <= high))
        return outside

    def _limits(self, kind: np.dtype[Any]) -> tuple[float, float]:
        low, high = _range(kind)
        return low if self.minimum is None else self.minimum, high if self.maximum is None else self.maximum

    def _bytes(self, values: Values) -> Bytes:
        low, high = self._limits(values.dtype) if self.stretches else _range(values.dtype)
        with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
            shares = (values.astype(np.float64) - low) / np.float64(high - low) * 255.0
        found: Bytes = np.clip(np.nan_to_num(shares, nan=0.0, posinf=255.0, neginf=0.0), 0.0, 255.0).astype(np.uint8)
        return found


def _range(kind: np.dtype[Any]) -> tuple[float, float]:
    """The least and greatest value of a data type."""
    if kind.kind in "iu":
        return float(np.iinfo(kind).min), float(np.iinfo(kind).max)
    return float(np.finfo(kind).min), float(np.finfo(kind).max)


def read_enhancement(element: etree._Element | None) -> Enhancement | None:
    """The enhancement of an element with ``minValue``, ``maxValue``, ``algorithm``; None where there is none."""
    if element is None:
        return None
    name = (element.findtext("algorithm") or "").strip()
    return Enhancement(
        _BY_NUMBER.get(name, name), _number(element.findtext("minValue")), _number(element.findtext("maxValue"))
    )


def enhanced(enhancement: Enhancement | None, values: Values) -> Bytes:
    """Values as 0..255; without any enhancement they are taken as they are, their lowest byte (measured)."""
    if enhancement is not None:
        return enhancement.bytes(values)
    if values.dtype.kind == "f":
        with np.errstate(invalid="ignore"):
            values = np.nan_to_num(values, nan=0.0, posinf=0.0, neginf=0.0).astype(np.int64)
    return values.astype(np.uint8)


def _number(text: str | None) -> float | None:
    try:
        value = float(text or "")
    except ValueError:
        return None
    return None if math.isnan(value) else value
