"""Maps and JSON."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator

from qgserver.errors import ExpressionError
from qgserver.expression.coerce import Array, Map
from qgserver.expression.context import Frame
from qgserver.expression.function import Group
from qgserver.expression.values import Value, to_text

function = Group("Maps")


@function("map", handles_null=False)
def map_(*entries: Value) -> Map:
    """A map of keys and values in turn."""
    return {to_text(key): value for key, value in zip(entries[::2], entries[1::2], strict=False)}


@function("map_get")
def map_get(map: Map, key: str) -> Value:
    """The value of a key, NULL without one."""
    return map.get(key)


@function("map_exist")
def map_exist(map: Map, key: str) -> bool:
    """Whether a map has a key."""
    return key in map


@function("map_delete")
def map_delete(map: Map, key: str) -> Map:
    """Without a key."""
    return {name: value for name, value in map.items() if name != key}


@function("map_insert")
def map_insert(frame: Frame, map: Map, key: str, value: Value) -> Map:
    """With a key added or replaced."""
    frame.budget.allow(len(map))
    return {**map, str(key): value}


@function("map_concat")
def map_concat(frame: Frame, *maps: Map) -> Map:
    """All entries of several maps; the last one wins."""
    frame.budget.allow(sum(len(item) for item in maps))
    return {key: value for item in maps for key, value in item.items()}


@function("map_akeys")
def map_akeys(map: Map) -> Array:
    """The keys, sorted."""
    return sorted(map)  # type: ignore[return-value]  # a list of str is one of values


@function("map_avals")
def map_avals(map: Map) -> Array:
    """The values, in the order of the keys."""
    return [map[key] for key in sorted(map)]


@function("map_prefix_keys", since="3.26")
def map_prefix_keys(map: Map, prefix: str) -> Map:
    """With all keys prefixed."""
    return {prefix + key: value for key, value in map.items()}


@function("from_json", "json_to_map")
def from_json(frame: Frame, value: str) -> Value:
    """The map or array a JSON text spells; NULL for anything else."""
    import orjson

    frame.budget.allow(len(value))
    try:
        result = orjson.loads(value)
    except (orjson.JSONDecodeError, UnicodeEncodeError):
        return None
    return result if isinstance(result, list | dict) else None


@function("to_json", "map_to_json")
def to_json(frame: Frame, json_string: Value) -> bytes:
    """JSON of a map or array; empty for anything else."""
    import orjson

    if not isinstance(json_string, list | dict):
        return b""
    try:
        return orjson.dumps(_plain(json_string, frame, 0), option=orjson.OPT_SORT_KEYS)
    except TypeError as error:
        raise ExpressionError("Cannot write JSON") from error


def _plain(value: Value, frame: Frame, depth: int) -> object:
    """What JSON can hold of a value."""
    frame.budget.spend(1)
    if depth > 100:
        raise ExpressionError("Nested too deeply for JSON")
    if isinstance(value, list):
        return [_plain(item, frame, depth + 1) for item in value]
    if isinstance(value, dict):
        return {key: _plain(item, frame, depth + 1) for key, item in value.items()}
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return int(value)
    if isinstance(value, dt.date | dt.time):
        return to_text(value)
    return value if isinstance(value, str | int | float | None) else None


_HSTORE = re.compile(r'\s*("(?:[^"\\]|\\.)*+"|[^\s",=>]+)\s*=>\s*("(?:[^"\\]|\\.)*+"|[^\s",]+)\s*(?:,|$)', re.DOTALL)


@function("hstore_to_map")
def hstore_to_map(frame: Frame, string: str) -> Map:
    """The map a PostgreSQL hstore text spells."""
    frame.budget.allow(len(string))
    return dict(_entries(string))


def _entries(text: str) -> Iterator[tuple[str, Value]]:
    for match in _HSTORE.finditer(text):
        key, value = match.groups()
        yield _unquoted(key), None if value.upper() == "NULL" else _unquoted(value)


def _unquoted(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text[1:-1]) if text[0] == '"' else text


@function("map_to_hstore")
def map_to_hstore(map: Map) -> str:
    """The hstore text of a map."""
    return ",".join(f"{_quoted(key)}=>{_value(map[key])}" for key in sorted(map))


def _value(value: Value) -> str:
    return "NULL" if value is None else _quoted(to_text(value))


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
