"""What a vector layer says of its fields: aliases, hidden ones, widgets, defaults, constraints, virtual ones, joins."""

from __future__ import annotations

from collections.abc import Mapping

from qgserver.project.model import FieldConfig, Join, OptionValue, VirtualField, Widget
from qgserver.project.reading.context import Context
from qgserver.project.reading.elements import Element, flag, integer
from qgserver.project.reading.options import read_option

_NOT_NULL = 1
_UNIQUE = 2
_EXPRESSION = 4
_STRENGTHS = {"notnull_strength": "not_null", "unique_strength": "unique", "exp_strength": "constraint"}
_SOFT = "2"

_VARIANT_TYPES = {
    "1": "bool",
    "2": "int",
    "3": "int64",
    "4": "int64",
    "5": "int64",
    "6": "double",
    "8": "map",
    "9": "list",
    "10": "string",
    "11": "list",
    "12": "binary",
    "14": "date",
    "15": "time",
    "16": "datetime",
}
"""QVariant type numbers of virtual fields -> the words of ``providers.protocol.FieldType``."""


def read_fields(layer: Element) -> tuple[FieldConfig, ...]:
    """Configuration of each field the layer speaks of, in the order of the file's field list."""
    table = _FieldTable(layer)
    return tuple(table.config(name) for name in table.names())


class _FieldTable:
    """The sections of a layer that speak of fields, each indexed by field name."""

    def __init__(self, layer: Element) -> None:
        self.configs = _by_name(layer, "fieldConfiguration/field", "name")
        self.edit_types = _by_name(layer, "edittypes/edittype", "name")
        self.aliases = _by_name(layer, "aliases/alias", "field")
        self.defaults = _by_name(layer, "defaults/default", "field")
        self.constraints = _by_name(layer, "constraints/constraint", "field")
        self.expressions = _by_name(layer, "constraintExpressions/constraint", "field")
        self.editable = _by_name(layer, "editable/field", "name")
        self.hidden_wms = _texts(layer, "excludeAttributesWMS/attribute")
        self.hidden_wfs = _texts(layer, "excludeAttributesWFS/attribute")

    def names(self) -> dict[str, None]:
        tables = (self.configs, self.edit_types, self.aliases, self.defaults, self.constraints, self.editable)
        return dict.fromkeys([name for table in tables for name in table]) | self.hidden_wms | self.hidden_wfs

    def config(self, name: str) -> FieldConfig:
        config = self.configs.get(name)
        flags = config.get("configurationFlags", "").split("|") if config is not None else ()
        default, constraint = self.defaults.get(name), self.constraints.get(name)
        bits = integer(constraint.get("constraints")) if constraint is not None else 0
        return FieldConfig(
            name=name,
            alias=_attribute(self.aliases.get(name), "name") or _attribute(self.edit_types.get(name), "alias"),
            hidden_wms="HideFromWms" in flags or name in self.hidden_wms,
            hidden_wfs="HideFromWfs" in flags or name in self.hidden_wfs,
            widget=self._widget(name),
            default=_attribute(default, "expression"),
            apply_default_on_update=flag(_attribute(default, "applyOnUpdate")),
            not_null=bool(bits & _NOT_NULL),
            unique=bool(bits & _UNIQUE),
            constraint=_attribute(self.expressions.get(name), "exp") if bits & _EXPRESSION else "",
            editable=flag(_attribute(self.editable.get(name), "editable") or None, True),
            soft=tuple(word for key, word in _STRENGTHS.items() if _attribute(constraint, key) == _SOFT),
        )

    def _widget(self, name: str) -> Widget:
        config, edit_type = self.configs.get(name), self.edit_types.get(name)
        widget = config.find("editWidget") if config is not None else None
        if widget is not None:
            return _read_widget(widget)
        return Widget() if edit_type is None else _read_widget_2(edit_type)


def _by_name(layer: Element, path: str, attribute: str) -> dict[str, Element]:
    return {element.get(attribute, ""): element for element in layer.iterfind(path)}


def _texts(layer: Element, path: str) -> dict[str, None]:
    return dict.fromkeys(element.text or "" for element in layer.iterfind(path))


def _attribute(element: Element | None, name: str) -> str:
    return "" if element is None else element.get(name, "")


def _read_widget(element: Element) -> Widget:
    option = element.find("config/Option")
    config = read_option(option) if option is not None else None
    kind = element.get("type", "")
    return _widget(kind, config if isinstance(config, dict) else {})


def _read_widget_2(element: Element) -> Widget:
    """2.x: options are attributes of ``widgetv2config``, a value map its ``<value key= value=>`` children."""
    config_element = element.find("widgetv2config")
    config: dict[str, OptionValue] = {}
    if config_element is not None:
        config.update({str(name): str(value) for name, value in config_element.attrib.items()})
        values = {value.get("key", ""): value.get("value", "") for value in config_element.iterfind("value")}
        if values:
            config["map"] = {**values}
    return _widget(element.get("widgetv2type", ""), config)


def _widget(kind: str, config: dict[str, OptionValue]) -> Widget:
    """A widget; a value map given as one dict becomes the list of one-entry dicts that 3.x writes."""
    entries = config.get("map")
    if kind == "ValueMap" and isinstance(entries, dict):
        config["map"] = [{label: value} for label, value in entries.items()]
    return Widget(kind, config)


def read_virtual_fields(layer: Element) -> tuple[VirtualField, ...]:
    """``expressionfields`` (3.22 writes the element twice, with the same content)."""
    parent = next((element for element in layer.iterfind("expressionfields") if len(element)), None)
    if parent is None:
        return ()
    return tuple(
        VirtualField(
            name=field.get("name", ""),
            expression=field.get("expression", ""),
            type=_VARIANT_TYPES.get(field.get("type", ""), "string"),
            type_name=field.get("typeName", ""),
            length=integer(field.get("length")),
            precision=integer(field.get("precision")),
        )
        for field in parent.iterfind("field")
    )


def read_joins(layer: Element, context: Context) -> tuple[Join, ...]:
    """``vectorjoins``; without a custom prefix it is the joined layer's name and ``_``."""
    return tuple(_read_join(join, context.names) for join in layer.iterfind("vectorjoins/join"))


def _read_join(join: Element, names: Mapping[str, str]) -> Join:
    layer_id = join.get("joinLayerId", "")
    subset = join.find("joinFieldsSubset")
    return Join(
        layer_id=layer_id,
        target_field=join.get("targetFieldName", ""),
        join_field=join.get("joinFieldName", ""),
        prefix=join.get("customPrefix", "") if flag(join.get("hasCustomPrefix")) else f"{names.get(layer_id, '')}_",
        fields=None if subset is None else tuple(field.get("name", "") for field in subset.iterfind("field")),
    )
