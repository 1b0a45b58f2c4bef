"""From what a client sends to the rows to write: names, types, defaults, constraints. Nothing is written here."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from qgserver.errors import ExpressionError, OwsError
from qgserver.expression.columns import to_values
from qgserver.expression.context import Context
from qgserver.expression.evaluate import select
from qgserver.expression.nodes import Node
from qgserver.expression.parser import parse
from qgserver.geo.wkb import decode
from qgserver.ows.closedworld import standard_fields
from qgserver.ows.names import GEOMETRY
from qgserver.ows.wfs.featuretype import FeatureType, Property, geometry_type, properties
from qgserver.ows.wfs.params import V2
from qgserver.ows.wfs.transactionread import Given, NewFeature
from qgserver.ows.wfs.transactionvalues import read_value, shapes
from qgserver.project.model import FieldConfig
from qgserver.project.virtualfields import compute
from qgserver.providers.batch import Batch
from qgserver.providers.columns import column
from qgserver.providers.edit import Rows
from qgserver.providers.protocol import Field, Schema

Values = dict[str, object]
"""Field -> value of one feature; a field that is not there is left to its default."""


@dataclass(frozen=True, slots=True)
class Expression:
    """What the project says of a field by an expression."""

    field: Field
    name: str
    node: Node


@dataclass(frozen=True, slots=True)
class Target:
    """A type to write to. ``schema`` is the source's own (without joined and virtual fields), ``properties`` are the
    published ones by both their names, and as ``gml:name`` what holds that property of GML; ``required`` fields must
    not be NULL (for the project; what the source itself wants, it says). ``context`` is that of the layer's author.
    ``srs_name`` is what geometries without a CRS are in, "" = the layer's with x first. ``generated`` are key fields
    that no client sets for a new feature."""

    kind: FeatureType
    schema: Schema
    properties: Mapping[str, Property]
    defaults: tuple[Expression, ...]
    renewed: tuple[Expression, ...]
    constraints: tuple[Expression, ...]
    required: frozenset[str]
    context: Context
    srs_name: str = ""
    generated: frozenset[str] = frozenset()

    @property
    def geometry_names(self) -> tuple[str, ...]:
        """What clients may call the geometry."""
        return (GEOMETRY, self.kind.layer.source.geometry_column or GEOMETRY)


@dataclass(frozen=True, slots=True)
class Changes:
    """What an Update writes: ``shape`` counts if ``reshapes``."""

    values: Values
    reshapes: bool = False
    shape: bytes | None = None


def make_target(kind: FeatureType, schema: Schema, context: Context, version: str) -> Target:
    """The target of a type whose source has that schema. ``version`` is that of the request."""
    configs = [(field, config) for config in kind.layer.fields if (field := schema.field(config.name)) is not None]
    published = properties(kind.layer, schema)
    defaults = tuple(_parsed(field, config, config.default) for field, config in configs if config.default)
    renewed = {config.name for _, config in configs if config.apply_default_on_update}
    return Target(
        kind,
        schema,
        {f"gml:{name}": item for name, item in standard_fields(published).items()}
        | {item.field: item for item in published}
        | {item.name: item for item in published},
        defaults,
        tuple(found for found in defaults if found.field.name in renewed),
        tuple(
            _parsed(field, config, config.constraint)
            for field, config in configs
            if config.constraint and "constraint" not in config.soft
        ),
        frozenset(config.name for _, config in configs if config.not_null and "not_null" not in config.soft),
        context,
        # In WFS 2.0 numbers without the name of a CRS are in the one of the capabilities, which is a URN.
        kind.layer.crs.urn if version == V2 and kind.layer.crs else "",
        frozenset(name for name in schema.key if version == V2 and _makes_itself(kind, schema, name)),
    )


def _makes_itself(kind: FeatureType, schema: Schema, name: str) -> bool:
    """Whether the source has a new value for a key: row numbers of files, sequences of databases. WFS 2.0 knows of no
    ids that clients give (clause 15.2.4): who inserts a copy of a feature, key and all, gets a new one."""
    field = schema.field(name)
    return field is not None and (kind.layer.source.provider != "postgres" or bool(field.default))


def _parsed(field: Field, config: FieldConfig, text: str) -> Expression:
    try:
        return Expression(field, config.alias or field.name, parse(text))
    except ExpressionError as error:
        # Written without its default or unchecked the data would be wrong: the administrator has to look at this.
        raise OwsError(
            "OperationProcessingFailed",
            f"An expression of field {field.name} has errors.",
            status=500,
            detail=f"{text[:200]}: {error.message}",
        ) from None


# -- what is sent ---------------------------------------------------------------------------------------------------


def read_values(target: Target, given: Sequence[Given]) -> Values:
    """The attributes among ``given``. Raises ``OwsError`` InvalidValue for what is not there or can't be written."""
    values: Values = {}
    for one in _without_echoes(target, given):
        if one.geometry is not None or (one.name in target.geometry_names and one.text is None):
            continue
        item = target.properties.get(one.name)
        field = target.schema.field(item.field) if item is not None else None
        if one.optional and field is None:
            continue
        if item is None or field is None:
            raise OwsError("InvalidValue", f"There is no property {one.name[:80]} that can be written.")
        if field.name in values:
            raise OwsError("InvalidValue", f"Property {item.name} is given twice.")
        editable = target.kind.layer.field_config(field.name).editable
        if not editable and one.text is not None:
            raise OwsError("InvalidValue", f"Property {item.name} is read only.")
        if editable:
            values[field.name] = None if one.text is None else read_value(one.text, item, field)
    return values


