"""TIME, ELEVATION and DIM_*: what they let through of a layer, what capabilities tell of them (WMS 1.3.0 annex C)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

from qgserver.errors import OwsError
from qgserver.expression.columns import to_values
from qgserver.expression.nodes import Binary, Chain, FieldRef, Literal, Node, any_of
from qgserver.expression.values import Value, to_text
from qgserver.ows.wms import params
from qgserver.ows.xmlio import attributes, escape
from qgserver.project.model import Dimension, VectorLayer
from qgserver.providers.protocol import Field, OrderBy, Provider, Query
from qgserver.web.request import Request

BARE = {"TIME": params.TIME, "ELEVATION": params.ELEVATION}
"""Dimensions whose parameter is their name; every other one is sent as ``DIM_`` and its name (clause C.3.2)."""
MINIMUM, MAXIMUM, REFERENCE = 1, 2, 3
"""``Dimension.default_display``; 0 = everything."""
TEXTS = ("string", "list", "map", "binary", "geometry")
MAX_VALUES = 100_000
"""The most values that capabilities list of a dimension."""


def dimension_filter(dimension: Dimension, request: Request, provider: Provider) -> Node | None:
    """What features must be to lie at the values asked for, or at the default of the layer when none are; None = all
    do. Raises ``OwsError`` InvalidDimensionValue, and ``ProviderError``."""
    field = provider.schema().field(dimension.field)
    if field is None:
        return None
    name = dimension.name.upper()
    text = (BARE[name].of(request) if name in BARE else "") or request.get(f"DIM_{name}")
    end = provider.schema().field(dimension.end_field)
    if text.strip():
        return any_of(_at(item, dimension, field, end) for item in text.split(",") if item.strip())
    value = _default(dimension, field, provider)
    return None if value is None else _between(value, value, field, end)


def _at(item: str, dimension: Dimension, field: Field, end: Field | None) -> Node:
    """One item of a list: a value, or ``first/last`` (or ``first/last/period``) with both ends."""
    first, *rest = (_value(part, dimension, field) for part in item.split("/")[:2])
    return _between(first, rest[0] if rest else first, field, end)


def _value(text: str, dimension: Dimension, field: Field) -> Value:
    word = text.strip()
    from qgserver.ows.fesliterals import literal_value

    value = literal_value(word.partition("T")[0] if field.type == "date" else word, field.type)
    if isinstance(value, str) and field.type not in TEXTS:
        message = f"'{word[:80]}' is no value of the dimension {dimension.name}."
        raise OwsError("InvalidDimensionValue", message, locator=dimension.name)
    return value


def _between(first: Value, last: Value, field: Field, end: Field | None) -> Node:
    """Features at ``first`` to ``last``; those with an end that cover some of it, whichever of their two values is the
    smaller when a range is asked for (measured)."""
    if first == last and end is None:
        return Binary("=", FieldRef(field.name), Literal(first))
    start, stop = FieldRef(field.name), FieldRef((end or field).name)
    forth = _both(Binary("<=", start, Literal(last)), Binary(">=", stop, Literal(first)))
    if first == last or end is None:
        return forth
    return Chain("OR", (forth, _both(Binary("<=", stop, Literal(last)), Binary(">=", start, Literal(first)))))


def _both(one: Node, other: Node) -> Node:
    return Chain("AND", (one, other))


def _default(dimension: Dimension, field: Field, provider: Provider) -> Value:
    """The value that counts when none is asked for; None = all do."""
    if dimension.default_display == REFERENCE:
        return _value(dimension.reference_value, dimension, field) if dimension.reference_value else None
    if dimension.default_display not in (MINIMUM, MAXIMUM):
        return None
    query = Query(
        columns=(field.name,),
        geometry=False,
        where=_known(field),
        order_by=(OrderBy(field.name, dimension.default_display == MINIMUM),),
        limit=1,
    )
    return next(iter(_values(provider, query, field.name)), None)


def _known(field: Field) -> Node:
    return Binary("ISNOT", FieldRef(field.name), Literal(None))


def _values(provider: Provider, query: Query, name: str) -> Iterator[Value]:
    with closing(provider.read(query)) as batches:
        for batch in batches:
            yield from to_values(batch.columns[name])


def dimension_elements(layer: VectorLayer, provider: Provider, version: str) -> Iterator[str]:
    """``Dimension`` elements with the values that the source holds; for 1.1.1 the ``Extent`` elements after them.
    Raises ``ProviderError``."""
    extents = []
    for dimension in layer.dimensions:
        schema = provider.schema()
        field, end = schema.field(dimension.field), schema.field(dimension.end_field)
        if field is None:
            continue
        values = _all_values(provider, field, end)
        kind = {"name": dimension.name, "units": dimension.units}
        if dimension.unit_symbol:
            kind["unitSymbol"] = dimension.unit_symbol
        how = {"multipleValues": "1", "nearestValue": "0"}
        default = _listed_default(dimension, values)
        if default:
            how["default"] = default
        texts = escape(", ".join(map(to_text, values)))
        if version == "1.3.0":
            yield f"<Dimension{attributes(kind | how)}>{texts}</Dimension>"
        else:
            yield f"<Dimension{attributes(kind)}/>"
            extents.append(f"<Extent{attributes({'name': dimension.name} | how)}>{texts}</Extent>")
    yield from extents


def _all_values(provider: Provider, *fields: Field | None) -> list[Value]:
    """The distinct values of some fields, sorted, without NULL."""
    found: set[Value] = set()
    for field in fields:
        if field is not None:
            query = Query(columns=(field.name,), geometry=False, where=_known(field))
            for value in _values(provider, query, field.name):
                found.add(value)
                if len(found) >= MAX_VALUES:
                    break
    return sorted(found)  # type: ignore[type-var]  # values of one type


def _listed_default(dimension: Dimension, values: list[Value]) -> str:
    if dimension.default_display == REFERENCE:
        return dimension.reference_value
    if not values or dimension.default_display not in (MINIMUM, MAXIMUM):
        return ""
    return to_text(values[0] if dimension.default_display == MINIMUM else values[-1])
