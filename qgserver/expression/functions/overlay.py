"""Overlays: features of another layer that stand in a spatial relation to the current one."""

from __future__ import annotations

from collections.abc import Iterable

import shapely

from qgserver.errors import ExpressionError
from qgserver.expression.context import Feature, FeatureRequest, Frame, LayerInfo
from qgserver.expression.function import Group, Lazy
from qgserver.expression.geometries import Geometry, straightened
from qgserver.expression.layers import find_layer, inside
from qgserver.expression.nodes import Literal
from qgserver.expression.shapes import reprojected
from qgserver.expression.values import Value, to_double, to_int, truth

function = Group("Geometry", pure=False, faults=(shapely.errors.ShapelyError,))


def _number(frame: Frame, argument: Lazy | None, default: float) -> float:
    value = None if argument is None else argument(frame)
    return default if value is None else to_double(value)


def _target(frame: Frame, layer: Lazy) -> tuple[LayerInfo, Geometry | None]:
    """The other layer, and the current geometry in its CRS."""
    found = find_layer(frame, layer(frame))
    if found is None:
        raise ExpressionError("Cannot find the layer of the overlay")
    geometry = straightened(frame.feature.geometry) if frame.feature is not None else None
    own = frame.context.layer.crs if frame.context.layer is not None else ""
    if geometry is not None and own and found.crs and own != found.crs:
        geometry = reprojected(geometry, own, found.crs)
    return found, geometry


def _candidates(frame: Frame, layer: LayerInfo, box: tuple[float, float, float, float] | None) -> list[Feature]:
    """Features of the other layer with a geometry, the current one excepted."""
    key = ("overlay", layer.id, box)
    cache = frame.context.cache
    if key not in cache:
        request = FeatureRequest(geometry=True, box=box, context=inside(frame.context, layer))
        cache[key] = [feature for feature in layer.features(request) if feature.geometry is not None]
    found: list[Feature] = cache[key]  # type: ignore[assignment]  # nothing else is kept under such a key
    frame.budget.spend(len(found))
    current = frame.feature
    same = current is not None and frame.context.layer is not None and frame.context.layer.id == layer.id
    return [feature for feature in found if not (same and current is not None and feature.fid == current.fid)]


def _answer(
    frame: Frame, layer: LayerInfo, features: list[Feature], options: tuple[Lazy | None, Lazy | None], limit: int
) -> Value:
    """Whether one of the features passes the filter, or the values of the expression for those that do."""
    expression, where = options
    context = inside(frame.context, layer)
    values: list[Value] = []
    for feature in features:
        frame.budget.spend(2)
        here = frame.child(parent=frame.feature).on(feature, context)
        if where is not None and where.node != Literal(None) and not truth(where(here)):
            continue
        if expression is None or expression.node == Literal(None):
            return True
        values.append(expression(here))
        if 0 < limit <= len(values):
            break
    return values if expression is not None and expression.node != Literal(None) else False


def _register(name: str, predicate: str) -> None:
    test = getattr(shapely, predicate)

    def overlay(  # the language's own signature
        frame: Frame,
        layer: Lazy,
        expression: Lazy | None = None,
        filter: Lazy | None = None,
        limit: Lazy | None = None,
        cache: Lazy | None = None,
    ) -> Value:
        found, geometry = _target(frame, layer)
        if geometry is None:
            features: list[Feature] = []
        else:
            candidates = _candidates(frame, found, geometry.bounds)
            shapes = [straightened(feature.geometry) for feature in candidates]
            passed = test(geometry, shapes) if shapes else []
            features = [feature for feature, yes in zip(candidates, passed, strict=True) if yes]
        return _answer(frame, found, features, (expression, filter), int(_number(frame, limit, -1)))

    overlay.__doc__ = f"Features of a layer for which the current one {predicate} them."
    function(name, handles_null=True)(overlay)


for _name, _predicate in (
    ("overlay_intersects", "intersects"),
    ("overlay_contains", "contains"),
    ("overlay_crosses", "crosses"),
    ("overlay_equals", "equals"),
    ("overlay_touches", "touches"),
    ("overlay_within", "within"),
):
    _register(_name, _predicate)


@function("overlay_disjoint", handles_null=True)
def overlay_disjoint(  # the language's own signature
    frame: Frame,
    layer: Lazy,
    expression: Lazy | None = None,
    filter: Lazy | None = None,
    limit: Lazy | None = None,
    cache: Lazy | None = None,
) -> Value:
    """Features of a layer that the current one does not meet."""
    found, geometry = _target(frame, layer)
    request = FeatureRequest(geometry=True, context=inside(frame.context, found))
    met: set[int | str] = set()
    if geometry is not None:
        candidates = _candidates(frame, found, geometry.bounds)
        shapes = [straightened(feature.geometry) for feature in candidates]
        hits: Iterable[bool] = shapely.intersects(geometry, shapes) if shapes else []
        met = {feature.fid for feature, yes in zip(candidates, hits, strict=True) if yes}
    features = [feature for feature in found.features(request) if feature.fid not in met]
    return _answer(frame, found, features, (expression, filter), int(_number(frame, limit, -1)))


@function("overlay_nearest", handles_null=True)
def overlay_nearest(  # noqa: PLR0913  # the language's own signature
    frame: Frame,
    layer: Lazy,
    expression: Lazy | None = None,
    filter: Lazy | None = None,
    limit: Lazy | None = None,
    max_distance: Lazy | None = None,
    cache: Lazy | None = None,
) -> Value:
    """The features of a layer nearest to the current one, nearest first."""
    found, geometry = _target(frame, layer)
    count = int(_number(frame, limit, 1))
    farthest = _number(frame, max_distance, 0)
    candidates = _candidates(frame, found, None) if geometry is not None else []
    away = [float(shapely.distance(geometry, straightened(feature.geometry))) for feature in candidates]
    order = sorted(range(len(away)), key=away.__getitem__)
    features = [candidates[at] for at in order if not farthest or away[at] <= farthest]
    return _answer(frame, found, features, (expression, filter), to_int(count))
