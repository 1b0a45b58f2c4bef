"""Attribute columns as text, a column at a time: what stands inside an XML element or behind a JSON key."""

from __future__ import annotations

import datetime as dt
import re
from base64 import b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from qgserver.expression.dateformat import write
from qgserver.expression.locales import find
from qgserver.ows.geometrytext import dump_array, plain_numbers
from qgserver.ows.xmlio import escape
from qgserver.providers.batch import Column

_SEPARATOR = "\0"  # in no text: XML forbids it and the slow path below removes it
_SPECIAL = re.compile("[<>&\r\ud800-\udfff\x01-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_UNSAFE = re.compile('[",\r\n]')
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def xml_texts(column: Column, *, zone: bool = False) -> list[bytes | None]:
    """Content of the element of each value, None where it has none (NULL, NaN).

    Numbers are plain (``xs:decimal`` has no exponent), dates ISO with milliseconds, ``zone`` adds ``Z``. Texts with
    ``<`` or ``&`` become CDATA sections, as QGIS writes them; lists and maps are JSON text, binary values the text
    they spell, else base64.
    """
    return _texts(column, zone, _XML)


def decimal_texts(column: Column, decimals: int) -> list[bytes | None]:
    """Numbers with a fixed count of decimals, None for NULL and NaN."""
    values = column.values
    missing = ~np.isfinite(values) if column.nulls is None else column.nulls | ~np.isfinite(values)
    texts = [f"{value:.{decimals}f}".encode() for value in values.tolist()]
    return _without(texts, missing)


def pattern_texts(column: Column, pattern: str) -> list[bytes | None]:
    """Dates, times or instants by a pattern of Qt's (``dd.MM.yyyy``), None for NULL."""
    texts = [
        None if value is None else escape(write(_moment(value), pattern, find("en_US"))).encode()
        for value in column.values.tolist()
    ]
    return _without(texts, column.nulls)


def _moment(value: dt.datetime | dt.date | dt.time) -> dt.datetime:
    if isinstance(value, dt.datetime):
        return value
    if isinstance(value, dt.time):
        return dt.datetime.combine(dt.date(1900, 1, 1), value)
    return dt.datetime.combine(value, dt.time())


def _without(texts: Sequence[bytes | None], missing: NDArray[np.bool_] | None) -> list[bytes | None]:
    """The texts, None where one is missing."""
    if missing is None or not missing.any():
        return list(texts)
    return [None if null else text for text, null in zip(texts, missing.tolist(), strict=True)]


def json_texts(column: Column, *, zone: bool = False) -> list[bytes]:
    """The JSON of each value; NULL and NaN are ``null``, binary values base64."""
    return [b"null" if text is None else text for text in _texts(column, zone, _JSON)]


def csv_texts(column: Column, *, zone: bool = False) -> list[bytes]:
    """The field of each value (RFC 4180); NULL and NaN are empty, an empty text is ``""``."""
    return [b"" if text is None else text for text in _texts(column, zone, _CSV)]


def quoted_text(text: str) -> bytes:
    """A text as a field of CSV, in quotation marks where it needs them."""
    if text and not _UNSAFE.search(text) and text.strip() == text:
        return text.encode("utf-8", "replace")
    return b'"' + text.replace('"', '""').encode("utf-8", "replace") + b'"'


def wrap_texts(texts: list[bytes], start: bytes, end: bytes) -> list[bytes]:
    """``start + text + end`` of every text, none of which holds a NUL."""
    if not texts:
        return []
    return b"".join((start, (end + b"\0" + start).join(texts), end)).split(b"\0")


@dataclass(frozen=True, slots=True)
class _Notation:
    """What XML and JSON write differently."""

    quote: bytes
    numbers: Callable[[bytes], bytes]
    objects: Callable[[list[object]], list[bytes | None]]


