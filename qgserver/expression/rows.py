"""One row at a time: a tree becomes a closure, each node one Python function."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from qgserver.errors import ExpressionError
from qgserver.expression.coerce import COERCIONS
from qgserver.expression.context import Context, Feature, Frame
from qgserver.expression.function import Function, Lazy, Parameter
from qgserver.expression.functions import find
from qgserver.expression.nodes import (
    Between,
    Binary,
    Call,
    Case,
    Chain,
    FieldRef,
    In,
    Index,
    Literal,
    Node,
    Unary,
    Variable,
)
from qgserver.expression.operators import OPERATORS, join_texts, negate
from qgserver.expression.values import Value, compare, to_int, to_text, truth

RowFunction = Callable[[Frame], Value]


def evaluate_row(node: Node, context: Context, feature: Feature | None = None) -> Value:
    """The value of an expression for one feature (or none). Raises ``ExpressionError``. Compile once with
    ``compile_row`` and call the closure with ``Frame(context, feature)`` when there are many."""
    return compile_row(node)(Frame(context, feature))


def compile_row(node: Node) -> RowFunction:
    """The closure of a tree: takes a ``Frame``, returns the value, raises ``ExpressionError``."""
    return _COMPILERS[type(node)](node)


def _literal(node: Literal) -> RowFunction:
    value = node.value
    return lambda frame: value


def _field(node: FieldRef) -> RowFunction:
    name = node.name

    def field(frame: Frame) -> Value:
        feature = frame.feature
        if feature is not None and name in feature.values:
            return feature.values[name]
        return frame.field(name)

    return field


def _variable(node: Variable) -> RowFunction:
    name = node.name
    return lambda frame: frame.variable(name)


def _unary(node: Unary) -> RowFunction:
    operand = compile_row(node.operand)
    if node.op == "+":
        return operand
    if node.op == "-":
        return _negation(node.operand, operand)

    def invert(frame: Frame) -> Value:
        value = truth(operand(frame))
        return None if value is None else int(not value)

    return invert


def _negation(node: Node, operand: RowFunction) -> RowFunction:
    if not isinstance(node, FieldRef):
        return lambda frame: negate(operand(frame))

    def negated_field(frame: Frame) -> Value:
        value = operand(frame)
        # QGIS 3.22 knows the type of a null attribute, and the integer of a typed null is 0
        return 0 if value is None else negate(value)

    return negated_field


def _binary(node: Binary) -> RowFunction:
    operator = OPERATORS[node.op]
    left, right = compile_row(node.left), compile_row(node.right)
    return lambda frame: operator(left(frame), right(frame))


def _chain(node: Chain) -> RowFunction:
    terms = [compile_row(term) for term in node.terms]
    if node.op == "||":
        return lambda frame: _joined([term(frame) for term in terms], frame)
    stop = node.op == "OR"  # OR is settled by a true term, AND by a false one

    def junction(frame: Frame) -> Value:
        unknown = False
        for term in terms:
            value = truth(term(frame))
            if value is None:
                unknown = True
            elif value is stop:
                return int(stop)
        return None if unknown else int(not stop)

    return junction


def _joined(values: list[Value], frame: Frame) -> Value:
    result = join_texts(values)
    if isinstance(result, str) and len(result) > 1000:
        frame.budget.allow(len(result))
    return result


def _in(node: In) -> RowFunction:
    operand = compile_row(node.operand)
    items = [compile_row(item) for item in node.items]
    found, missing = int(not node.negated), int(node.negated)

    def contains(frame: Frame) -> Value:
        value = operand(frame)
        if value is None:
            return None
        unknown = False
        for item in items:
            result = compare("=", value, candidate := item(frame))
            if candidate is None:
                unknown = True
            elif result:
                return found
        return None if unknown else missing

    return contains


def _between(node: Between) -> RowFunction:
    operand, low, high = (compile_row(part) for part in (node.operand, node.low, node.high))
    negated = node.negated

    def between(frame: Frame) -> Value:
        value = operand(frame)
        above = compare(">=", value, low(frame))
        if above == 0:
            return int(negated)
        below = compare("<=", value, high(frame))
        if below == 0:
            return int(negated)
        return None if above is None or below is None else int(not negated)

    return between


def _case(node: Case) -> RowFunction:
    branches = [(compile_row(condition), compile_row(result)) for condition, result in node.branches]
    default = compile_row(node.default) if node.default is not None else _literal(Literal(None))
    if node.operand is not None:
        return _simple_case(compile_row(node.operand), branches, default)

    def case(frame: Frame) -> Value:
        for condition, result in branches:
            if truth(condition(frame)):
                return result(frame)
        return default(frame)

    return case


def _simple_case(
    operand: RowFunction, branches: list[tuple[RowFunction, RowFunction]], default: RowFunction
) -> RowFunction:
    def case(frame: Frame) -> Value:
        value = operand(frame)
        for candidate, result in branches:
            if compare("=", value, candidate(frame)):
                return result(frame)
        return default(frame)

    return case


def _index(node: Index) -> RowFunction:
    container, key = compile_row(node.container), compile_row(node.key)

    def index(frame: Frame) -> Value:
        values = container(frame)
        if values is None:
            return None
        return item_of(values, key(frame))

    return index


def item_of(values: Value, key: Value) -> Value:
    """``values[key]``: an element of an array (negative from the end) or a map; None when there is none."""
    if isinstance(values, dict):
        return values.get(to_text(key))
    if isinstance(values, list):
        at = to_int("" if key is None else key)
        return values[at] if -len(values) <= at < len(values) else None
    raise ExpressionError("[] can only be used with map or array values")


# -- functions ------------------------------------------------------------------------------------------------------


def _call(node: Call) -> RowFunction:
    function = find(node.name.lower())
    if function is None:
        raise ExpressionError(f"Function {node.name} is not known")
    lazy = any(kind == "Lazy" for kind in _kinds(function, len(node.args)))
    call = _lazy_call(function, node.args) if lazy else _eager_call(function, node.args)
    name, faults, safe = function.name, function.faults, function.client_safe

    def guarded(frame: Frame) -> Value:
        if not safe and frame.context.closed_world:
            raise ExpressionError(f"The function {name} is not allowed here")
        try:
            return call(frame)
        except faults as error:
            raise ExpressionError(f"{name}: {error}") from error

    return guarded


def _parameters(function: Function, count: int) -> Sequence[Parameter]:
    if not function.variadic:
        return function.parameters
    extra = max(0, count - len(function.parameters))
    return [*function.parameters, *(Parameter("", function.variadic) for _ in range(extra))]


def _kinds(function: Function, count: int) -> list[str]:
    return [parameter.kind for parameter in _parameters(function, count)]


def _lazy_call(function: Function, args: Sequence[Node | None]) -> RowFunction:
    """Lazy functions get closures for their Lazy parameters, and plain values for the others."""
    implementation, takes_frame = function.implementation, function.takes_frame
    thunks: list[tuple[Lazy | None, Parameter]] = []
    for parameter, arg in zip(_parameters(function, len(args)), args, strict=False):
        thunks.append((None if arg is None else Lazy(arg, compile_row(arg)), parameter))

    def call(frame: Frame) -> Value:
        values: list[object] = [frame] if takes_frame else []
        for thunk, parameter in thunks:
            if thunk is None or parameter.kind == "Lazy":
                values.append(parameter.default if thunk is None else thunk)
                continue
            value = thunk(frame)
            if value is None and not parameter.nullable and not function.handles_null:
                return None
            values.append(value if value is None else COERCIONS[parameter.kind](value))
        return implementation(*values)

    return call


def _too_few(function: Function) -> RowFunction:
    """A variadic function without its first arguments fails when evaluated, as in QGIS, not when parsed."""

    def fail(frame: Frame) -> Value:
        raise ExpressionError(f"{function.name} needs at least {len(function.parameters)} arguments")

    return fail


def _eager_call(function: Function, args: Sequence[Node | None]) -> RowFunction:
    """All arguments are evaluated in order; the first NULL ends it unless the function wants NULLs; then they are
    converted, and the function is called."""
    implementation, takes_frame, handles_null = function.implementation, function.takes_frame, function.handles_null
    parameters = _parameters(function, len(args))
    compiled = [
        (
            _literal(Literal(parameter.default)) if arg is None else compile_row(arg),
            parameter,
            COERCIONS[parameter.kind],
        )
        for parameter, arg in zip(parameters, args, strict=False)
    ]
    if function.variadic and len(args) < len(function.parameters):
        return _too_few(function)
    if len(compiled) == 1 and not takes_frame and not handles_null and not parameters[0].nullable:
        only, _, coerce = compiled[0]

        def call_one(frame: Frame) -> Value:
            value = only(frame)
            return None if value is None else implementation(coerce(value))

        return call_one

    def call(frame: Frame) -> Value:
        values: list[object] = []
        for argument, parameter, _ in compiled:
            value = argument(frame)
            if value is None and not handles_null and not parameter.nullable:
                return None
            values.append(value)
        converted = [v if v is None else entry[2](v) for v, entry in zip(values, compiled, strict=True)]
        return implementation(frame, *converted) if takes_frame else implementation(*converted)

    return call


_COMPILERS: dict[type[Node], Callable[..., RowFunction]] = {
    Literal: _literal,
    FieldRef: _field,
    Variable: _variable,
    Unary: _unary,
    Binary: _binary,
    Chain: _chain,
    In: _in,
    Between: _between,
    Case: _case,
    Call: _call,
    Index: _index,
}
