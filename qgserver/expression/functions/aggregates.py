"""Aggregates over the features of this or another layer."""

from __future__ import annotations

from collections.abc import Callable, Hashable

from qgserver.errors import ExpressionError
from qgserver.expression.aggregate import ALIASES, NAMES, compute, kind_of
from qgserver.expression.context import FeatureRequest, Frame, LayerInfo
from qgserver.expression.function import Group, Lazy
from qgserver.expression.layers import find_layer, inside
from qgserver.expression.nodes import (
    Binary,
    FieldRef,
    Literal,
    Node,
    all_of,
    needs_geometry,
    resolve_field,
    used_fields,
    used_variables,
)
from qgserver.expression.rows import compile_row
from qgserver.expression.values import Value, to_text
from qgserver.expression.variants import Sortable

function = Group("Aggregates", pure=False)


class _Work:
    """One aggregate: over which layer, of which expression, in which groups and order."""

    __slots__ = ("expression", "frame", "group", "layer", "order", "where")

    def __init__(self, frame: Frame, layer: LayerInfo, expression: Node) -> None:
        self.frame = frame
        self.layer = layer
        self.expression = expression
        self.where: Node | None = None
        self.group: Node | None = None
        self.order: Node | None = None

    def nodes(self) -> list[Node]:
        return [node for node in (self.expression, self.where, self.group, self.order) if node is not None]

    def key(self) -> Hashable:
        """What the collected values depend on."""
        names = sorted(set().union(*(used_variables(node) for node in self.nodes())))
        parent = self.frame.feature.fid if self.frame.feature is not None and "parent" in names else None
        local = tuple((name, repr(self.frame.local.get(name))) for name in names if name in self.frame.local)
        return (self.layer.id, self.expression, self.where, self.group, self.order, parent, local)

    def values(self) -> dict[Hashable, list[Value]]:
        """The values by the text of their group ("" without groups), collected once per request."""
        cache = self.frame.context.cache
        key = self.key()
        if key not in cache:
            cache[key] = self.collect()
        return cache[key]  # type: ignore[return-value]  # nothing else is kept under such a key

    def request(self) -> FeatureRequest:
        fields: frozenset[str] | None = frozenset()
        for node in self.nodes():
            used = used_fields(node)
            fields = None if used is None or fields is None else fields | used
        geometry = any(needs_geometry(node) for node in self.nodes())
        return FeatureRequest(fields=fields, geometry=geometry)

    def collect(self) -> dict[Hashable, list[Value]]:
        context = inside(self.frame.context, self.layer)
        outer = self.frame.child(parent=self.frame.feature)
        evaluate = compile_row(self.expression)
        keep = None if self.where is None else compile_row(self.where)
        group = None if self.group is None else compile_row(self.group)
        order = None if self.order is None else compile_row(self.order)
        rows: list[tuple[Hashable, Sortable | None, Value]] = []
        for feature in self.layer.features(self.request()):
            self.frame.budget.spend(4)
            here = outer.on(feature, context)
            if keep is not None and not _passes(keep, here):
                continue
            place = "" if group is None else _group_key(group(here))
            rows.append((place, None if order is None else Sortable(order(here)), evaluate(here)))
        if order is not None:
            rows.sort(key=lambda row: (row[1] is None or row[1].value is None, row[1]))  # NULLs last
        found: dict[Hashable, list[Value]] = {}
        for place, _, value in rows:
            found.setdefault(place, []).append(value)
        return found


def _passes(keep: Callable[[Frame], Value], frame: Frame) -> bool:
    from qgserver.expression.values import truth

    try:
        return bool(truth(keep(frame)))
    except ExpressionError:
        return False


def _group_key(value: Value) -> Hashable:
    return (value is None, to_text(value))


def _declared(layer: LayerInfo, node: Node) -> str:
    """The type of the field an expression consists of, "" when it is more than a field."""
    if not isinstance(node, FieldRef):
        return ""
    names = [spec.name for spec in layer.fields]
    real = resolve_field(node.name, names, [(spec.name, spec.alias) for spec in layer.fields])
    if real is None:
        raise ExpressionError(f"Could not calculate aggregate for: {node.name[:100]} (field not found)")
    return next(spec.type for spec in layer.fields if spec.name == real)


def _result(name: str, work: _Work, place: Hashable, concatenator: str = "") -> Value:
    key = ("aggregate", name, place, concatenator, work.key())
    cache = work.frame.context.cache
    if key not in cache:
        groups = work.values()
        values = groups.get(place, [])
        everything = [value for group in groups.values() for value in group]
        kind = kind_of(everything, _declared(work.layer, work.expression))
        cache[key] = compute(name, values, kind, concatenator)
    return cache[key]


def _node(argument: Lazy | None) -> Node | None:
    """The expression of an argument; None when it is left out or NULL."""
    return None if argument is None or argument.node == Literal(None) else argument.node


