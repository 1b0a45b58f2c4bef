"""What an expression is evaluated in: variables by scope, project, layers, locale, limits."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Protocol

from qgserver.errors import ExpressionError
from qgserver.expression.nodes import Node, resolve_field
from qgserver.expression.values import Value

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

_EMPTY: Mapping[str, Value] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class FieldInfo:
    """A field of a layer. ``type`` is a ``providers.protocol.FieldType``; ``value_map`` maps shown text to stored value
    (the ValueMap widget)."""

    name: str
    type: str = "string"
    alias: str = ""
    value_map: Mapping[str, Value] | None = None


@dataclass(frozen=True, slots=True)
class Feature:
    """One feature as expressions see it. ``values`` by the layer's field names."""

    fid: int | str
    values: Mapping[str, Value] = field(default_factory=dict)
    geometry: BaseGeometry | None = None
    layer: LayerInfo | None = None


@dataclass(frozen=True, slots=True)
class FeatureRequest:
    """What an expression asks of a layer. ``where`` uses the layer's fields and ``context`` for its variables;
    ``box`` (xmin, ymin, xmax, ymax) keeps features whose box meets it; ``fields=None`` is all."""

    fields: frozenset[str] | None = None
    geometry: bool = False
    where: Node | None = None
    context: Context | None = None
    box: tuple[float, float, float, float] | None = None
    limit: int | None = None


