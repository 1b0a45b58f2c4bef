"""General: variables, expressions as texts, layers, rasters, identifiers."""

from __future__ import annotations

import uuid as uuids
from collections.abc import Callable

from qgserver.errors import ExpressionError
from qgserver.expression.coerce import LooseInt, loose_int
from qgserver.expression.context import Frame, LayerInfo
from qgserver.expression.function import Group, Lazy
from qgserver.expression.layers import find_layer
from qgserver.expression.template import expand
from qgserver.expression.values import NO_TEXT, Value, is_geometry, to_bytes, to_text

function = Group("General", pure=False)

MAX_EVALS = 20
"""How deep ``eval`` may nest."""


@function("var")
def var(frame: Frame, name: str) -> Value:
    """The value of a variable."""
    return frame.variable(name)


@function("with_variable", handles_null=True)
def with_variable(frame: Frame, name: Lazy, value: Lazy, expression: Lazy) -> Value:
    """An expression evaluated with one more variable."""
    return expression(frame.child(**{to_text(name(frame)): value(frame)}))


@function("eval")
def eval_(frame: Frame, expression: str) -> Value:
    """The value of an expression given as a text; NULL when that has an error."""
    from qgserver.expression.parser import parse
    from qgserver.expression.rows import compile_row

    depth = frame.local.get("\0eval", 0)
    if not isinstance(depth, int) or depth >= MAX_EVALS:
        raise ExpressionError("eval is nested too deeply")
    frame.budget.spend(100 + len(expression))
    return compile_row(parse(expression))(frame.child(**{"\0eval": depth + 1}))


@function("eval_template")
def eval_template(frame: Frame, template: str) -> str | None:
    """A text with ``[% expressions %]`` replaced by their values."""
    if template is NO_TEXT:
        return None
    depth = frame.local.get("\0eval", 0)
    if not isinstance(depth, int) or depth >= MAX_EVALS:
        raise ExpressionError("eval_template is nested too deeply")
    return expand(template, frame.child(**{"\0eval": depth + 1}))


@function("env", client_safe=False)
def env(frame: Frame, name: str) -> Value:
    """An environment variable."""
    return frame.context.environment.get(name)


@function("uuid", "$uuid")
def uuid(format: str = "WithBraces") -> str:
    """A new identifier: ``WithBraces``, ``WithoutBraces`` or ``Id128``."""
    made = uuids.uuid4()
    return {"withbraces": f"{{{made}}}", "withoutbraces": str(made), "id128": made.hex}.get(
        format.lower(), f"{{{made}}}"
    )


@function("$scale")
def scale(frame: Frame) -> Value:
    """The scale of the map (deprecated)."""
    return frame.variable("map_scale")