def _without_echoes(target: Target, given: Sequence[Given]) -> list[Given]:
    """``given`` without the properties of GML that only repeat one of the type's own. Raises ``OwsError`` InvalidValue
    when they say something else."""
    out = []
    sent = {one.name: one for one in given}
    for one in given:
        item = target.properties.get(one.name) if one.optional else None
        own = sent.get(item.name, sent.get(item.field)) if item is not None else None
        if own is None:
            out.append(one)
        elif item is not None and own.text != one.text:
            raise OwsError("InvalidValue", f"{one.name} and {item.name} are one property, and have two values.")
    return out


def read_shape(target: Target, given: Sequence[Given]) -> Given | None:
    """The geometry among ``given``, None when there is none. Raises ``OwsError`` InvalidValue."""
    found = [one for one in given if one.geometry is not None or one.name in target.geometry_names]
    if not found:
        return None
    (one, *more) = found
    if more:
        raise OwsError("InvalidValue", "A feature has one geometry.")
    if one.name not in target.geometry_names or not target.kind.layer.has_geometry:
        raise OwsError("InvalidValue", f"There is no geometry property {one.name[:80]}.")
    if one.text is not None:
        raise OwsError("InvalidValue", "The value of the geometry is no geometry.")
    return one


def _shapes(target: Target, given: Sequence[Given | None], srs_name: str) -> list[bytes | None]:
    layer = target.kind.layer
    geometries = [None if one is None else one.geometry for one in given]
    return shapes(geometries, srs_name or target.srs_name, layer.crs, geometry_type(layer, target.schema))


def read_changes(target: Target, given: Sequence[Given], srs_name: str) -> Changes:
    """What an Update writes. NULL is refused where the project wants a value."""
    values = read_values(target, given)
    for name in values:
        if values[name] is None and (name in target.required or name in target.schema.key):
            raise _missing(name)
    shape = read_shape(target, given)
    return Changes(values, shape is not None, _shapes(target, [shape], srs_name)[0])


