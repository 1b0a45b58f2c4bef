"""OGC Filter Encoding 1.0 and 1.1 as expression trees (the names of 2.0 are understood as well)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from lxml import etree
from shapely.geometry.base import BaseGeometry

from qgserver.errors import ExpressionError, OwsError
from qgserver.expression.functions import find
from qgserver.expression.nodes import Binary, Call, Chain, FieldRef, Literal, Node, Unary, all_of, any_of
from qgserver.expression.values import text_to_double, text_to_int
from qgserver.geo.crs import Crs
from qgserver.geo.extent import Extent
from qgserver.ows.closedworld import PublishedField
from qgserver.ows.crs import to_layer
from qgserver.ows.gmlread import is_geometry, local_name, read_geometry
from qgserver.ows.names import GEOMETRY

MAX_DEPTH = 100
"""Levels of nested operators."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What the names of a filter mean: the type's published properties, further names of its geometry, the layer's
    CRS and the SRSNAME of the request (geometries without ``srsName`` are in it)."""

    properties: Sequence[PublishedField]
    geometry_names: frozenset[str] = frozenset((GEOMETRY,))
    crs: Crs | None = None
    srs_name: str = ""


@dataclass(frozen=True, slots=True)
class Filter:
    """A filter taken apart: ``where`` and ``extent`` (layer CRS; a box that every match meets) hold together;
    ``fids`` are ids with their type (``points.1``), None when the filter names none."""

    where: Node | None = None
    extent: Extent | None = None
    fids: tuple[str, ...] | None = None


def read_filter(element: etree._Element, scope: Scope) -> Filter:
    """The filter of an ``ogc:Filter`` element. Raises ``OwsError`` (400) for what is no filter or names something
    that is not published."""
    if local_name(element) != "Filter":
        raise _bad(f"A filter begins with {local_name(element)}")
    ids = [child for child in element if local_name(child) in _IDS]
    rest = [child for child in element if local_name(child) not in _IDS]
    if ids:
        if rest:
            raise _bad("A filter holds either feature ids or operators")
        return Filter(fids=tuple(_id(child) for child in ids))
    if len(rest) != 1:
        raise _bad(f"A filter holds one operator, not {len(rest)}")
    reader = _Reader(scope)
    return Filter(where=reader.condition(rest[0], 0), extent=reader.extent(rest[0]))


_IDS = {"FeatureId": ("fid",), "GmlObjectId": ("{http://www.opengis.net/gml}id", "id"), "ResourceId": ("rid",)}


def _id(element: etree._Element) -> str:
    for name in _IDS[local_name(element)]:
        if element.get(name):
            return str(element.get(name))
    raise _bad(f"A {local_name(element)} has no id")


def _bad(what: str) -> OwsError:
    return OwsError("InvalidParameterValue", f"{what[:300]}.", locator="filter")


@dataclass(frozen=True, slots=True)
class _Operand:
    """A side of a comparison: a node, or the text of a literal whose type the other side decides."""

    node: Node | None
    text: str = ""
    type: str = ""


class _Reader:
    """One filter, read element by element."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.properties = {item.field: item for item in scope.properties} | {
            item.name: item for item in scope.properties
        }

    # -- conditions -----------------------------------------------------------------------------------------------

    def condition(self, element: etree._Element, depth: int) -> Node:
        """Anything that is true or false."""
        if depth > MAX_DEPTH:
            raise _bad("The filter is nested too deeply")
        name = local_name(element)
        if name in ("And", "Or"):
            terms = [self.condition(child, depth + 1) for child in element]
            joined = all_of(terms) if name == "And" else any_of(terms)
            if joined is None:
                raise _bad(f"{name} is empty")
            return joined
        if name == "Not":
            (child,) = self._children(element, 1)
            return Unary("NOT", self.condition(child, depth + 1))
        if name in _COMPARISONS:
            return self._comparison(element, _COMPARISONS[name], depth)
        if name in _SPATIAL:
            return self._spatial(element, _SPATIAL[name])
        other = _OTHERS.get(name)
        if other is None:
            raise _bad(f"The filter operator {name} is not supported")
        return other(self, element, depth)

    def _children(self, element: etree._Element, count: int) -> list[etree._Element]:
        children = list(element)
        if len(children) != count:
            raise _bad(f"{local_name(element)} takes {count} operands, not {len(children)}")
        return children

    def _comparison(self, element: etree._Element, op: str, depth: int) -> Node:
        left, right = (self._operand(child, depth + 1) for child in self._children(element, 2))
        first, second = _node(left, right.type), _node(right, left.type)
        if op in ("=", "<>") and element.get("matchCase") == "false":
            first, second = Call("lower", (first,)), Call("lower", (second,))
        return Binary(op, first, second)

    def between(self, element: etree._Element, depth: int) -> Node:
        """``PropertyIsBetween``: both boundaries belong to it."""
        value, low, high = self._children(element, 3)
        operand = self._operand(value, depth + 1)
        bounds = []
        for boundary in (low, high):
            (inner,) = self._children(boundary, 1)
            bounds.append(_node(self._operand(inner, depth + 1), operand.type))
        subject = _node(operand, "")
        both = all_of((Binary(">=", subject, bounds[0]), Binary("<=", subject, bounds[1])))
        assert both is not None
        return both

    def is_null(self, element: etree._Element, depth: int) -> Node:
        """``PropertyIsNull``."""
        (child,) = self._children(element, 1)
        name = self._property_name(child)
        subject = Call("$geometry") if name in self.scope.geometry_names else _node(self._operand(child, depth + 1), "")
        return Binary("IS", subject, Literal(None))

    def like(self, element: etree._Element, depth: int) -> Node:
        """``PropertyIsLike``: its wild cards become ``%`` and ``_``."""
        subject, pattern = (self._operand(child, depth + 1) for child in self._children(element, 2))
        if pattern.node is not None:
            raise _bad("PropertyIsLike takes a property and a literal")
        marks = (
            element.get("wildCard") or "%",
            element.get("singleChar") or "_",
            element.get("escapeChar") or element.get("escape") or "\\",
        )
        sensitive = element.get("matchCase") != "false" and local_name(element) == "PropertyIsLike"
        text = Literal(like_pattern(pattern.text, *marks))
        return Binary("LIKE" if sensitive else "ILIKE", _node(subject, "string"), text)

    # -- operands -------------------------------------------------------------------------------------------------

    def _operand(self, element: etree._Element, depth: int) -> _Operand:
        if depth > MAX_DEPTH:
            raise _bad("The filter is nested too deeply")
        name = local_name(element)
        if name == "Literal":
            return _Operand(None, "".join(map(str, element.itertext())))
        if name in ("PropertyName", "ValueReference"):
            item = self._property(element)
            return _Operand(FieldRef(item.field), type=item.type)
        if name in _ARITHMETIC:
            sides = [_node(self._operand(child, depth + 1), "double") for child in self._children(element, 2)]
            return _Operand(Binary(_ARITHMETIC[name], *sides), type="double")
        if name == "Function":
            return _Operand(self._function(element, depth))
        raise _bad(f"{name} is no operand of a filter")

    def _function(self, element: etree._Element, depth: int) -> Node:
        name = element.get("name") or ""
        function = find(name.lower())
        if function is None:
            raise _bad(f"There is no function {name[:80]}")
        args: list[Node] = []
        for child in element:
            if local_name(child) in ("PropertyName", "ValueReference") and self._is_geometry_name(child):
                args.append(Call("$geometry"))
            else:
                args.append(_node(self._operand(child, depth + 1), ""))
        try:
            return Call(function.name, function.arrange(args, {}, -1))
        except ExpressionError as error:
            raise _bad(error.message) from None

    def _property(self, element: etree._Element) -> PublishedField:
        name = self._property_name(element)
        item = self.properties.get(name)
        if item is None:
            raise _bad(f"There is no property {name[:80]}")
        return item

    def _property_name(self, element: etree._Element) -> str:
        return bare_name(element.text or "")

    def _is_geometry_name(self, element: etree._Element) -> bool:
        return self._property_name(element) in self.scope.geometry_names

    # -- geometry -------------------------------------------------------------------------------------------------

    def _spatial(self, element: etree._Element, function: str) -> Node:
        # The relation is "property operator geometry" (Filter 1.1 clause 8); the functions read the same way.
        own, other = Call("$geometry"), Literal(self._geometry(element))
        if function == "equals":  # QGIS has no such function
            return Chain("AND", (Call("within", (own, other)), Call("contains", (own, other))))
        return Call(function, (own, other))

    def _geometry(self, element: etree._Element) -> BaseGeometry:
        """The geometry of a spatial operator, in the layer's CRS."""
        names = [child for child in element if local_name(child) in ("PropertyName", "ValueReference")]
        shapes = [child for child in element if is_geometry(child)]
        if len(shapes) != 1 or len(names) > 1:
            raise _bad(f"{local_name(element)} takes a property name and a geometry")
        for name in names:
            if not self._is_geometry_name(name):
                raise _bad(f"There is no geometry property {self._property_name(name)[:80]}")
        found = read_geometry(shapes[0])
        return to_layer(found.geometry, found.srs_name or self.scope.srs_name, self.scope.crs)

    def extent(self, element: etree._Element) -> Extent | None:
        """A box that all matches meet: that of a spatial operator standing alone or directly within And."""
        name = local_name(element)
        if name in _SPATIAL:
            geometry = self._geometry(element) if _SPATIAL[name] != "disjoint" else None
            return Extent(*geometry.bounds) if geometry is not None else None
        if name != "And":
            return None
        box: Extent | None = None
        for child in element:
            inner = self.extent(child) if local_name(child) in _SPATIAL else None
            if inner is not None:
                box = inner if box is None else (box.intersection(inner) or inner)
        return box


