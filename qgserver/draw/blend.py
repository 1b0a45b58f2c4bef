"""Blend modes: the numbers of QGIS projects and of Qt as cairo operators."""

from __future__ import annotations

import cairo

Operator = cairo.Operator
"""How paint meets what is there."""

_LAYER_MODES = (
    cairo.Operator.OVER,
    cairo.Operator.LIGHTEN,
    cairo.Operator.SCREEN,
    cairo.Operator.COLOR_DODGE,
    cairo.Operator.ADD,
    cairo.Operator.DARKEN,
    cairo.Operator.MULTIPLY,
    cairo.Operator.COLOR_BURN,
    cairo.Operator.OVERLAY,
    cairo.Operator.SOFT_LIGHT,
    cairo.Operator.HARD_LIGHT,
    cairo.Operator.DIFFERENCE,
    cairo.Operator.EXCLUSION,
    cairo.Operator.SOURCE,
    cairo.Operator.DEST_OVER,
    cairo.Operator.CLEAR,
    cairo.Operator.DEST,
    cairo.Operator.IN,
    cairo.Operator.DEST_IN,
    cairo.Operator.OUT,
    cairo.Operator.DEST_OUT,
    cairo.Operator.ATOP,
    cairo.Operator.DEST_ATOP,
    cairo.Operator.XOR,
)

_EFFECT_MODES = (
    cairo.Operator.OVER,
    cairo.Operator.DEST_OVER,
    cairo.Operator.CLEAR,
    cairo.Operator.SOURCE,
    cairo.Operator.DEST,
    cairo.Operator.IN,
    cairo.Operator.DEST_IN,
    cairo.Operator.OUT,
    cairo.Operator.DEST_OUT,
    cairo.Operator.ATOP,
    cairo.Operator.DEST_ATOP,
    cairo.Operator.XOR,
    cairo.Operator.ADD,
    cairo.Operator.MULTIPLY,
    cairo.Operator.SCREEN,
    cairo.Operator.OVERLAY,
    cairo.Operator.DARKEN,
    cairo.Operator.LIGHTEN,
    cairo.Operator.COLOR_DODGE,
    cairo.Operator.COLOR_BURN,
    cairo.Operator.HARD_LIGHT,
    cairo.Operator.SOFT_LIGHT,
    cairo.Operator.DIFFERENCE,
    cairo.Operator.EXCLUSION,
)


def _pick(modes: tuple[cairo.Operator, ...], mode: int) -> cairo.Operator:
    return modes[mode] if 0 <= mode < len(modes) else cairo.Operator.OVER


OVER = cairo.Operator.OVER
"""Plain painting."""
MULTIPLY = cairo.Operator.MULTIPLY
"""How shadows darken."""
DEST_IN, DEST_OUT, DEST_OVER = cairo.Operator.DEST_IN, cairo.Operator.DEST_OUT, cairo.Operator.DEST_OVER
"""What is there only within, only outside of, or over what comes."""


def layer_operator(mode: int) -> cairo.Operator:
    """Operator of ``blendMode``/``featureBlendMode``; an unknown number draws normally."""
    return _pick(_LAYER_MODES, mode)


def effect_operator(mode: int) -> cairo.Operator:
    """Operator of a paint effect's ``blend_mode``, which counts as Qt does; unknown = normal."""
    return _pick(_EFFECT_MODES, mode)
