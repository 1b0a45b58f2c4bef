"""When our value agrees with QGIS's: the rules of the table's README."""

from __future__ import annotations

import base64
import datetime as dt
import math
from typing import Any

import shapely

from qgserver.expression.context import Feature
from qgserver.expression.geometries import from_wkt, type_name, wkt
from qgserver.expression.ramps import Ramp
from qgserver.expression.shapes import vertices
from qgserver.expression.values import Interval, Invalid, Value, is_geometry, to_text

SCALARS = {
    bool: "bool",
    int: "int",
    float: "double",
    str: "string",
    dt.datetime: "datetime",
    dt.date: "date",
    dt.time: "time",
    Interval: "interval",
    list: "array",
    dict: "map",
    bytes: "binary",
    Feature: "feature",
    Ramp: "ramp",
    type(None): "null",
}


def kind_of(value: Value) -> str:
    """The table's word for the type of a value."""
    if isinstance(value, Invalid):
        return value.kind
    return "geometry" if is_geometry(value) else SCALARS.get(type(value), type(value).__name__)


def show(value: Value) -> str:
    """A value for the list of disagreements."""
    return wkt(value, 17) if is_geometry(value) else repr(value)


def agrees(result: dict[str, Any], value: Value, cmp: str = "", tolerance: float = 1e-9) -> bool:
    """Whether a value is the table's ``result``."""
    expected = result["type"]
    kind = kind_of(value)
    if cmp == "type":
        return kind == expected
    if expected in ("int", "bool", "double") and kind in ("int", "bool", "double"):
        return _same_number(float(result["value"]), float(value), 0 if expected != "double" else tolerance)  # type: ignore[arg-type]
    if kind != expected or expected == "null":
        return kind == expected
    if expected in _COMPARERS:
        return _COMPARERS[expected](result.get("value"), value, cmp, tolerance)
    return bool(result.get("value") == (to_text(value) if kind != "feature" else value.fid))  # type: ignore[attr-defined]


def _same_number(wanted: float, got: float, tolerance: float) -> bool:
    if math.isnan(wanted) or math.isnan(got):
        return math.isnan(wanted) and math.isnan(got)
    if math.isinf(wanted) or math.isinf(got):
        return wanted == got
    return abs(got - wanted) <= tolerance * max(1.0, abs(wanted))


def _same_array(wanted: list[Any], got: Any, cmp: str, tolerance: float) -> bool:
    if len(wanted) != len(got):
        return False
    if cmp != "unordered":
        return all(agrees(w, g, "", tolerance) for w, g in zip(wanted, got, strict=True))
    rest = list(got)
    for item in wanted:
        at = next((i for i, candidate in enumerate(rest) if agrees(item, candidate, "", tolerance)), None)
        if at is None:
            return False
        del rest[at]
    return True


def _same_map(wanted: dict[str, Any], got: Any, cmp: str, tolerance: float) -> bool:
    return set(wanted) == set(got) and all(agrees(wanted[key], got[key], cmp, tolerance) for key in wanted)


def _same_geometry(wanted: str, got: Any, cmp: str, tolerance: float) -> bool:
    target = from_wkt(wanted)
    if target is None or type_name(target) != type_name(got):
        return False
    a, b = vertices(target), vertices(got)
    if len(a) == len(b):
        limit = 1e-6 * (abs(a).clip(min=1))
        if bool(((abs(a - b) <= limit) | ((a != a) & (b != b))).all()):
            return True
    if cmp != "geom_topo":
        return False
    first, second = flat(target), flat(got)
    if first.is_empty or second.is_empty:
        return bool(first.is_empty and second.is_empty)
    if len(a) * len(b) > 1e8:
        return False  # too much to compare
    size = max(1.0, *(abs(v) for v in first.bounds))
    return bool(shapely.hausdorff_distance(first, second) <= 1e-6 * size and _same_area(first, second, size))


def _same_area(a: Any, b: Any, size: float) -> bool:
    return abs(a.area - b.area) <= 1e-6 * size * max(1.0, a.length)


def flat(shape: Any) -> Any:
    """The shapely geometry of a value, straightened if it is curved."""
    return getattr(shape, "linear", shape)


def _same_instant(wanted: str | None, got: Any, cmp: str, tolerance: float) -> bool:
    return (wanted or "") == to_text(got)


def _same_interval(wanted: float | None, got: Any, cmp: str, tolerance: float) -> bool:
    return math.isnan(got.seconds) if wanted is None else _same_number(wanted, got.seconds, tolerance)


def _same_bytes(wanted: str, got: Any, cmp: str, tolerance: float) -> bool:
    return base64.b64decode(wanted) == got


def _same_ramp(wanted: str, got: Any, cmp: str, tolerance: float) -> bool:
    return bool(wanted == got.kind)


_COMPARERS = {
    "array": _same_array,
    "map": _same_map,
    "geometry": _same_geometry,
    "date": _same_instant,
    "time": _same_instant,
    "datetime": _same_instant,
    "interval": _same_interval,
    "binary": _same_bytes,
    "ramp": _same_ramp,
}
