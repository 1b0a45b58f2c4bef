"""Blend modes: the numbers of QGIS projects and of Qt as cairo operators."""

from __future__ import annotations

import cairo


def layer_operator(mode: int) -> cairo.Operator:
    """Operator of ``blendMode``/``featureBlendMode``; an unknown number draws normally."""
    raise NotImplementedError


def effect_operator(mode: int) -> cairo.Operator:
    """Operator of a paint effect's ``blend_mode``, which counts as Qt does; unknown = normal."""
    raise NotImplementedError
