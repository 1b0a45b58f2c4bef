"""What the widgets of a layer's form show instead of its values: labels for codes, dates by pattern."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from decimal import Context as DecimalContext

import orjson

from qgserver.errors import ExpressionError
from qgserver.expression.dateformat import read, write
from qgserver.expression.locales import find
from qgserver.expression.nodes import FieldRef, Literal, Node, used_variables
from qgserver.expression.parser import parse
from qgserver.expression.values import Value, to_text
from qgserver.project.model import OptionValue, VectorLayer
from qgserver.project.related import Related
from qgserver.providers.protocol import Field

NULL = "NULL"
NULL_CODE = "{2839923C-8B7D-419E-B84B-CA2FE9B80EC7}"
"""What a ValueMap stores to give NULL a label."""
LOCALE = find("en_US")
_WIDE = DecimalContext(prec=400)
"""All digits that a double may have before its point and behind it."""


@dataclass(frozen=True, slots=True)
class Setup:
    """A widget on a field of a layer."""

    layer: VectorLayer
    field: Field
    config: Mapping[str, OptionValue]
    related: Related

    def text(self, name: str, default: str = "") -> str:
        """An option as text."""
        value = self.config.get(name)
        return default if value is None else to_text(value)


Represent = Callable[[Sequence[Value], Setup], list[str]]


@dataclass(frozen=True, slots=True)
class Display:
    """Display texts of one layer's values. Labels of other layers are read when they are needed, those keys only."""

    layer: VectorLayer
    related: Related

    def texts(self, field: Field, values: Sequence[Value]) -> list[str]:
        """What a form shows for each value; ``NULL`` for None."""
        represent = _WIDGETS.get(self.layer.field_config(field.name).widget.type)
        if represent is None:
            return [display_text(field, value) for value in values]
        setup = self._setup(field)
        texts = represent(values, setup)
        return [text[1:-1] for text in texts] if _is_multi(setup) else texts

    def labels(self, field: Field, values: Sequence[Value]) -> list[str | None] | None:
        """What formats with types of their own (JSON) show instead of the values: the labels of widgets that have codes
        for values, several of them as ``{A, B}``; None inside for no label, None at all when the values stay."""
        kind = self.layer.field_config(field.name).widget.type
        if kind not in _CODED:
            return None
        texts = _WIDGETS[kind](values, self._setup(field))
        return [text or None if kind in _CONTAINERS else text for text in texts]

    def _setup(self, field: Field) -> Setup:
        return Setup(self.layer, field, self.layer.field_config(field.name).widget.config, self.related)


def display_text(field: Field, value: Value) -> str:
    """The text of a value without a widget."""
    if value is None:
        return NULL
    if isinstance(value, float) and field.precision > 0:
        # Measured: a declared count of decimals is kept, below 1 it counts significant digits.
        return f"{value:.{field.precision}g}" if -1 < value < 1 else fixed(value, field.precision)
    if isinstance(value, bytes | memoryview):
        return "BLOB"
    if isinstance(value, list):
        return ", ".join(to_text(item) for item in value)
    return orjson.dumps(value, default=str).decode() if isinstance(value, dict) else to_text(value)


def fixed(value: float, decimals: int) -> str:
    """A number with so many decimals; halves are rounded away from zero, as Qt does."""
    number = Decimal(value)
    if not number.is_finite() or number.adjusted() > 300:
        return to_text(value)
    return f"{number.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP, _WIDE):f}"


def _unknown(field: Field, value: Value) -> str:
    return f"({display_text(field, value)})"


# -- widgets --------------------------------------------------------------------------------------------------------


def _value_map(values: Sequence[Value], setup: Setup) -> list[str]:
    entries = setup.config.get("map")
    labels: dict[str, str] = {}
    for entry in entries if isinstance(entries, list) else ():
        for label, code in entry.items() if isinstance(entry, dict) else ():
            labels.setdefault(to_text(code), label)
    codes = [NULL_CODE if value is None else to_text(value) for value in values]
    return [
        labels[code] if code in labels else _unknown(setup.field, value)
        for code, value in zip(codes, values, strict=True)
    ]


def _value_relation(values: Sequence[Value], setup: Setup) -> list[str]:
    multi = _is_multi(setup)
    keys = [_key_list(value) if multi else [] if value is None else [to_text(value)] for value in values]
    pairs = _related_labels(setup, {key for some in keys for key in some})
    if multi:
        return ["{" + ", ".join(label for key, label in pairs.items() if key in some) + "}" for some in keys]
    return [NULL if value is None else pairs.get(to_text(value), _unknown(setup.field, value)) for value in values]


def _related_labels(setup: Setup, keys: set[str]) -> dict[str, str]:
    """Labels of a ValueRelation by the text of their key, sorted by key or by label as its options say."""
    layer = setup.related.find(setup.text("Layer"), setup.text("LayerName"))
    if layer is None or not keys:
        return {}
    label = FieldRef(setup.text("Value"))
    pairs = setup.related.labels(layer, setup.text("Key"), label, keys, _filter(setup.text("FilterExpression")))
    by_label = setup.config.get("OrderByValue") is True
    if len(pairs) > 1 and (by_label or setup.config.get("OrderByKey") is not False):
        pairs.sort(key=lambda pair: _sort_key(pair[1 if by_label else 0]))
    labels: dict[str, str] = {}
    for key, value in pairs:
        labels.setdefault(to_text(key), NULL if value is None else to_text(value))
    return labels


def _sort_key(value: Value) -> tuple[int, float, str]:
    number = isinstance(value, int | float)
    return (0, float(value), "") if number else (1, 0.0, to_text(value).casefold())  # type: ignore[arg-type]


