"""Dates written and read by Qt's patterns (``dd.MM.yyyy hh:mm``)."""

from __future__ import annotations

import datetime as dt
import re

from qgserver.expression.locales import Locale

_TOKEN = re.compile(r"'((?:[^']|'')*)'|d{1,4}|M{1,4}|yyyy|yy|HH?|hh?|mm?|ss?|zzz|z|AP|ap|A|a|t|.", re.DOTALL)


def _tokens(pattern: str) -> list[tuple[str, str]]:
    """Pairs of token and "", or "" and literal text."""
    found = []
    for match in _TOKEN.finditer(pattern):
        text = match.group()
        if text == "''":
            found.append(("", "'"))
        elif text[0] == "'" and len(text) > 1:
            found.append(("", match.group(1).replace("''", "'")))
        elif text[0] in "dMhHmszAat" or text in ("yy", "yyyy"):
            found.append((text, ""))
        else:
            found.append(("", text))
    return found


def write(moment: dt.datetime, pattern: str, locale: Locale) -> str:
    """A moment by a pattern."""
    tokens = _tokens(pattern)
    twelve = any(token.upper() in ("A", "AP") for token, _ in tokens)
    hour = (moment.hour % 12 or 12) if twelve else moment.hour
    half = locale.am if moment.hour < 12 else locale.pm
    milliseconds = moment.microsecond // 1000
    values = {
        "d": str(moment.day),
        "dd": f"{moment.day:02d}",
        "ddd": locale.short_days[moment.weekday()],
        "dddd": locale.days[moment.weekday()],
        "M": str(moment.month),
        "MM": f"{moment.month:02d}",
        "MMM": locale.short_months[moment.month - 1],
        "MMMM": locale.months[moment.month - 1],
        "yy": f"{moment.year % 100:02d}",
        "yyyy": f"{moment.year:04d}",
        "h": str(hour),
        "hh": f"{hour:02d}",
        "H": str(moment.hour),
        "HH": f"{moment.hour:02d}",
        "m": str(moment.minute),
        "mm": f"{moment.minute:02d}",
        "s": str(moment.second),
        "ss": f"{moment.second:02d}",
        "z": f"{milliseconds:03d}".rstrip("0") or "0",
        "zzz": f"{milliseconds:03d}",
        "AP": half.upper(),
        "A": half.upper(),
        "ap": half.lower(),
        "a": half.lower(),
        "t": moment.tzname() or "UTC",
    }
    return "".join(values[token] if token else literal for token, literal in tokens)


_NUMBERS = {
    "d": r"\d{1,2}", "dd": r"\d\d", "M": r"\d{1,2}", "MM": r"\d\d", "yy": r"\d\d", "yyyy": r"\d{4}",
    "h": r"\d{1,2}", "hh": r"\d\d", "H": r"\d{1,2}", "HH": r"\d\d", "m": r"\d{1,2}", "mm": r"\d\d",
    "s": r"\d{1,2}", "ss": r"\d\d", "z": r"\d{1,3}", "zzz": r"\d{3}",
}  # fmt: skip
_PARTS = {"d": "day", "M": "month", "y": "year", "h": "hour", "H": "hour", "m": "minute", "s": "second", "z": "ms"}


def read(text: str, pattern: str, locale: Locale) -> dt.datetime | None:
    """The moment a text spells by a pattern (1900-01-01 00:00 for what the pattern lacks), None when it doesn't."""
    names = {"MMM": locale.short_months, "MMMM": locale.months, "ddd": locale.short_days, "dddd": locale.days}
    pieces: list[str] = []
    order: list[str] = []
    for token, literal in _tokens(pattern):
        if not token:
            pieces.append(re.escape(literal))
            continue
        order.append(token)
        if token in names:
            words = sorted(names[token], key=len, reverse=True)
            pieces.append("(" + "|".join(re.escape(word) for word in words) + ")")
        elif token.upper() in ("A", "AP"):
            pieces.append(f"({re.escape(locale.am)}|{re.escape(locale.pm)}|am|pm)")
        else:
            pieces.append(f"({_NUMBERS.get(token, '.*')})")
    match = re.fullmatch("".join(pieces), text, re.IGNORECASE)
    if match is None:
        return None
    parts = {"year": 1900, "month": 1, "day": 1, "hour": 0, "minute": 0, "second": 0, "ms": 0}
    afternoon: bool | None = None
    for token, word in zip(order, match.groups(), strict=True):
        if token in ("MMM", "MMMM"):
            parts["month"] = [name.lower() for name in names[token]].index(word.lower()) + 1
        elif token.upper() in ("A", "AP"):
            afternoon = word.lower() in (locale.pm.lower(), "pm")
        elif token == "z":
            parts["ms"] = int(word.ljust(3, "0"))
        elif token in _NUMBERS:
            parts[_PARTS[token[0]]] = int(word) + (1900 if token == "yy" else 0)
    if afternoon is not None:
        parts["hour"] = parts["hour"] % 12 + 12 * afternoon
    milliseconds = parts.pop("ms")
    try:
        return dt.datetime(**parts, microsecond=milliseconds * 1000)  # type: ignore[arg-type]
    except ValueError:
        return None