_SIGNATURES = (
    (b"\x89PNG", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF8", "image/gif"),
    (b"%PDF", "application/pdf"),
    (b"PK\x03\x04", "application/zip"),
    (b"\x1f\x8b", "application/gzip"),
    (b"BM", "image/bmp"),
    (b"II*\0", "image/tiff"),
    (b"MM\0*", "image/tiff"),
    (b"<?xml", "application/xml"),
)


@function("mime_type")
def mime_type(binary_data: Value) -> str:
    """The kind of data in a binary value."""
    data = to_bytes(binary_data)
    if not data:
        return "application/x-zerosize"
    for signature, name in _SIGNATURES:
        if data.startswith(signature):
            return name
    if b"\0" in data[:1000]:
        return "application/octet-stream"
    return "text/plain"


# -- layers ---------------------------------------------------------------------------------------------------------


@function("is_layer_visible")
def is_layer_visible(frame: Frame, id: Value) -> bool:
    """Whether a layer is part of the map."""
    layer = find_layer(frame, id)
    shown = frame.variable("map_layer_ids")
    return layer is not None and isinstance(shown, list) and layer.id in shown


@function("layer_property")
def layer_property(frame: Frame, layer: Value, property: str) -> Value:
    """A property of a layer: name, id, crs, extent, type, ..."""
    found = find_layer(frame, layer)
    if found is None:
        return None
    key = property.lower()
    if frame.context.closed_world and key in _SECRETS:
        raise ExpressionError(f"The layer property {key} is not allowed here")
    reader = _PROPERTIES.get(key)
    value = reader(found) if reader is not None else found.properties.get(key)
    return None if value == "" else value


_SECRETS = frozenset(("source", "path", "uri"))
"""Properties that say where data lies: not for clients."""


def _extent(layer: LayerInfo) -> Value:
    box = layer.properties.get("extent")
    if not isinstance(box, tuple):
        return None
    from shapely import Polygon

    x1, y1, x2, y2 = box
    return Polygon([(x1, y1), (x2, y1), (x2, y2), (x1, y2)])


def _crs(key: str, layer: LayerInfo) -> Value:
    from qgserver.expression.crs import describe

    return describe(layer.crs).get(key) if layer.crs else None


_KINDS = {
    "Point": "Point",
    "LineString": "Line",
    "Polygon": "Polygon",
    "NoGeometry": "No geometry",
    "CurvePolygon": "Polygon",
    "CompoundCurve": "Line",
    "Surface": "Polygon",
    "Curve": "Line",
    "Unknown": "Unknown geometry",
}

_PROPERTIES: dict[str, Callable[[LayerInfo], Value]] = {
    "name": lambda layer: layer.name,
    "id": lambda layer: layer.id,
    "crs": lambda layer: layer.crs,
    "crs_definition": lambda layer: _crs("definition", layer),
    "crs_description": lambda layer: _crs("description", layer),
    "crs_ellipsoid": lambda layer: _crs("ellipsoid", layer),
    "distance_units": lambda layer: _crs("units", layer),
    "extent": _extent,
    "is_editable": lambda layer: False,
    "type": lambda layer: layer.properties.get("type", "Vector"),
    "geometry_type": lambda layer: _KINDS.get(layer.geometry_type.removeprefix("Multi").rstrip("ZM"), ""),
    "min_scale": lambda layer: layer.properties.get("min_scale", 100000000.0),
    "max_scale": lambda layer: layer.properties.get("max_scale", 0.0),
}


@function("decode_uri", client_safe=False)
def decode_uri(frame: Frame, layer: Value, part: str | None = None) -> Value:
    """The parts of a layer's data source (path, layerName, ...), without credentials."""
    found = find_layer(frame, layer)
    if found is None:
        raise ExpressionError(f"Cannot find layer {to_text(layer)[:100]}")
    uri = found.properties.get("uri")
    parts = uri if isinstance(uri, dict) else {}
    return parts if part is None else parts.get(part)


# -- rasters --------------------------------------------------------------------------------------------------------


@function("raster_value")
def raster_value(frame: Frame, layer: Value, band: Value, point: Value) -> float | None:
    """The value of a raster layer at a point."""
    layers = frame.context.layers
    name = _raster_name(layer)
    bands = layers.raster_bands(name) if layers is not None else None
    if layers is None or bands is None:
        raise ExpressionError("raster_value requires a valid raster layer")
    number = loose_int(band)
    if not 1 <= number <= bands:
        raise ExpressionError("raster_value requires a valid raster band number")
    place = _place(point)
    if place is None:
        raise ExpressionError("raster_value requires a valid point geometry")
    return layers.raster_value(name, number, *place)


def _raster_name(layer: Value) -> str:
    return str(getattr(layer, "id", "")) if hasattr(layer, "features") else to_text(layer)


def _place(value: Value) -> tuple[float, float] | None:
    if not is_geometry(value):
        return None
    from qgserver.expression.geometries import straightened
    from qgserver.expression.shapes import single_point

    point = single_point(straightened(value))
    return None if point is None or point.is_empty else (float(point.x), float(point.y))


@function("raster_statistic")
def raster_statistic(frame: Frame, layer: Value, band: LooseInt, statistic: str) -> float | None:
    """``min max avg stdev range sum`` of a band of a raster layer."""
    layers = frame.context.layers
    name = _raster_name(layer)
    bands = layers.raster_bands(name) if layers is not None else None
    if layers is None or bands is None:
        return None
    if not 1 <= band <= bands:
        raise ExpressionError(f"Invalid band number {band}")
    values = layers.raster_statistics(name, band)
    key = statistic.lower()
    if values is None or key not in ("min", "max", "avg", "mean", "stdev", "range", "sum"):
        raise ExpressionError(f"Invalid raster statistic: '{statistic[:50]}'")
    return values.get("avg" if key == "mean" else key)


@function("raster_attributes", since="3.30")
def raster_attributes(frame: Frame, layer: Value, band: Value, point: Value) -> Value:
    """The attribute table's row of a raster cell: tables are not read here."""
    return None


# -- what only a desktop has ----------------------------------------------------------------------------------------


@function("parameter")
def parameter(name: str) -> Value:
    """A parameter of a processing algorithm: none runs on a server."""
    return None


@function("item_variables")
def item_variables(frame: Frame, id: Value) -> Value:
    """The variables of a layout item, where a layout gives them."""
    items = frame.variable("layout_items")
    return items.get(to_text(id)) if isinstance(items, dict) else None


@function("map_credits")
def map_credits(id: Value, include_layer_names: Value = False, layer_name_separator: Value = ": ") -> Value:
    """The credits of a layout map."""
    return None


@function("load_layer", client_safe=False, since="3.30")
def load_layer(uri: str, provider: str) -> Value:
    """A layer from a data source: projects name their layers, so it is NULL on a server."""
    return None