def _node(operand: _Operand, type_: str) -> Node:
    """The operand as a node; a literal as the other side's type wants it, else as a number if it looks like one."""
    return operand.node if operand.node is not None else Literal(literal_value(operand.text, type_))


def literal_value(text: str, type_: str) -> object:
    """The value a literal means beside a property of that ``Field.type`` ("" = not known). What does not fit the type
    stays a text, so that the comparison is simply not met."""
    word = text.strip()
    convert = _CONVERT.get(type_)
    if convert is None:
        return text
    try:
        value = convert(word)
    except ValueError:
        value = None
    return text if value is None else value


def _number(word: str) -> object:
    whole = text_to_int(word)
    return text_to_double(word) if whole is None else whole


def _boolean(word: str) -> object:
    return {"true": True, "1": True, "false": False, "0": False}.get(word.lower())


def _datetime(word: str) -> object:
    value = dt.datetime.fromisoformat(word)
    return value.astimezone(dt.UTC).replace(tzinfo=None) if value.tzinfo else value


_CONVERT: dict[str, Callable[[str], object]] = {
    "": _number,
    "int": _number,
    "int64": _number,
    "double": _number,
    "bool": _boolean,
    "date": dt.date.fromisoformat,
    "time": dt.time.fromisoformat,
    "datetime": _datetime,
}


