"""What the texts in a filter mean: literals beside a property of some type, and patterns of PropertyIsLike."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable

from qgserver.expression.values import text_to_double, text_to_int


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


def instant(word: str) -> dt.datetime:
    """A date or an instant (ISO 8601) in UTC, without a zone. Raises ``ValueError``."""
    value = dt.datetime.fromisoformat(word)
    try:
        return value.astimezone(dt.UTC).replace(tzinfo=None) if value.tzinfo else value
    except OverflowError:
        raise ValueError(word) from None


_ZONED_DATE = re.compile(r"(\d{4}-\d\d-\d\d)(?:Z|[+-]\d\d:\d\d)")


def _date(word: str) -> object:
    """A date, or an instant beside one: its first moment (in UTC) is the date itself, all others lie behind that."""
    zoned = _ZONED_DATE.fullmatch(word)
    moment = instant(zoned[1] if zoned else word)
    return moment.date() if moment.time() == dt.time() else moment.isoformat()


_CONVERT: dict[str, Callable[[str], object]] = {
    "": _number,
    "int": _number,
    "int64": _number,
    "double": _number,
    "bool": _boolean,
    "date": _date,
    "time": dt.time.fromisoformat,
    "datetime": instant,
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
