"""QVariant trees: ``<Option>`` (3.x) and ``<property key= value=>`` (before), as plain Python values."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from qgserver.project.model import OptionValue
from qgserver.project.reading.elements import Element, flag, integer, number


def read_option(element: Element) -> OptionValue:
    """The value of an ``<Option>``: dict for Map, list for List and StringList, None for null and invalid."""
    reader = _READERS.get(element.get("type", ""))
    if reader is not None:
        return reader(element)
    return element.get("value") if "type" in element.attrib else None


def _read_map(element: Element) -> OptionValue:
    return {child.get("name", ""): read_option(child) for child in element}


def _read_list(element: Element) -> OptionValue:
    return [read_option(child) for child in element]


_READERS: Mapping[str, Callable[[Element], OptionValue]] = {
    "Map": _read_map,
    "List": _read_list,
    "StringList": lambda element: [child.get("value", "") for child in element],
    "int": lambda element: integer(element.get("value")),
    "uint": lambda element: integer(element.get("value")),
    "LongLong": lambda element: _whole(element.get("value", "")),
    "ULongLong": lambda element: _whole(element.get("value", "")),
    "double": lambda element: number(element.get("value")),
    "bool": lambda element: flag(element.get("value")),
    "invalid": lambda element: None,
}


def _whole(value: str) -> int:
    """64-bit whole numbers, which a float would round."""
    try:
        return int(value)
    except ValueError:
        return 0


def custom_properties(parent: Element | None) -> dict[str, OptionValue]:
    """``<customproperties>`` of a layer or tree node, in either form."""
    element = None if parent is None else parent.find("customproperties")
    if element is None:
        return {}
    option = element.find("Option")
    values = read_option(option) if option is not None else None
    if isinstance(values, dict):
        return values
    return {
        prop.get("key", ""): prop.get("value") if len(prop) == 0 else [value.text or "" for value in prop]
        for prop in element.iterfind("property")
    }


def variables(properties: Mapping[str, OptionValue]) -> dict[str, str]:
    """Layer variables (``@name`` in expressions): two parallel lists, or two texts when there is but one."""
    names, values = (_texts(properties.get(key)) for key in ("variableNames", "variableValues"))
    return dict(zip(names, values, strict=False))


def _texts(value: OptionValue) -> list[str]:
    if isinstance(value, list):
        return [str(item) for item in value]
    return [] if value is None else [str(value)]