class LayerInfo(Protocol):
    """A layer as expressions see it; nothing is read from its source before ``features`` is called.

    ``crs`` is an authid ("" = none); ``geometry_type`` QGIS's WKB name (``Point``, ``MultiPolygonZM``, ``NoGeometry``);
    ``properties`` answers ``layer_property`` (keys in lower case: ``title``, ``abstract``, ``crs_description``, ...).
    """

    @property
    def id(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def fields(self) -> Sequence[FieldInfo]: ...
    @property
    def crs(self) -> str: ...
    @property
    def geometry_type(self) -> str: ...
    @property
    def display_expression(self) -> str: ...
    @property
    def map_tip(self) -> str: ...
    @property
    def selected(self) -> frozenset[int | str]: ...
    @property
    def properties(self) -> Mapping[str, Value]: ...

    def features(self, request: FeatureRequest) -> Iterator[Feature]:
        """The features asked for, in the source's order."""

    def by_id(self, fid: int | str) -> Feature | None:
        """One feature, with geometry and all attributes."""


@dataclass(frozen=True, slots=True)
class Relation:
    """A relation of the project: features of ``child`` whose fields equal those of a feature of ``parent``; ``pairs``
    are (child field, parent field)."""

    id: str
    name: str
    parent: str
    child: str
    pairs: tuple[tuple[str, str], ...]


class LayerAccess(Protocol):
    """How expressions reach other layers. For a client's expressions it holds only published layers and fields."""

    def layer(self, name: str) -> LayerInfo | None:
        """The layer of that id or, failing that, of that name."""

    def relation(self, name: str) -> Relation | None:
        """The relation of that id or name."""

    def raster_bands(self, name: str) -> int | None:
        """How many bands the raster layer of that id or name has; None when there is no such layer."""

    def raster_value(self, name: str, band: int, x: float, y: float) -> float | None:
        """Value of a raster layer at a point in the layer's CRS; None outside and on no-data."""

    def raster_statistics(self, name: str, band: int) -> Mapping[str, float] | None:
        """``min max avg mean stdev range sum`` of a band; None when there is no such band."""


@dataclass(frozen=True, slots=True)
class ProjectInfo:
    """What functions need of the project beyond variables. Units are QGIS's words (``meters``, ``square meters``)."""

    crs: str = ""
    ellipsoid: str = ""
    distance_units: str = "meters"
    area_units: str = "square meters"
    colors: Mapping[str, str] = field(default_factory=dict)
    ramps: Mapping[str, Sequence[tuple[float, tuple[int, int, int, int]]]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Limits:
    """What one evaluation may use up. ``steps`` counts elements and characters that functions make or visit."""

    steps: int = 2_000_000
    size: int = 10_000_000
    """Largest string, array or map, in characters or elements."""
    seconds: float = 10.0


@dataclass(frozen=True, slots=True)
class Context:
    """Everything but the feature. ``variables`` are the merged scopes, later ones winning: global < project < map
    settings < layer < symbol (a function there makes the value when it is read); ``closed_world`` refuses functions
    that are not client safe."""

    variables: Mapping[str, Value] = field(default_factory=dict)
    project: ProjectInfo = ProjectInfo()
    layer: LayerInfo | None = None
    layers: LayerAccess | None = None
    locale: str = "en_US"
    closed_world: bool = False
    limits: Limits = Limits()
    environment: Mapping[str, str] = field(default_factory=dict)
    cache: dict[Hashable, object] = field(default_factory=dict, compare=False, repr=False)
    """What aggregates found, for the life of this context and those made from it: one request."""

    def with_scope(self, scope: Mapping[str, Value]) -> Context:
        """The context with one more scope, which wins over those already there."""
        return replace(self, variables={**self.variables, **scope}) if scope else self

    def for_clients(self) -> Context:
        """The context of a client's expression: only what is client safe, no other layers, no author's variables. The
        layer asked stays: its published fields may be aggregated as they may be read."""
        return replace(self, closed_world=True, layers=None)

    def with_layer(self, layer: LayerInfo | None, scope: Mapping[str, Value] = _EMPTY) -> Context:
        """The context inside a layer, with the layer's scope."""
        return replace(self, layer=layer, variables={**self.variables, **scope})


class Budget:
    """Counts what an evaluation uses up; shared by everything below one top-level evaluation."""

    __slots__ = ("calls", "deadline", "size", "steps")

    def __init__(self, limits: Limits, deadline: float | None = None) -> None:
        self.steps = limits.steps
        self.size = limits.size
        self.deadline = time.monotonic() + limits.seconds if deadline is None else deadline
        self.calls = 0

    def spend(self, steps: int) -> None:
        """Account for ``steps`` elements made or visited. Raises ``ExpressionError`` when there are none left."""
        self.steps -= steps
        self.calls += 1
        if self.steps < 0 or (self.calls & 63 == 0 and time.monotonic() > self.deadline):
            raise ExpressionError("The expression takes too long to evaluate")

    def allow(self, size: int) -> None:
        """Raise ``ExpressionError`` if a value of that size must not be made; else account for it."""
        if size > self.size:
            raise ExpressionError("A value of the expression grows too large")
        self.spend(size >> 4)


class Frame:
    """The state of one evaluation on one feature: passed through all closures of a compiled expression."""

    __slots__ = ("budget", "context", "feature", "local")

    def __init__(
        self,
        context: Context,
        feature: Feature | None = None,
        local: Mapping[str, Value] = _EMPTY,
        budget: Budget | None = None,
    ) -> None:
        self.context = context
        self.feature = feature
        self.local = local
        self.budget = budget or Budget(context.limits)

    def variable(self, name: str) -> Value:
        """The value of ``@name``; None when nobody set it."""
        if name in self.local:
            return self.local[name]
        value = None if self.context.closed_world else self.context.variables.get(name)
        if value is None and self.feature is not None and name in _OF_FEATURE:
            return _OF_FEATURE[name](self.feature)
        return value() if callable(value) else value

    def field(self, name: str) -> Value:
        """An attribute of the current feature, NULL for one it does not have. Raises without a feature."""
        feature = self.feature
        if feature is None:
            raise ExpressionError(f"Field '{name}' not found")
        values = feature.values
        if name in values:
            return values[name]
        layer = feature.layer or self.context.layer
        aliases = [(spec.name, spec.alias) for spec in layer.fields] if layer is not None else []
        real = resolve_field(name, values, aliases)
        return None if real is None else values[real]

    def child(self, **local: Value) -> Frame:
        """The same evaluation with more variables."""
        return Frame(self.context, self.feature, {**self.local, **local}, self.budget)

    def on(self, feature: Feature | None, context: Context | None = None) -> Frame:
        """The same evaluation on another feature."""
        return Frame(context or self.context, feature, self.local, self.budget)


_OF_FEATURE: Mapping[str, Callable[[Feature], Value]] = {
    "feature": lambda feature: feature,
    "id": lambda feature: feature.fid,
    "geometry": lambda feature: feature.geometry,
}
"""Variables that QGIS sets with the feature since 3.24."""