def like_pattern(text: str, wild: str, single: str, escape: str) -> str:
    r"""A pattern of FES as one of LIKE: ``%``, ``_`` and ``\`` as escape. A mark may be more than one character."""
    out: list[str] = []
    at = 0
    while at < len(text):
        if text.startswith(escape, at) and at + len(escape) < len(text):
            at += len(escape)
            out.append(_literal_character(text[at]))
            at += 1
        elif text.startswith(wild, at):
            out.append("%")
            at += len(wild)
        elif text.startswith(single, at):
            out.append("_")
            at += len(single)
        else:
            out.append(_literal_character(text[at]))
            at += 1
    return "".join(out)


def _literal_character(character: str) -> str:
    return "\\" + character if character in "%_\\" else character


def bare_name(text: str) -> str:
    """``points/app:name`` -> ``name``: a property's name without path and prefix."""
    return text.strip().rpartition("/")[2].rpartition(":")[2]


_COMPARISONS = {
    "PropertyIsEqualTo": "=",
    "PropertyIsNotEqualTo": "<>",
    "PropertyIsLessThan": "<",
    "PropertyIsGreaterThan": ">",
    "PropertyIsLessThanOrEqualTo": "<=",
    "PropertyIsGreaterThanOrEqualTo": ">=",
}
_ARITHMETIC = {"Add": "+", "Sub": "-", "Mul": "*", "Div": "/"}
_SPATIAL = {
    "BBOX": "intersects",
    "Intersects": "intersects",
    "Intersect": "intersects",
    "Contains": "contains",
    "Crosses": "crosses",
    "Equals": "equals",
    "Disjoint": "disjoint",
    "Overlaps": "overlaps",
    "Touches": "touches",
    "Within": "within",
}
_OTHERS: dict[str, Callable[[_Reader, etree._Element, int], Node]] = {
    "PropertyIsBetween": _Reader.between,
    "PropertyIsNull": _Reader.is_null,
    "PropertyIsLike": _Reader.like,
    "PropertyIsILike": _Reader.like,
}
