"""Aggregates of values: which exist, for which types, and how they are computed."""

from __future__ import annotations

import datetime as dt
import statistics
from collections import Counter
from collections.abc import Callable, Sequence

from qgserver.errors import ExpressionError
from qgserver.expression.values import Interval, Value, is_geometry, to_text
from qgserver.expression.variants import less

Numbers = Sequence[float]


def _quartile(upper: bool) -> Callable[[Numbers], float]:
    """The median of the lower or upper half; the middle value of an odd number belongs to both."""

    def quartile(numbers: Numbers) -> float:
        ordered = sorted(numbers)
        half = (len(ordered) + 1) // 2
        return statistics.median(ordered[-half:] if upper else ordered[:half])

    return quartile


def _mode(least: bool) -> Callable[[Numbers], float]:
    def mode(numbers: Numbers) -> float:
        counts = Counter(numbers)
        pick = min(counts.values()) if least else max(counts.values())
        return min(number for number, count in counts.items() if count == pick)

    return mode


_Q1, _Q3 = _quartile(False), _quartile(True)

_NUMERIC: dict[str, Callable[[Numbers], Value]] = {
    "sum": lambda numbers: float(sum(numbers)),
    "mean": lambda numbers: statistics.fmean(numbers),
    "median": lambda numbers: float(statistics.median(numbers)),
    "stdev": lambda numbers: statistics.pstdev(numbers),
    "stdevsample": lambda numbers: statistics.stdev(numbers) if len(numbers) > 1 else None,
    "min": lambda numbers: min(numbers),
    "max": lambda numbers: max(numbers),
    "range": lambda numbers: max(numbers) - min(numbers),
    "minority": _mode(True),
    "majority": _mode(False),
    "q1": _Q1,
    "q3": _Q3,
    "iqr": lambda numbers: _Q3(numbers) - _Q1(numbers),
}

ALIASES = {
    "minimum": "min",
    "maximum": "max",
    "inter_quartile_range": "iqr",
    "first_quartile": "q1",
    "third_quartile": "q3",
    "median": "median",
}
_OTHERS = frozenset({
    "count", "count_distinct", "count_missing", "min_length", "max_length", "concatenate", "concatenate_unique",
    "collect", "array_agg",
})  # fmt: skip
NAMES = frozenset(_NUMERIC) | _OTHERS


def kind_of(values: Sequence[Value], declared: str = "") -> str:
    """``numeric temporal bool geometry string``, from the field's type or from the first value that is not NULL."""
    if declared:
        kinds = {"int": "numeric", "int64": "numeric", "double": "numeric", "date": "temporal", "datetime": "temporal"}
        return kinds.get(declared, "temporal" if declared == "time" else declared)
    first = next((value for value in values if value is not None), None)
    if isinstance(first, bool):
        return "bool"
    if isinstance(first, int | float) or first is None:
        return "numeric"
    if isinstance(first, dt.date | dt.time):
        return "temporal"
    return "geometry" if is_geometry(first) else "string"


def compute(name: str, values: Sequence[Value], kind: str, concatenator: str = "") -> Value:
    """The aggregate of values. Raises ``ExpressionError`` for one that this kind does not have."""
    if name == "array_agg":
        return list(values)
    if kind == "bool":  # the text of a null bool is that of false
        values = [False if value is None else value for value in values]
    if name == "concatenate" and kind in ("string", "bool"):
        return concatenator.join([to_text(value) for value in values]) if values else None
    if name == "concatenate_unique" and kind in ("string", "bool"):
        return concatenator.join(dict.fromkeys(to_text(value) for value in values)) if values else None
    if name == "collect":
        return _collected(values)
    if name.startswith("count"):
        return _count(name, values, float if kind == "numeric" else int)
    if kind == "numeric" and name in _NUMERIC:
        return _numeric(name, values)
    if kind == "temporal" and name in ("min", "max", "range"):
        return _temporal(name, values)
    if kind in ("string", "bool") and name in ("min", "max", "min_length", "max_length", "majority", "minority"):
        return _textual(name, values, kind)
    raise ExpressionError(f"Cannot calculate {name} on {kind} fields")


def _count(name: str, values: Sequence[Value], number: Callable[[int], Value]) -> Value:
    if name == "count_missing":
        return number(sum(value is None or value == "" for value in values))
    if number is float:
        present = [value for value in values if value is not None]
        return float(len(set(map(str, present)) if name == "count_distinct" else present))
    return len({to_text(value) for value in values}) if name == "count_distinct" else len(values)


def _numeric(name: str, values: Sequence[Value]) -> Value:
    numbers = [float(value) for value in values if isinstance(value, int | float)]
    if not numbers:
        return 0.0 if name == "sum" else None
    result = _NUMERIC[name](numbers)
    return float(result) if isinstance(result, int | float) else result


def _temporal(name: str, values: Sequence[Value]) -> Value:
    moments = [value for value in values if isinstance(value, dt.date | dt.time)]
    if not moments:
        return None
    whole = [dt.datetime.combine(value, dt.time()) if type(value) is dt.date else value for value in moments]
    low, high = min(whole), max(whole)
    if name == "range":
        return Interval((high - low).total_seconds()) if isinstance(high, dt.datetime) else None  # type: ignore[operator]
    return low if name == "min" else high


def _textual(name: str, values: Sequence[Value], kind: str) -> Value:
    if kind == "bool":
        return 0 if name.endswith("length") else None
    texts = [to_text(value) for value in values]
    if name.endswith("length"):
        lengths = [len(text) for text in texts]
        return (min if name == "min_length" else max)(lengths, default=0)
    if name in ("majority", "minority"):
        counts = Counter(texts)
        pick = (max if name == "majority" else min)(counts.values(), default=0)
        return min((text for text, count in counts.items() if count == pick), default=None) or None
    best: str | None = None
    for value in values:
        if isinstance(value, str) and value and (best is None or less(value, best) == (name == "min")):
            best = value
    return best


def _collected(values: Sequence[Value]) -> Value:
    from qgserver.expression.geometries import to_shape
    from qgserver.expression.shapes import collected

    return collected([to_shape(value) for value in values if is_geometry(value)])
