"""Arrays."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from qgserver.errors import ExpressionError
from qgserver.expression.coerce import Array
from qgserver.expression.context import Frame
from qgserver.expression.function import Group, Lazy
from qgserver.expression.values import Value, loose_truth, text_to_double, to_text
from qgserver.expression.variants import Sortable, contains, equal, position

function = Group("Arrays")


@function("array", handles_null=True)
def array(*values: Value) -> Array:
    """An array of the values."""
    return list(values)


@function("array_length")
def array_length(array: Array) -> int:
    """How many elements."""
    return len(array)


@function("array_first")
def array_first(array: Array) -> Value:
    """The first element, NULL of an empty array."""
    return array[0] if array else None


@function("array_last")
def array_last(array: Array) -> Value:
    """The last element, NULL of an empty array."""
    return array[-1] if array else None


@function("array_get")
def array_get(array: Array, pos: int) -> Value:
    """An element, from 0, negative from the end; NULL outside."""
    return array[pos] if -len(array) <= pos < len(array) else None


@function("array_contains")
def array_contains(array: Array, value: Value) -> bool:
    """Whether the array has a value."""
    return contains(array, value)


@function("array_count")
def array_count(array: Array, value: Value) -> int:
    """How often the array has a value."""
    return sum(equal(item, value) for item in array)


@function("array_find")
def array_find(array: Array, value: Value) -> int:
    """The first position of a value, -1 when it is not there."""
    return position(array, value)


@function("array_all")
def array_all(frame: Frame, array_a: Array, array_b: Array) -> bool:
    """Whether the first array has all values of the second."""
    frame.budget.spend(len(array_a) * len(array_b))
    return all(contains(array_a, value) for value in array_b)


@function("array_intersect")
def array_intersect(frame: Frame, array1: Array, array2: Array) -> bool:
    """Whether the arrays have a value in common."""
    frame.budget.spend(len(array1) * len(array2))
    return any(contains(array1, value) for value in array2)


# -- changed copies -------------------------------------------------------------------------------------------------


@function("array_append")
def array_append(frame: Frame, array: Array, value: Value) -> Array:
    """With a value added at the end."""
    frame.budget.allow(len(array))
    return [*array, value]


@function("array_prepend")
def array_prepend(frame: Frame, array: Array, value: Value) -> Array:
    """With a value added at the start."""
    frame.budget.allow(len(array))
    return [value, *array]


@function("array_insert")
def array_insert(frame: Frame, array: Array, pos: int, value: Value) -> Array:
    """With a value added at a position."""
    frame.budget.allow(len(array))
    at = max(0, min(pos, len(array)))
    return [*array[:at], value, *array[at:]]


@function("array_remove_at")
def array_remove_at(array: Array, pos: int) -> Array:
    """Without the element at a position."""
    return [item for index, item in enumerate(array) if index != pos]


@function("array_remove_all")
def array_remove_all(array: Array, value: Value) -> Array:
    """Without all elements equal to a value."""
    return [item for item in array if not equal(item, value)]


@function("array_replace")
def array_replace(frame: Frame, array: Array, *rules: Value) -> Array:
    """With values replaced: by a map, or one or several values for one or several others."""
    if len(rules) not in (1, 2):
        raise ExpressionError("array_replace takes 2 or 3 arguments")
    result = array
    for before, after in _replacements(rules):
        frame.budget.spend(len(array))
        result = [after if equal(item, before) else item for item in result]
    return result


def _replacements(rules: tuple[Value, ...]) -> list[tuple[Value, Value]]:
    if len(rules) == 1:
        if not isinstance(rules[0], dict):
            raise ExpressionError("array_replace needs a map")
        return [(key, rules[0][key]) for key in sorted(rules[0])]
    before, after = rules
    if not isinstance(before, list):
        if isinstance(after, list):
            raise ExpressionError("array_replace: arrays of different length")
        return [(before, after)]
    replacements = after if isinstance(after, list) else [after] * len(before)
    if len(replacements) != len(before):
        raise ExpressionError("array_replace: arrays of different length")
    return list(zip(before, replacements, strict=True))


@function("array_prioritize")
def array_prioritize(frame: Frame, array: Array, array_prioritize: Array) -> Array:
    """In the order of a second array; what that one lacks comes last."""
    frame.budget.spend(len(array) * (len(array_prioritize) + 1))
    rest = list(array)
    result: Array = []
    for value in array_prioritize:
        at = position(rest, value)
        while at >= 0:
            result.append(rest.pop(at))
            at = position(rest, value)
    return result + rest


@function("array_cat")
def array_cat(frame: Frame, *arrays: Array) -> Array:
    """All elements of several arrays."""
    frame.budget.allow(sum(len(item) for item in arrays))
    return [item for values in arrays for item in values]


@function("array_slice")
def array_slice(array: Array, start_pos: int, end_pos: int) -> Array:
    """From one position to another, both inclusive, negative from the end."""
    size = len(array)
    start = max(0, start_pos + size if start_pos < 0 else start_pos)
    end = end_pos + size if end_pos < 0 else end_pos
    return array[start : max(end, -1) + 1]


@function("array_reverse")
def array_reverse(array: Array) -> Array:
    """In reverse order."""
    return array[::-1]


@function("array_sort")
def array_sort(frame: Frame, array: Array, ascending: Value = True) -> Array:
    """Sorted."""
    frame.budget.spend(len(array) * 4)
    return sorted(array, key=Sortable, reverse=not loose_truth(ascending))


@function("array_distinct")
def array_distinct(frame: Frame, array: Array) -> Array:
    """Every value once."""
    return [value for value, _ in _counts(frame, array)]


def _counts(frame: Frame, array: Iterable[Value]) -> list[tuple[Value, int]]:
    """Distinct values in order of first appearance, and how often each comes."""
    found: list[list[Any]] = []
    index: dict[tuple[type, Value], int] = {}
    for value in array:
        key = (type(value), value) if isinstance(value, int | float | str) else None
        at = index.get(key, -1) if key else -1
        if at < 0:
            frame.budget.spend(len(found) + 1)
            at = position([item for item, _ in found], value)
        if at < 0:
            at = len(found)
            found.append([value, 0])
        if key:
            index[key] = at
        found[at][1] += 1
    return [(value, count) for value, count in found]


# -- numbers --------------------------------------------------------------------------------------------------------


def _number(value: Value) -> float | None:
    if isinstance(value, int | float):
        return float(value)
    return text_to_double(value) if isinstance(value, str) else None


@function("array_max")
def array_max(array: Array) -> Value:
    """The largest element."""
    return max(array, key=Sortable, default=None)


@function("array_min")
def array_min(array: Array) -> Value:
    """The smallest element."""
    return min(array, key=Sortable, default=None)


@function("array_sum")
def array_sum(array: Array) -> float | None:
    """The sum of the numbers in the array."""
    numbers = [number for item in array if (number := _number(item)) is not None]
    return sum(numbers) if numbers else None


@function("array_mean")
def array_mean(array: Array) -> float | None:
    """The mean of the numbers in the array."""
    numbers = [number for item in array if (number := _number(item)) is not None]
    return sum(numbers) / len(numbers) if numbers else None


@function("array_median")
def array_median(array: Array) -> Value:
    """The median of the numbers in the array."""
    numbers = sorted((item for item in array if _number(item) is not None), key=lambda item: _number(item) or 0.0)
    return _middle(numbers)


def _middle(numbers: Array) -> Value:
    if not numbers:
        return None
    half = len(numbers) // 2
    if len(numbers) % 2:
        return numbers[half]
    return ((_number(numbers[half - 1]) or 0.0) + (_number(numbers[half]) or 0.0)) / 2


@function("array_majority")
def array_majority(frame: Frame, array: Array, option: str = "all") -> Value:
    """The most frequent values: ``all`` as an array, ``any`` one, their ``median``, or the one that more than half of
    the elements have (``real_majority``)."""
    counts = _counts(frame, array)
    most = max((count for _, count in counts), default=0)
    if option == "real_majority":
        return next((value for value, count in counts if count * 2 > len(array)), None)
    return _chosen([value for value, count in counts if count == most], option)


@function("array_minority")
def array_minority(frame: Frame, array: Array, option: str = "all") -> Value:
    """The least frequent values; ``real_minority`` are all that not more than half of the elements have."""
    counts = _counts(frame, array)
    least = min((count for _, count in counts), default=0)
    if option == "real_minority":
        return [value for value, count in counts if count * 2 <= len(array)]
    return _chosen([value for value, count in counts if count == least], option)


def _chosen(values: Array, option: str) -> Value:
    if option == "all":
        return values
    if option == "any":
        return values[0] if values else None
    if option == "median":
        return array_median(values)
    raise ExpressionError(f"No such option '{option[:50]}'")


@function("generate_series")
def generate_series(frame: Frame, start: float, stop: float, step: float = 1.0) -> Array | None:
    """Numbers from one to another by a step; NULL when the step never gets there."""
    if step == 0 or ((start < stop) != (step > 0) and start != stop):
        return None
    count = (stop - start) / step
    frame.budget.allow(int(count) + 1 if abs(count) < 1e12 else 10**12)
    result: Array = []
    value = start
    while value <= stop if step > 0 else value >= stop:
        result.append(value)
        if value + step == value:
            break
        value += step
    return result


# -- texts and expressions ------------------------------------------------------------------------------------------


@function("array_to_string", handles_null=True)
def array_to_string(frame: Frame, array: Value, delimiter: Value = ",", emptyvalue: Value = "") -> str | None:
    """The elements as one text."""
    if array is None:
        return None
    if not isinstance(array, list):
        raise ExpressionError("Cannot convert to array")
    empty = to_text(emptyvalue)
    text = to_text(delimiter).join([to_text(item) or empty for item in array])
    frame.budget.allow(len(text))
    return text


@function("string_to_array")
def string_to_array(frame: Frame, string: str, delimiter: str = ",", emptyvalue: Value = "") -> Array:
    """The parts of a text between delimiters."""
    frame.budget.allow(len(string))
    parts = string.split(delimiter) if delimiter else ["", *string, ""]
    return [part if part else emptyvalue for part in parts]


@function("array_foreach", handles_null=True)
def array_foreach(frame: Frame, array: Lazy, expression: Lazy) -> Array:
    """An expression evaluated for each element (``@element``, ``@counter``)."""
    values = array(frame)
    result: Array = []
    for counter, element in enumerate(values if isinstance(values, list) else []):
        frame.budget.spend(1)
        result.append(expression(frame.child(element=element, counter=counter)))
    return result


@function("array_filter", handles_null=True)
def array_filter(frame: Frame, array: Lazy, expression: Lazy, limit: Lazy | None = None) -> Array:
    """The elements (at most ``limit``) for which an expression is true."""
    values = array(frame)
    most = limit(frame) if limit is not None else 0
    result: Array = []
    for element in values if isinstance(values, list) else []:
        frame.budget.spend(1)
        if loose_truth(expression(frame.child(element=element))):
            result.append(element)
            if isinstance(most, int) and 0 < most <= len(result):
                break
    return result
