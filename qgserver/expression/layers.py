"""Other layers, as functions reach them."""

from __future__ import annotations

from qgserver.expression.context import Context, Frame, LayerInfo
from qgserver.expression.scopes import layer_scope
from qgserver.expression.values import Value, to_text


def find_layer(frame: Frame, value: Value) -> LayerInfo | None:
    """The layer a value means: a layer, or its id or name."""
    if hasattr(value, "features"):
        return value  # type: ignore[return-value]  # nothing else has features
    layers = frame.context.layers
    return layers.layer(to_text(value)) if layers is not None and isinstance(value, str) else None


def inside(context: Context, layer: LayerInfo) -> Context:
    """The context of another layer's features."""
    return context.with_layer(layer, layer_scope(layer))