def _filter(text: str) -> Node | None:
    """The filter of a ValueRelation. One that looks at the feature being edited filters what may be chosen, not what
    is shown."""
    try:
        node = parse(text) if text.strip() else None
    except ExpressionError:
        return None
    edited = node is not None and any(name.startswith(("current_", "form_")) for name in used_variables(node))
    return None if edited else node


_ITEM = re.compile(r'"((?:[^"\\]|\\.)*)"|([^,"]+)')


def _key_list(value: Value) -> list[str]:
    """The keys in one value of a ValueRelation with many: an array, or its text in PostgreSQL's form or as JSON."""
    if isinstance(value, list):
        return [to_text(item) for item in value]
    text = to_text(value).strip()
    if not (text[:1] + text[-1:] in ("{}", "[]") and len(text) > 2):
        return []
    return [
        re.sub(r"\\(.)", r"\1", match[1]) if match[2] is None else match[2].strip()
        for match in _ITEM.finditer(text[1:-1])
    ]


def _relation_reference(values: Sequence[Value], setup: Setup) -> list[str]:
    """The display expression of the feature that a value refers to."""
    wanted = setup.text("Relation")
    relation = next((one for one in setup.related.project.relations if one.id == wanted), None)
    pairs = {} if relation is None else dict(relation.pairs)
    layer = None if relation is None else setup.related.find(relation.referenced_layer)
    key = pairs.get(setup.field.name, "")
    labels: dict[str, str] = {}
    if layer is not None and key:
        found = setup.related.labels(layer, key, _display_node(layer), {to_text(v) for v in values if v is not None})
        labels = {to_text(code): to_text(label) for code, label in found if label is not None}
    return [display_text(setup.field, v) if v is None else labels.get(to_text(v)) or to_text(v) for v in values]


def _display_node(layer: VectorLayer) -> Node:
    text = layer.style.display_expression.strip()
    names = [field.name for field in layer.fields]
    if text in names or not text:
        return FieldRef(text or next(iter(names), ""))
    try:
        return parse(text)
    except ExpressionError:
        return Literal(None)


_DATE, _TIME, _DATETIME = "yyyy-MM-dd", "HH:mm:ss", "yyyy-MM-dd HH:mm:ss"
_PATTERNS = {"date": _DATE, "time": _TIME}


def _date_time(values: Sequence[Value], setup: Setup) -> list[str]:
    default = _PATTERNS.get(setup.field.type, _DATETIME)
    shown = setup.text("display_format") or default
    stored = setup.text("field_format") or default

    def text(value: Value) -> str:
        moment = _moment(value, stored)
        if moment is None:
            return display_text(setup.field, value)
        # Measured: QGIS names the time zone behind a date and time in the standard form.
        return write(moment, shown, LOCALE) + (
            " (UTC)" if isinstance(value, dt.datetime) and shown == _DATETIME else ""
        )

    return [text(value) for value in values]


def _moment(value: Value, pattern: str) -> dt.datetime | None:
    if isinstance(value, str):
        return read(value, pattern, LOCALE) if value else None
    if isinstance(value, dt.datetime):
        return value if value.tzinfo else value.replace(tzinfo=dt.UTC)
    if isinstance(value, dt.date):
        return dt.datetime.combine(value, dt.time())
    return dt.datetime.combine(dt.date(1900, 1, 1), value) if isinstance(value, dt.time) else None


def _range(values: Sequence[Value], setup: Setup) -> list[str]:
    """Numbers with the widget's decimals; without any, the field's."""
    try:
        decimals = min(max(int(setup.text("Precision")), 0), 17)
    except ValueError:
        return [display_text(setup.field, value) for value in values]
    return [
        fixed(value, decimals) if isinstance(value, float) else display_text(setup.field, value) for value in values
    ]


def _check_box(values: Sequence[Value], setup: Setup) -> list[str]:
    if setup.field.type == "bool":
        return ["true" if value else "false" for value in values]
    words = {setup.text("CheckedState"): "true", setup.text("UncheckedState"): "false"}
    stored = setup.text("TextDisplayMethod") == "1"

    def text(value: Value) -> str:
        written = to_text(value)
        if written not in words:
            return f"({written})"
        return written if stored else words[written]

    return [text(value) for value in values]


def _key_value(values: Sequence[Value], setup: Setup) -> list[str]:
    def text(value: Value) -> str:
        items = sorted(value.items()) if isinstance(value, dict) else ()
        return NULL if value is None else ", ".join(f"{key}: {to_text(item)}" for key, item in items)

    return [text(value) for value in values]


def _list(values: Sequence[Value], setup: Setup) -> list[str]:
    def text(value: Value) -> str:
        return NULL if value is None else ", ".join(to_text(item) for item in value) if isinstance(value, list) else ""

    return [text(value) for value in values]


def _is_multi(setup: Setup) -> bool:
    kind = setup.layer.field_config(setup.field.name).widget.type
    return kind == "ValueRelation" and setup.config.get("AllowMulti") in (True, "true", "1")


_WIDGETS: Mapping[str, Represent] = {
    "ValueMap": _value_map,
    "ValueRelation": _value_relation,
    "RelationReference": _relation_reference,
    "DateTime": _date_time,
    "Range": _range,
    "CheckBox": _check_box,
    "KeyValue": _key_value,
    "List": _list,
}
"""Widgets whose text is not that of the value itself."""

_CONTAINERS = frozenset({"KeyValue", "List"})
_CODED = _CONTAINERS | {"ValueMap", "ValueRelation"}