def read_replacement(target: Target, given: Sequence[Given], srs_name: str) -> Changes:
    """What a Replace writes: all that can be written, NULL where nothing is sent. The key stays, and what can't be
    written is passed over: clients send back all that they were given."""
    known = {*target.properties, *target.geometry_names}
    unknown = [one.name for one in given if one.name not in known and not one.optional]
    if unknown:
        raise OwsError("InvalidValue", f"There is no property {unknown[0][:80]}.")
    told = _without_echoes(target, given)
    sent = {item.field: one for one in told if (item := target.properties.get(one.name)) is not None}
    values = []
    for item in dict.fromkeys(target.properties.values()):
        editable = target.kind.layer.field_config(item.field).editable
        if editable and target.schema.field(item.field) is not None and item.field not in target.schema.key:
            values.append(sent.get(item.field, Given(item.name)))
    if target.kind.layer.has_geometry:
        shape = [one for one in given if one.name in target.geometry_names]
        values += shape or [Given(GEOMETRY)]
    return read_changes(target, values, srs_name)


# -- new features ---------------------------------------------------------------------------------------------------


def new_rows(target: Target, features: Sequence[NewFeature], srs_name: str) -> list[Rows]:
    """The rows of new features, in their order: those with the same columns together. Defaults of the project are
    filled in, its constraints are met."""
    values = [read_values(target, feature.values) for feature in features]
    given = [read_shape(target, feature.values) for feature in features]
    made = _shapes(target, given, srs_name) if target.kind.layer.has_geometry else [None] * len(features)
    for one in values:
        for name in [name for name, value in one.items() if _is_made(target, name, value)]:
            del one[name]
    _fill(target, values, made)
    for one in values:
        for name in target.required:
            field = target.schema.field(name)
            default = field is not None and (field.default or name in target.schema.key)
            if one.get(name) is None and (name in one or not default):
                raise _missing(name)
    check(target.constraints, _batch(target, values, made), target.context)
    written = [one is not None for one in given]
    out: list[Rows] = []
    for key, places in groupby(range(len(values)), key=lambda at: (tuple(values[at]), written[at])):
        at = list(places)
        rows = [tuple(values[place].values()) for place in at]
        out.append(Rows(key[0], rows, [made[place] for place in at] if key[1] else None))
    return out


def _is_made(target: Target, name: str, value: object) -> bool:
    """Whether what is sent for a new feature gives way to the value that the source or the project makes."""
    if value is not None:
        return name in target.generated
    field = target.schema.field(name)
    made = {expression.field.name for expression in target.defaults}
    return field is not None and (name in made or name in target.schema.key or not field.nullable)


def _missing(name: str) -> OwsError:
    return OwsError("InvalidValue", f"Field {name} must have a value.")


def _fill(target: Target, values: Sequence[Values], made: Sequence[bytes | None]) -> None:
    """Put the project's defaults where nothing was given, field after field: one may build on another."""
    for default in target.defaults:
        name = default.field.name
        if all(name in one for one in values):
            continue
        found = to_values(compute(default.node, default.field.type, _batch(target, values, made), target.context))
        for one, value in zip(values, found, strict=True):
            if value is not None:
                one.setdefault(name, value)


def _batch(target: Target, values: Sequence[Values], made: Sequence[bytes | None]) -> Batch:
    """The new features as expressions see them."""
    columns = {
        field.name: column([columnar(one.get(field.name)) for one in values], field.type)
        for field in target.schema.fields
        if field.type != "geometry"
    }
    geometry = decode(made) if target.kind.layer.has_geometry else None
    return Batch(np.arange(len(values)), columns, geometry)


def columnar(value: object) -> object:
    """A value as ``providers.columns`` takes it: dates as text, without a zone."""
    if isinstance(value, dt.datetime):
        return value.replace(tzinfo=None).isoformat()
    return value.isoformat() if isinstance(value, dt.date) else value


def check(constraints: Sequence[Expression], batch: Batch, context: Context) -> None:
    """Raise ``OwsError`` InvalidValue unless every feature meets the constraints (NULL does not, as in QGIS)."""
    for constraint in constraints:
        if not select(constraint.node, batch, context).all():
            raise OwsError("InvalidValue", f"The value of {constraint.name} does not meet its constraint.")
