"""The current feature, other features, their attributes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qgserver.errors import ExpressionError
from qgserver.expression.context import Feature, FeatureRequest, FieldInfo, Frame, LayerInfo
from qgserver.expression.function import Group, Lazy
from qgserver.expression.layers import find_layer, inside
from qgserver.expression.nodes import FieldRef, Literal, Node, resolve_field
from qgserver.expression.template import expand
from qgserver.expression.values import Value, is_geometry, to_int, to_text

if TYPE_CHECKING:
    from qgserver.expression.geometries import AnyGeometry, Geometry

function = Group("Record and Attributes", pure=False)


def _geometry(frame: Frame) -> AnyGeometry | None:
    return frame.feature.geometry if frame.feature is not None else None


@function("$currentfeature")
def currentfeature(frame: Frame) -> Feature | None:
    """The feature being evaluated."""
    return frame.feature


@function("$id")
def feature_id(frame: Frame) -> int | str | None:
    """The id of the feature being evaluated."""
    return frame.feature.fid if frame.feature is not None else None


@function("$geometry")
def geometry_(frame: Frame) -> AnyGeometry | None:
    """The geometry of the feature being evaluated."""
    return _geometry(frame)


@function("geometry")
def geometry_of(feature: Feature) -> AnyGeometry | None:
    """The geometry of a feature."""
    return feature.geometry


def _point(frame: Frame) -> Geometry | None:
    geometry = _geometry(frame)
    if geometry is None:
        return None
    from qgserver.expression.geometries import straightened
    from qgserver.expression.shapes import single_point

    return single_point(straightened(geometry))


@function("$x")
def x(frame: Frame) -> float | None:
    """Easting of the current point."""
    point = _point(frame)
    return None if point is None else float(point.x)


@function("$y")
def y(frame: Frame) -> float | None:
    """Northing of the current point."""
    point = _point(frame)
    return None if point is None else float(point.y)


@function("$z")
def z(frame: Frame) -> float | None:
    """Height of the current point."""
    point = _point(frame)
    return float(point.z) if point is not None and point.has_z else None


def _layer_crs(frame: Frame) -> str:
    feature = frame.feature
    layer = (feature.layer if feature is not None else None) or frame.context.layer
    return layer.crs if layer is not None else ""


@function("$area")
def area(frame: Frame) -> float | None:
    """Area of the current polygon on the project's ellipsoid, in the project's units."""
    from qgserver.expression.measure import SQUARE_METERS, ellipsoidal_area

    geometry, project = _geometry(frame), frame.context.project
    value = None if geometry is None else ellipsoidal_area(geometry, _layer_crs(frame), project.ellipsoid)
    return None if value is None else value / SQUARE_METERS.get(project.area_units, 1.0)


def _length(frame: Frame, rings: bool) -> float | None:
    from qgserver.expression.measure import METERS, ellipsoidal_length

    geometry, project = _geometry(frame), frame.context.project
    value = None if geometry is None else ellipsoidal_length(geometry, _layer_crs(frame), project.ellipsoid, rings)
    return None if value is None else value / METERS.get(project.distance_units, 1.0)


@function("$length")
def length(frame: Frame) -> float | None:
    """Length of the current line on the project's ellipsoid, in the project's units."""
    return _length(frame, rings=False)


@function("$perimeter")
def perimeter(frame: Frame) -> float | None:
    """Perimeter of the current polygon on the project's ellipsoid, in the project's units."""
    return _length(frame, rings=True)


# -- attributes -----------------------------------------------------------------------------------------------------


@function("attribute")
def attribute(frame: Frame, *arguments: Value) -> Value:
    """An attribute by name, of the current feature or of a given one."""
    if len(arguments) not in (1, 2):
        raise ExpressionError("attribute takes 1 or 2 arguments")
    feature = frame.feature if len(arguments) == 1 else arguments[0]
    if not isinstance(feature, Feature):
        if len(arguments) == 1:
            return None
        raise ExpressionError("Cannot convert to feature")
    return frame.on(feature).field(to_text(arguments[-1]))


@function("attributes")
def attributes(frame: Frame, feature: Feature | None = None) -> dict[str, Value] | None:
    """All attributes as a map."""
    found = feature if feature is not None else frame.feature
    return None if found is None else dict(found.values)


@function("represent_value", handles_null=True)
def represent_value(frame: Frame, attribute: Lazy, field_name: Lazy | None = None) -> Value:
    """The text a form shows for the value of a field."""
    value = attribute(frame)
    if value is None:
        return None
    if field_name is not None:
        name = to_text(field_name(frame))
    elif isinstance(attribute.node, FieldRef):
        name = attribute.node.name
    else:
        raise ExpressionError("represent_value needs a field")
    layer = _current_layer(frame)
    specs = layer.fields if layer is not None else ()
    real = resolve_field(name, [spec.name for spec in specs], [(spec.name, spec.alias) for spec in specs])
    spec = next((spec for spec in specs if spec.name == real), None)
    if spec is None:
        raise ExpressionError(f"represent_value: Field not found {name[:100]}")
    return _shown(spec, value)


@function("represent_attributes", since="3.26")
def represent_attributes(frame: Frame, *arguments: Value) -> dict[str, Value] | None:
    """All attributes as a map of the texts a form shows: (), (feature) or (layer, feature)."""
    layer = find_layer(frame, arguments[0]) if len(arguments) > 1 else _current_layer(frame)
    feature = arguments[-1] if arguments else frame.feature
    if layer is None or not isinstance(feature, Feature):
        return None
    return {spec.name: _shown(spec, feature.values.get(spec.name)) for spec in layer.fields}


def _shown(spec: FieldInfo, value: Value) -> Value:
    """The text a form shows for a value of a field."""
    if value is None or spec.value_map is None:
        return to_text(value) if value is not None else None
    shown = {to_text(stored): text for text, stored in spec.value_map.items()}
    return shown.get(to_text(value), f"({to_text(value)})")


def _current_layer(frame: Frame) -> LayerInfo | None:
    feature = frame.feature
    return (feature.layer if feature is not None else None) or frame.context.layer


# -- other features -------------------------------------------------------------------------------------------------


@function("get_feature")
def get_feature(frame: Frame, layer: Value, attribute: Value, value: Value = None) -> Feature | None:
    """The first feature of a layer with a value, or with all the values of a map."""
    found = find_layer(frame, layer)
    if found is None:
        return None
    wanted = attribute if isinstance(attribute, dict) else {to_text(attribute): value}
    names = [spec.name for spec in found.fields]
    terms: list[Node] = []
    from qgserver.expression.nodes import Binary, all_of

    for name, item in wanted.items():
        real = resolve_field(name, names, [(spec.name, spec.alias) for spec in found.fields])
        if real is None or isinstance(item, list | dict) or is_geometry(item):
            return None
        terms.append(Binary("=", FieldRef(real), Literal(item)))
    request = FeatureRequest(geometry=True, where=all_of(terms), context=inside(frame.context, found), limit=1)
    frame.budget.spend(1)
    return next(iter(found.features(request)), None)


@function("get_feature_by_id")
def get_feature_by_id(frame: Frame, layer: Value, feature_id: Value) -> Feature | None:
    """A feature of a layer by its id."""
    found = find_layer(frame, layer)
    if found is None:
        return None
    wanted = feature_id if isinstance(feature_id, str) and "@" in feature_id else to_int(feature_id)
    return found.by_id(wanted)


@function("display_expression", "feature_title")
def display_expression(frame: Frame, *arguments: Value) -> Value:
    """The display name of a feature: (), (feature) or (layer, feature, evaluate)."""
    layer, feature, evaluate = _target(frame, arguments)
    text = layer.display_expression or _display_field(layer)
    if not evaluate:
        return text
    from qgserver.expression.parser import parse
    from qgserver.expression.rows import compile_row

    frame.budget.spend(100)
    return compile_row(parse(text))(frame.on(feature, inside(frame.context, layer))) if text else None


_FRIENDLY = ("name", "title", "heibt", "desc", "nom", "street", "road", "label")


def _display_field(layer: LayerInfo) -> str:
    """The field whose name promises most: one of the usual words in it, else the first text, else the first."""
    specs = layer.fields
    chosen = next((spec for word in _FRIENDLY for spec in specs if word in spec.name.lower()), None)
    chosen = chosen or next((spec for spec in specs if spec.type == "string"), None) or next(iter(specs), None)
    return '"' + chosen.name.replace('"', '""') + '"' if chosen is not None else ""


@function("maptip")
def maptip(frame: Frame, *arguments: Value) -> Value:
    """The map tip of a feature: (), (feature) or (layer, feature, evaluate)."""
    layer, feature, evaluate = _target(frame, arguments)
    text = layer.map_tip
    if not text:
        return None
    return expand(text, frame.on(feature, inside(frame.context, layer))) if evaluate else text


def _target(frame: Frame, arguments: tuple[Value, ...]) -> tuple[LayerInfo, Feature | None, bool]:
    if len(arguments) > 3:
        raise ExpressionError("Too many arguments")
    layer = find_layer(frame, arguments[0]) if len(arguments) > 1 else frame.context.layer
    feature = arguments[min(len(arguments) - 1, 1)] if arguments else frame.feature
    if layer is None:
        raise ExpressionError("The layer is not valid.")
    if feature is not None and not isinstance(feature, Feature):
        raise ExpressionError("Cannot convert to feature")
    return layer, feature, bool(arguments[2]) if len(arguments) == 3 else True


@function("is_selected")
def is_selected(frame: Frame, *arguments: Value) -> bool | None:
    """Whether a feature is selected: (), (feature) or (layer, feature)."""
    layer = find_layer(frame, arguments[0]) if len(arguments) > 1 else frame.context.layer
    feature = arguments[-1] if arguments else frame.feature
    if layer is None or not isinstance(feature, Feature):
        return None
    return feature.fid in layer.selected


@function("num_selected")
def num_selected(frame: Frame, *arguments: Value) -> int | None:
    """How many features of a layer are selected."""
    layer = find_layer(frame, arguments[0]) if arguments else frame.context.layer
    return None if layer is None else len(layer.selected)


@function("is_feature_valid", since="3.30")
def is_feature_valid(frame: Frame, *arguments: Value) -> bool:
    """Whether a feature meets the constraints of its layer; constraints are not known here: always true."""
    return True


@function("is_attribute_valid", since="3.30")
def is_attribute_valid(attribute: Value, *arguments: Value) -> bool:
    """Whether an attribute meets its constraints; constraints are not known here: always true."""
    return True


@function("current_value")
def current_value(field_name: str) -> Value:
    """The value in an open form: there is none on a server."""
    return None


@function("current_parent_value")
def current_parent_value(field_name: str) -> Value:
    """The value in an open parent form: there is none on a server."""
    return None


@function("sqlite_fetch_and_increment", client_safe=False)
def sqlite_fetch_and_increment(  # the language's own signature
    database: Value,
    table: Value,
    id_field: Value,
    filter_attribute: Value,
    filter_value: Value,
    default_values: Value = None,
) -> Value:
    """A number from a sequence in a database: it writes, so it is NULL on a server."""
    return None