def _texts(column: Column, zone: bool, notation: _Notation) -> list[bytes | None]:
    values, missing = column.values, column.nulls
    kind = values.dtype.kind
    out: list[bytes | None]
    if not len(values):
        return []
    if kind in "iuf":
        out = list(notation.numbers(dump_array(values))[1:-1].split(b","))
        if kind == "f" and not np.isfinite(values).all():
            bad = ~np.isfinite(values)
            missing = bad if missing is None else missing | bad
    elif kind == "b":
        words = (b"false", b"true")
        out = [words[value] for value in values.tolist()]
    elif kind == "M":
        end = b"Z" if zone and values.dtype != "datetime64[D]" else b""
        out = list(wrap_texts(_instants(values), notation.quote, end + notation.quote))
    else:
        out = notation.objects(values.tolist())
    return _without(out, missing)


def _instants(values: NDArray[Any]) -> list[bytes]:
    if values.dtype == np.dtype("datetime64[D]"):
        return [text.encode() for text in np.datetime_as_string(values).tolist()]
    return [text.encode() for text in np.datetime_as_string(values, unit="ms").tolist()]


def _xml_objects(values: list[object]) -> list[bytes | None]:
    texts = _all_strings(values)
    if texts is not None:
        joined = _SEPARATOR.join(texts)
        if not _SPECIAL.search(joined):
            found = joined.encode().split(b"\0")
            if len(found) == len(texts):
                return list(found)
        return [_character_data(text) for text in texts]
    return [_xml_object(value) for value in values]


def _all_strings(values: list[Any]) -> list[str] | None:
    """The values if all are texts, with "" for None; None if there is anything else."""
    kinds = set(map(type, values))
    if kinds <= {str}:
        return values
    return [value or "" for value in values] if kinds <= {str, type(None)} else None


def _xml_object(value: object) -> bytes | None:
    if value is None:
        return None
    return _character_data(value if isinstance(value, str) else _plain(value))


def _plain(value: object) -> str:
    if isinstance(value, bytes | memoryview):
        try:
            text = bytes(value).decode()
        except UnicodeDecodeError:
            text = "\0"
        return b64encode(value).decode() if _FORBIDDEN.search(text) else text
    if isinstance(value, dt.time):
        return value.isoformat(timespec="milliseconds")
    if isinstance(value, list | dict | tuple):
        return orjson.dumps(value, default=str).decode()
    return str(value)


def _character_data(text: str) -> bytes:
    # Measured: QGIS Server writes a CDATA section as soon as a text holds "<" or "&".
    if "<" in text or "&" in text:
        text = _FORBIDDEN.sub("\ufffd", text).replace("]]>", "]]]]><![CDATA[>")
        return f"<![CDATA[{text}]]>".encode()
    # A bare carriage return would be read as a line feed (XML 1.0 clause 2.11).
    return escape(text).replace("\r", "&#13;").encode()


def _json_objects(values: list[object]) -> list[bytes | None]:
    strings = _all_strings(values)
    try:
        if strings is not None:
            text = orjson.dumps(strings)[1:-1]
            if b'\\"' not in text:  # every quotation mark begins or ends a string: one pass splits them all
                return list(text.replace(b'","', b'"\0"').split(b"\0"))
        # Dates and times would come out in orjson's own form.
        return list(map(orjson.dumps, values, repeat(None), repeat(orjson.OPT_PASSTHROUGH_DATETIME)))
    except (TypeError, ValueError):
        return [_json_object(value) for value in values]


def _json_object(value: object) -> bytes | None:
    if isinstance(value, bytes | memoryview):
        return b'"' + b64encode(value) + b'"'
    if isinstance(value, dt.time):
        return f'"{_plain(value)}"'.encode()
    if isinstance(value, str):
        return orjson.dumps(value.encode("utf-8", "replace").decode())  # lone surrogates are no UTF-8
    try:
        return orjson.dumps(value, default=str)
    except (TypeError, ValueError):
        return None


def _csv_objects(values: list[object]) -> list[bytes | None]:
    texts = [value if value is None or isinstance(value, str) else _plain(value) for value in values]
    return [None if text is None else quoted_text(text) for text in texts]


_XML = _Notation(b"", plain_numbers, _xml_objects)
_JSON = _Notation(b'"', bytes, _json_objects)
_CSV = _Notation(b"", plain_numbers, _csv_objects)
