"""The temporal operators of Filter Encoding 2.0 (clause 7.9) on properties that are dates or instants.

Relations are those of ISO 19108 (``TM_RelativePosition``). A property of ours is an instant, a date its first moment,
so that relations which only a period can have (``TContains``, ``Meets``, ...) never hold.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from lxml import etree

from qgserver.expression.nodes import Binary, FieldRef, Literal, Node, all_of
from qgserver.ows.fesliterals import instant
from qgserver.ows.gmlread import local_name

Moment = dt.datetime | Node
"""An instant in UTC, or another property."""

NEVER = Literal(False)


@dataclass(frozen=True, slots=True)
class Span:
    """What a property is compared with: from ``begin`` to ``end``; both are the same of an instant."""

    begin: Moment
    end: Moment
    is_instant: bool = False


def is_time(element: etree._Element) -> bool:
    """Whether the element is a time of GML."""
    return local_name(element) in ("TimeInstant", "TimePeriod")


def read_time(element: etree._Element) -> Span:
    """The time of a GML element. Raises ``ValueError``."""
    if local_name(element) == "TimeInstant":
        moment = _position(element, ("timePosition",), None)
        return Span(moment, moment, True)
    # Ends that are not known are open: before, or after, everything.
    begin = _position(element, ("beginPosition", "begin"), dt.datetime.min)
    return Span(begin, _position(element, ("endPosition", "end"), dt.datetime.max))


def _position(element: etree._Element, names: tuple[str, ...], unknown: dt.datetime | None) -> dt.datetime:
    found = next((child for child in element.iter("{*}*") if local_name(child) in names), None)
    if found is None:
        raise ValueError(f"{local_name(element)} has no {names[0]}")
    if local_name(found) in ("begin", "end"):
        return _position(found, ("timePosition",), unknown)
    said = found.get("indeterminatePosition")
    if said == "now":
        return dt.datetime.now(dt.UTC).replace(tzinfo=None)
    return unknown if said == "unknown" and unknown is not None else read_instant(found.text or "")


def read_text(text: str) -> Span:
    """The time of a literal: an instant, or a period ``begin/end``. Raises ``ValueError``."""
    begin, slash, end = text.strip().partition("/")
    if slash:
        return Span(read_instant(begin), read_instant(end))
    moment = read_instant(begin)
    return Span(moment, moment, True)


_DATE = re.compile(r"(\d{4})(?:-(\d\d)(?:-(\d\d))?)?(?:Z|[+-]\d\d:\d\d)?")


def read_instant(text: str) -> dt.datetime:
    """A year, month, date or instant of XML Schema: its first moment, in UTC. Raises ``ValueError``."""
    word = text.strip()
    date = _DATE.fullmatch(word)
    return dt.datetime(int(date[1]), int(date[2] or 1), int(date[3] or 1)) if date else instant(word)


def condition(name: str, field: FieldRef, type_: str, span: Span) -> Node:
    """The operator as an expression; ``type_`` is that of the field: ``date`` or ``datetime``."""

    def compare(op: str, moment: Moment) -> Node:
        if isinstance(moment, Node):
            return Binary(op, field, moment)
        return _compare_date(op, field, moment) if type_ == "date" else Binary(op, field, Literal(moment))

    return OPERATORS[name](compare, span)


def _compare_date(op: str, field: FieldRef, moment: dt.datetime) -> Node:
    """A date is the first moment of its day."""
    if moment.time() == dt.time():
        return Binary(op, field, Literal(moment.date()))
    if op == "=":
        return NEVER
    return Binary({"<": "<=", ">=": ">"}.get(op, op), field, Literal(moment.date()))


Compare = Callable[[str, Moment], Node]


def _both(first: Node, second: Node) -> Node:
    joined = all_of((first, second))
    assert joined is not None
    return joined


def _after(compare: Compare, span: Span) -> Node:
    return compare(">", span.end)


def _before(compare: Compare, span: Span) -> Node:
    return compare("<", span.begin)


def _equals(compare: Compare, span: Span) -> Node:
    return _both(compare("=", span.begin), compare("=", span.end))


def _during(compare: Compare, span: Span) -> Node:
    return NEVER if span.is_instant else _both(compare(">", span.begin), compare("<", span.end))


def _begins(compare: Compare, span: Span) -> Node:
    return NEVER if span.is_instant else compare("=", span.begin)


def _ends(compare: Compare, span: Span) -> Node:
    return NEVER if span.is_instant else compare("=", span.end)


def _any_interacts(compare: Compare, span: Span) -> Node:
    return _both(compare(">=", span.begin), compare("<=", span.end))


def _never(compare: Compare, span: Span) -> Node:
    return NEVER


OPERATORS: Mapping[str, Callable[[Compare, Span], Node]] = {
    "After": _after,
    "Before": _before,
    "Begins": _begins,
    "BegunBy": _never,
    "TContains": _never,
    "During": _during,
    "TEquals": _equals,
    "TOverlaps": _never,
    "Meets": _never,
    "OverlappedBy": _never,
    "MetBy": _never,
    "EndedBy": _never,
    "Ends": _ends,
    "AnyInteracts": _any_interacts,
}
"""Operator -> the expression it stands for."""
