"""A whole batch at a time: column kernels where there are some, row closures for the rest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from qgserver.errors import ExpressionError
from qgserver.expression import kernels, number_kernels
from qgserver.expression.columns import Column, Columns, Mask, column_of, to_values
from qgserver.expression.context import Budget, Context, Feature, Frame
from qgserver.expression.functions import find
from qgserver.expression.kernels import NoKernel, Operand, Scalar, merged
from qgserver.expression.nodes import (
    Between,
    Binary,
    Call,
    Case,
    Chain,
    FieldRef,
    In,
    Literal,
    Node,
    Unary,
    Variable,
    needs_geometry,
    resolve_field,
    walk,
)
from qgserver.expression.rows import compile_row
from qgserver.expression.values import Value
from qgserver.expression.values import truth as truth_of_value

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

_COMPARISONS = frozenset(("=", "<>", "<", "<=", ">", ">="))
_ARITHMETIC = frozenset(("+", "-", "*", "/", "//", "%", "^"))
_OF_FEATURE = ("feature", "id", "geometry")


def evaluate(node: Node, batch: Columns, context: Context) -> Column:
    """The value of an expression for every feature of a batch. A row where evaluation fails is null and marked in
    ``errors``."""
    work = _Work(batch, context)
    result = work.operand(node)
    return result if isinstance(result, Column) else column_of([result.value] * work.count)


def select(node: Node, batch: Columns, context: Context) -> Mask:
    """bool[n]: the features for which a filter is true. NULL, false and errors drop a feature."""
    return truth_mask(evaluate(node, batch, context))


def truth_mask(column: Column) -> Mask:
    """Where a column is true; NULL, errors and what has no truth value are not."""
    values = column.values
    if values.dtype.kind in "bif":
        mask: Mask = values != 0
    elif values.dtype.kind == "O":
        mask = np.fromiter((_is_true(value) for value in values), np.bool_, len(values))
    else:
        mask = np.zeros(len(values), np.bool_)
    for absent in (column.nulls, column.errors):
        if absent is not None:
            mask &= ~absent
    return mask


def _is_true(value: Value) -> bool:
    try:
        return bool(truth_of_value(value))
    except ExpressionError:
        return False


def evaluate_rows(node: Node, batch: Columns, context: Context) -> Column:
    """As ``evaluate``, row after row."""
    return _Work(batch, context).rows(node, None)


class _Work:
    """The evaluation of one expression on one batch."""

    def __init__(self, batch: Columns, context: Context) -> None:
        self.batch = batch
        self.context = context
        self.count = len(batch.fids)
        self.budget = Budget(context.limits)
        self.fields: dict[str, Column] = {}
        self.constants: dict[Node, bool] = {}
        self.values: list[Mapping[str, Value]] | None = None
        self.shapes: Sequence[BaseGeometry | None] | None = None

    # -- walking the tree -----------------------------------------------------------------------------------------

    def operand(self, node: Node, where: Mask | None = None) -> Operand:
        """The values of a node. ``where``: only these rows matter, the others may hold anything."""
        if isinstance(node, Literal):
            return Scalar(node.value)
        if self.is_constant(node):
            return self.constant(node)
        try:
            return self.kernel(node, where)
        except NoKernel:
            return self.rows(node, where)

    def kernel(self, node: Node, where: Mask | None) -> Operand:
        match node:
            case FieldRef(name):
                return self.field(name)
            case Binary(op, left, right) if op in _COMPARISONS:
                return kernels.compare(op, self.operand(left, where), self.operand(right, where), self.count)
            case Binary("IS" | "ISNOT" as op, left, right):
                pair = self.operand(left, where), self.operand(right, where)
                return kernels.same(*pair, op == "ISNOT", self.count)
            case Binary("LIKE" | "ILIKE" | "NOTLIKE" | "NOTILIKE" as op, left, right):
                return kernels.like(self.operand(left, where), self.operand(right, where), op, self.count)
            case Binary(op, left, right) if op in _ARITHMETIC:
                return number_kernels.arithmetic(op, self.operand(left, where), self.operand(right, where), self.count)
            case Chain("AND" | "OR" as op, terms):
                return self.junction(op == "OR", terms, where)
            case Chain("||", terms):
                return number_kernels.join([self.operand(term, where) for term in terms], self.count)
            case Unary("NOT", operand):
                true, unknown, failed = self.truth(operand, where)
                return Column((~true).view(np.int8), merged(unknown, failed), failed)
            case Unary("-", operand):
                return number_kernels.negate(self.operand(operand, where), isinstance(operand, FieldRef))
            case Unary("+", operand):
                return self.operand(operand, where)
            case In(operand, items, negated) if all(isinstance(item, Literal) for item in items):
                constants = [item.value for item in items if isinstance(item, Literal)]
                return kernels.contains(self.operand(operand, where), constants, negated, self.count)
            case Between():
                return self.between(node, where)
            case Case():
                return self.case(node, where)
            case Call():
                return self.call(node, where)
        raise NoKernel

    def field(self, name: str) -> Column:
        """A column of the batch, nulls where it has none of that name."""
        found = self.fields.get(name)
        if found is None:
            columns = self.batch.columns
            real = name if name in columns else self.other_name(name)
            if real is None or real not in columns:
                found = Column(np.full(self.count, None, object), np.ones(self.count, np.bool_))
            else:
                found = Column(columns[real].values, columns[real].nulls)
            self.fields[name] = found
        return found

    def other_name(self, name: str) -> str | None:
        """The column that a name in another case, or an alias, means."""
        layer = self.context.layer
        aliases = [(spec.name, spec.alias) for spec in layer.fields] if layer is not None else []
        return resolve_field(name, self.batch.columns, aliases)

    def truth(self, node: Node, where: Mask | None) -> tuple[Mask, Mask | None, Mask | None]:
        """True, unknown and failed rows of a condition."""
        operand = self.operand(node, where)
        try:
            return kernels.truth(operand, self.count)
        except (NoKernel, ExpressionError):
            condition = self.rows(Unary("NOT", node), where)
            return condition.values == 0, condition.nulls, condition.errors

    def junction(self, stop: bool, terms: Sequence[Node], where: Mask | None) -> Column:
        """AND or OR; later terms only matter where earlier ones left the answer open."""
        parts: list[tuple[Mask, Mask | None, Mask | None]] = []
        open_ = where
        for term in terms:
            part = self.truth(term, open_)
            parts.append(part)
            true, unknown, _ = part
            settled = (true if stop else ~true) if unknown is None else (true if stop else ~true) & ~unknown
            open_ = ~settled if open_ is None else open_ & ~settled
        return kernels.junction(stop, parts, self.count)

    def between(self, node: Between, where: Mask | None) -> Column:
        value = self.operand(node.operand, where)
        sides = [
            kernels.compare(op, value, self.operand(bound, where), self.count)
            for op, bound in ((">=", node.low), ("<=", node.high))
        ]
        result = kernels.junction(False, [(side.values != 0, side.nulls, side.errors) for side in sides], self.count)
        return Column((result.values == 0).view(np.int8), result.nulls, result.errors) if node.negated else result

    def case(self, node: Case, where: Mask | None) -> Column:
        open_ = np.ones(self.count, np.bool_) if where is None else where.copy()
        failed = np.zeros(self.count, np.bool_)
        choices: list[tuple[Mask, Operand]] = []
        for condition, result in node.branches:
            if not open_.any():
                break
            test = condition if node.operand is None else Binary("=", node.operand, condition)
            true, unknown, error = self.truth(test, open_)
            chosen = open_ & true if unknown is None else open_ & true & ~unknown
            if error is not None:
                failed |= open_ & error
                chosen &= ~error
                open_ = open_ & ~error
            choices.append((chosen, self.operand(result, chosen)))
            open_ = open_ & ~chosen
        if node.default is not None and open_.any():
            choices.append((open_, self.operand(node.default, open_)))
        return number_kernels.choose(choices, self.count, failed if failed.any() else None)

    def call(self, node: Call, where: Mask | None) -> Operand:
        args = [arg for arg in node.args if arg is not None]
        if node.name == "coalesce" and len(args) == len(node.args):
            return self.coalesce(args, where)
        if len(args) == 1:
            return number_kernels.call_unary(node.name, self.operand(args[0], where))
        if node.name == "scale_linear" and len(args) == 5:
            ranges = [self.operand(arg) for arg in args[1:]]
            if all(isinstance(item, Scalar) and type(item.value) in (int, float) for item in ranges):
                low, high, start, end = (float(item.value) for item in ranges)  # type: ignore[union-attr, arg-type]
                return number_kernels.scale_linear(self.operand(args[0], where), (low, high), (start, end))
        raise NoKernel

    def coalesce(self, args: Sequence[Node], where: Mask | None) -> Operand:
        """All arguments are evaluated, so one that fails makes the row fail."""
        operands = [self.operand(arg, where) for arg in args]
        open_ = np.ones(self.count, np.bool_)
        choices: list[tuple[Mask, Operand]] = []
        for operand in operands:
            absent = kernels.nulls_of(operand)
            if isinstance(operand, Scalar):
                chosen = open_ if operand.value is not None else np.zeros(self.count, np.bool_)
            else:
                chosen = open_ if absent is None else open_ & ~absent
            choices.append((chosen, operand))
            open_ = open_ & ~chosen
        return number_kernels.choose(choices, self.count, kernels.errors_of(*operands))

    # -- constants and rows ---------------------------------------------------------------------------------------

    def is_constant(self, node: Node) -> bool:
        """Whether the node has the same value for every feature."""
        found = self.constants.get(node)
        if found is None:
            found = all(_is_constant_part(part) for part in walk(node))
            self.constants[node] = found
        return found

    def constant(self, node: Node) -> Operand:
        try:
            return Scalar(compile_row(node)(Frame(self.context, budget=self.budget)))
        except ExpressionError:
            every = np.ones(self.count, np.bool_)
            return Column(np.full(self.count, None, object), every, every)

    def rows(self, node: Node, where: Mask | None) -> Column:
        """The node evaluated row after row (only where ``where``)."""
        compiled = compile_row(node)
        geometry = needs_geometry(node)
        results: list[Value] = [None] * self.count
        errors = np.zeros(self.count, np.bool_)
        budget = self.budget
        for at in range(self.count) if where is None else np.flatnonzero(where).tolist():
            budget.steps = self.context.limits.steps  # for each feature; the deadline is for the batch
            budget.spend(1)
            try:
                results[at] = compiled(Frame(self.context, self.feature(at, geometry), budget=budget))
            except ExpressionError:
                errors[at] = True
        return column_of(results, errors if errors.any() else None)

    def feature(self, at: int, geometry: bool) -> Feature:
        """One feature of the batch."""
        if self.values is None:
            names = list(self.batch.columns)
            rows = zip(*(to_values(self.batch.columns[name]) for name in names), strict=True)
            self.values = [dict(zip(names, row, strict=True)) for row in rows] if names else [{}] * self.count
        shape = None
        if geometry and self.batch.geometry is not None:
            if self.shapes is None:
                from qgserver.geo.wkb import to_shapely

                self.shapes = to_shapely(self.batch.geometry).tolist()
            shape = self.shapes[at]
        return Feature(self.fid(at), self.values[at], shape, self.context.layer)

    def fid(self, at: int) -> int | str:
        value = self.batch.fids[at]
        return value if isinstance(value, str) else int(value)


def _is_constant_part(part: Node) -> bool:
    if isinstance(part, FieldRef):
        return False
    if isinstance(part, Variable):
        return part.name not in _OF_FEATURE
    if isinstance(part, Call):
        function = find(part.name.lower())
        return function is not None and function.pure
    return True