def _own(
    frame: Frame, name: str, expression: Lazy, options: tuple[Lazy | None, Lazy | None, Lazy | None], text: str = ""
) -> Value:
    """An aggregate of the current layer; ``options``: group_by, filter, order_by."""
    layer = frame.context.layer
    if layer is None:
        raise ExpressionError("Cannot use an aggregate without a layer")
    work = _Work(frame, layer, expression.node)
    work.group, work.where, work.order = (_node(option) for option in options)
    if work.group is None:
        return _result(name, work, "", text)
    return _result(name, work, _group_key(compile_row(work.group)(frame)), text)


def _register(name: str, aggregate: str) -> None:
    def own(frame: Frame, expression: Lazy, group_by: Lazy | None = None, filter: Lazy | None = None) -> Value:
        return _own(frame, aggregate, expression, (group_by, filter, None))

    own.__doc__ = f"The {name.replace('_', ' ')} of an expression over the current layer, in groups, filtered."
    function(name, handles_null=True)(own)


for _name, _aggregate in (
    ("count", "count"), ("count_distinct", "count_distinct"), ("count_missing", "count_missing"), ("sum", "sum"),
    ("minimum", "min"), ("maximum", "max"), ("mean", "mean"), ("median", "median"), ("stdev", "stdevsample"),
    ("range", "range"), ("minority", "minority"), ("majority", "majority"), ("q1", "q1"), ("q3", "q3"), ("iqr", "iqr"),
    ("min_length", "min_length"), ("max_length", "max_length"), ("collect", "collect"),
):  # fmt: skip
    _register(_name, _aggregate)


def _concatenator(frame: Frame, argument: Lazy | None) -> str:
    return "" if argument is None else to_text(argument(frame))


@function("concatenate", handles_null=True)
def concatenate(  # the language's own signature
    frame: Frame,
    expression: Lazy,
    group_by: Lazy | None = None,
    filter: Lazy | None = None,
    concatenator: Lazy | None = None,
    order_by: Lazy | None = None,
) -> Value:
    """All texts of an expression over the current layer, joined."""
    return _own(frame, "concatenate", expression, (group_by, filter, order_by), _concatenator(frame, concatenator))


@function("concatenate_unique", handles_null=True)
def concatenate_unique(  # the language's own signature
    frame: Frame,
    expression: Lazy,
    group_by: Lazy | None = None,
    filter: Lazy | None = None,
    concatenator: Lazy | None = None,
    order_by: Lazy | None = None,
) -> Value:
    """All different texts of an expression over the current layer, joined."""
    text = _concatenator(frame, concatenator)
    return _own(frame, "concatenate_unique", expression, (group_by, filter, order_by), text)


@function("array_agg", handles_null=True)
def array_agg(
    frame: Frame,
    expression: Lazy,
    group_by: Lazy | None = None,
    filter: Lazy | None = None,
    order_by: Lazy | None = None,
) -> Value:
    """All values of an expression over the current layer as an array."""
    return _own(frame, "array_agg", expression, (group_by, filter, order_by))


def _aggregate_name(frame: Frame, argument: Lazy) -> str:
    word = to_text(argument(frame)).lower()
    name = ALIASES.get(word, word)
    if name not in NAMES:
        raise ExpressionError(f"No such aggregate '{word[:50]}'")
    return name


@function("aggregate", handles_null=True)
def aggregate(  # noqa: PLR0913  # the language's own signature
    frame: Frame,
    layer: Lazy,
    aggregate: Lazy,
    expression: Lazy,
    filter: Lazy | None = None,
    concatenator: Lazy | None = None,
    order_by: Lazy | None = None,
) -> Value:
    """An aggregate of any layer; ``@parent`` is the current feature."""
    found = find_layer(frame, layer(frame))
    if found is None:
        raise ExpressionError("Cannot find the layer to aggregate")
    work = _Work(frame, found, expression.node)
    work.where, work.order = _node(filter), _node(order_by)
    return _result(_aggregate_name(frame, aggregate), work, "", _concatenator(frame, concatenator))


@function("relation_aggregate", handles_null=True)
def relation_aggregate(  # the language's own signature
    frame: Frame,
    relation: Lazy,
    aggregate: Lazy,
    expression: Lazy,
    concatenator: Lazy | None = None,
    order_by: Lazy | None = None,
) -> Value:
    """An aggregate of the features that refer to the current one by a relation."""
    parent, feature, layers = frame.context.layer, frame.feature, frame.context.layers
    if parent is None or feature is None or layers is None:
        raise ExpressionError("Cannot use relation_aggregate without a feature")
    name = to_text(relation(frame))
    found = layers.relation(name)
    if found is None or found.parent != parent.id:
        raise ExpressionError(f"Cannot find relation with id '{name[:100]}'")
    child = layers.layer(found.child)
    if child is None:
        raise ExpressionError("Cannot find the layer of the relation")
    work = _Work(frame, child, expression.node)
    pairs = ((FieldRef(mine), Literal(frame.field(theirs))) for mine, theirs in found.pairs)
    work.where = all_of(Binary("=", mine, theirs) for mine, theirs in pairs)
    work.order = _node(order_by)
    return _result(_aggregate_name(frame, aggregate), work, "", _concatenator(frame, concatenator))
