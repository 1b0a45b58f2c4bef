"""Delimited text, taken apart into records: lines, quotes, escapes, delimiters.

How QGIS 3.22 reads broken records was measured: one with text after a closing quote, or with a quote inside a field
that does not begin with one, is left out; a quote that is never closed takes the rest of the file with it.
"""

from __future__ import annotations

import codecs
import csv
import io
import os
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from qgserver.errors import ExpressionError, ProviderError
from qgserver.expression.regex import compile_pattern, find_all
from qgserver.providers.uri import DataSource

Record = list[str | None]

MAX_FILE = 1 << 30
MAX_RECORD = 1 << 26
"""Longest file in bytes and record in characters: what is longer is no table."""
MAX_COLUMNS = 5000
CHUNK = 20_000
_MAX_CHUNK = 1 << 24
"""A chunk ends after so many records or characters."""
_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some records: the number of the line that each begins in (the feature's id), and their fields. A field that is
    empty or absent is None."""

    lines: list[int]
    records: list[Record]

    def column(self, place: int) -> list[str | None]:
        """The values of the column at that place."""
        return [record[place] if place < len(record) else None for record in self.records]

    def some(self, places: Sequence[int]) -> Chunk:
        """The records at these places."""
        return Chunk([self.lines[place] for place in places], [self.records[place] for place in places])


@dataclass(frozen=True, slots=True)
class Format:
    """How a file is to be read. ``kind`` is ``csv``, ``whitespace`` or ``regexp``; ``delimiter`` any of these
    characters, or the regular expression."""

    kind: str
    delimiter: str
    quote: str
    escape: str
    skip_lines: int
    header: bool
    trim: bool
    skip_empty: bool
    max_fields: int
    encoding: str


def text_format(source: DataSource) -> Format:
    """The format that a data source's text describes; what it does not say is as in QGIS."""
    params = source.params
    kind = params.get("type", "csv").lower()
    regular = kind == "regexp"
    quotes = "\"'" if kind == "plain" else '"'
    fields = _number(params.get("maxFields", ""))
    return Format(
        kind=kind if kind in ("regexp", "whitespace") else "csv",
        delimiter=params.get("delimiter", "") if regular else _characters(params.get("delimiter", ",")),
        quote=_characters(params.get("quote", quotes)),
        escape=_characters(params.get("escape", quotes)),
        skip_lines=_number(params.get("skipLines", "")),
        header=said(params, "useHeader", True),
        trim=said(params, "trimFields", False),
        skip_empty=said(params, "skipEmptyFields", False),
        max_fields=min(fields, MAX_COLUMNS) if fields else MAX_COLUMNS,
        encoding=_encoding(params.get("encoding", "")),
    )


def said(params: Mapping[str, str], name: str, default: bool) -> bool:
    """A yes or no of a data source; by their first letters, all else leaves the default (measured)."""
    return {"y": True, "n": False}.get(params.get(name, "")[:1].lower(), default)


def _number(text: str) -> int:
    return int(text) if re.fullmatch("[0-9]{1,9}", text) else 0


def _characters(text: str) -> str:
    return text.replace("\\t", "\t")


def _encoding(name: str) -> str:
    """Python's name of an encoding; UTF-8 for those that nobody knows (measured)."""
    try:
        found = codecs.lookup(io.TextIOWrapper(io.BytesIO(), encoding=name or "utf-8").encoding).name
    except (LookupError, ValueError):
        found = "utf-8"
    return "utf-8-sig" if found == "utf-8" else found


class Deadline:
    """The moment by which a file must have been read; 0 seconds: never."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds if seconds else float("inf")

    def check(self) -> None:
        """Raise ProviderError when it is over."""
        if time.monotonic() > self._end:
            raise ProviderError("The layer's file took too long to read")


def chunks(path: str, form: Format, deadline: Deadline) -> Iterator[Chunk]:
    """All records of a file, the header among them, without empty ones. Raises ProviderError."""
    lines = _Lines(_physical_lines(path, form.encoding))
    chunk = Chunk([], [])
    end = _MAX_CHUNK
    for line, record in _records(lines, form):
        del record[form.max_fields :]
        while record and not record[-1]:
            record.pop()
        if not record:
            continue
        chunk.lines.append(line)
        chunk.records.append(record)
        if len(chunk.lines) == CHUNK or lines.size > end:
            deadline.check()
            yield chunk
            chunk, end = Chunk([], []), lines.size + _MAX_CHUNK
    deadline.check()
    yield chunk


def _records(lines: _Lines, form: Format) -> Iterator[tuple[int, Record]]:
    for _ in range(form.skip_lines):
        if next(lines, None) is None:
            return
    if form.kind == "regexp":
        yield from _by_pattern(lines, form)
    elif form.kind == "whitespace":
        for line in lines:
            yield lines.number, list(line.split())
    else:
        yield from _Splitter(form).records(lines)


# -- lines ----------------------------------------------------------------------------------------------------------


def _physical_lines(path: str, encoding: str) -> Iterator[str]:
    """The lines of a file, whatever ends them. Bytes that are no text become U+FFFD."""
    try:
        # newline=None makes "\n" of "\r" and "\r\n".
        with open(path, encoding=encoding, errors="replace") as file:
            if os.fstat(file.fileno()).st_size > MAX_FILE:
                raise ProviderError("The layer's file is too large")
            rest = ""
            while block := file.read(_BLOCK):
                *whole, rest = (rest + block).split("\n")
                yield from whole
                if len(rest) > MAX_RECORD:
                    raise _too_long()
            if rest:
                yield rest
    except (OSError, UnicodeError) as error:
        raise ProviderError("The layer's file can't be read", detail=f"{type(error).__name__}: {error}") from error


def _too_long() -> ProviderError:
    return ProviderError("The layer's file holds a line that is too long to be one of a table")


class _Lines:
    """Lines, and the number of the last one that was taken (from 1) and the characters up to there."""

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines = lines
        self.number = 0
        self.size = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = next(self._lines)
        self.number += 1
        self.size += len(line)
        return line


# -- regular expressions --------------------------------------------------------------------------------------------


def _by_pattern(lines: _Lines, form: Format) -> Iterator[tuple[int, Record]]:
    """A pattern that is anchored gives its groups, and lines it does not match are left out; any other is what stands
    between fields, its groups being fields too (measured). A field that is there but empty is not null here."""
    pattern, anchored = form.delimiter, form.delimiter.startswith("^")
    try:
        compile_pattern(pattern)
        for line in lines:
            if not line:
                continue
            fields = _groups(pattern, line) if anchored else _between(pattern, line)
            if fields:
                yield lines.number, _tidy(fields, form)
    except ExpressionError as error:
        raise ProviderError("The layer's delimiter is no usable regular expression", detail=error.message) from error


def _groups(pattern: str, line: str) -> list[str]:
    match = next(iter(find_all(pattern, line)), None)
    return [] if match is None else [group or "" for group in match.groups()]


def _between(pattern: str, line: str) -> list[str]:
    fields: list[str] = []
    at = 0
    for match in find_all(pattern, line):
        if match.end() > match.start():
            fields += [line[at : match.start()], *(group or "" for group in match.groups())]
            at = match.end()
    return [*fields, line[at:]]


def _tidy(fields: Sequence[str], form: Format) -> Record:
    stripped = (field.strip() for field in fields) if form.trim else fields
    return [field for field in stripped if field or not form.skip_empty]


# -- quotes, escapes, delimiters ------------------------------------------------------------------------------------


class _Splitter:
    """Splits lines at delimiters. A quote character that is an escape character too is written twice for itself; any
    other escape character makes the next one ordinary, in quotes or not."""

    def __init__(self, form: Format) -> None:
        self._form = form
        special = set(form.quote) | set(form.escape)
        self._special = re.compile(_any_of(special)) if special else None
        delimiters = form.delimiter or ","
        self._delimiter = delimiters if len(delimiters) == 1 else ""
        self._delimiters = re.compile(_any_of(delimiters))
        escapes = set(form.escape) - set(form.quote)
        escape, self._unescape = _any_of(escapes), re.compile(f"{_any_of(escapes)}(.)", re.DOTALL)
        self._escapes = bool(escapes)
        blank = "[^\\S" + re.escape(delimiters) + "]*"
        self._open = re.compile(f"{blank}({_any_of(form.quote)})")
        more = f"(?:(?P<more>{_any_of(delimiters)})|\\Z)"
        self._end = re.compile(blank + more)
        ordinary = "[^" + re.escape(delimiters + "".join(special)) + "]"
        self._plain = re.compile(f"(?P<text>(?:{ordinary}|{escape}.)*+){more}", re.DOTALL)
        self._clean = _clean_line(form)
        self._body = {
            quote: re.compile(
                f"(?:[^{re.escape(quote + ''.join(escapes))}]|{escape}.{_twice(quote, form.escape)})*+", re.DOTALL
            )
            for quote in form.quote
        }

    def records(self, lines: _Lines) -> Iterator[tuple[int, Record]]:
        """The records and the numbers of their first lines."""
        form, special = self._form, self._special
        for line in lines:
            number = lines.number
            if special is None or special.search(line) is None:
                fields = line.split(self._delimiter) if self._delimiter else self._delimiters.split(line)
                record: Record = (
                    [field.strip() or None for field in fields] if form.trim else [f or None for f in fields]
                )
            elif self._clean is not None and len(line) < _LONGEST_CLEAN and self._clean.fullmatch(line):
                (fields,) = csv.reader((line,), delimiter=self._delimiter, quotechar=form.quote)
                record = [field or None for field in fields]
            else:
                found = self._quoted_record(line, lines)
                if found is None:
                    continue
                record = found
            yield number, [field for field in record if field] if form.skip_empty else record

    def _quoted_record(self, line: str, lines: _Lines) -> Record | None:
        """The record that begins with this line and may go on in the next ones; None when it is broken."""
        record: Record = []
        at = 0
        while True:
            opened = self._open.match(line, at)
            if opened:
                field, line, at = self._quoted_field(opened[1], line, opened.end(), lines)
                ended = self._end.match(line, at) if field is not None else None
            else:
                ended = self._plain.match(line, at)
                field = self._unescaped(ended["text"]) if ended else None
                field = field.strip() if field is not None and self._form.trim else field
            if ended is None:
                return None
            record.append(field or None)
            if ended["more"] is None:
                return record
            at = ended.end()

    def _quoted_field(self, quote: str, line: str, at: int, lines: _Lines) -> tuple[str | None, str, int]:
        """The text up to the closing quote, then the line that this stands in and the place behind it; no text when the
        file ends before."""
        parts: list[str] = []
        size = 0
        while True:
            body = self._body[quote].match(line, at)
            assert body is not None  # it matches nothing, too
            parts.append(body[0])
            at = body.end()
            if at < len(line) and line[at] == quote:
                text = "".join(parts)
                text = text.replace(quote * 2, quote) if quote in self._form.escape else text
                return self._unescaped(text), line, at + 1
            size += len(body[0]) + 1
            if size > MAX_RECORD:
                raise _too_long()
            following = next(lines, None)
            if following is None:
                return None, line, at
            parts.append("\n")
            line, at = following, 0

    def _unescaped(self, text: str) -> str:
        return self._unescape.sub(r"\1", text) if self._escapes else text


_LONGEST_CLEAN = 100_000
"""Python's ``csv`` takes fields up to 128 KiB."""


def _clean_line(form: Format) -> re.Pattern[str] | None:
    """A pattern for lines that Python's ``csv``, five times as fast, reads as QGIS does; None for formats it can't."""
    if len(form.delimiter) != 1 or len(form.quote) != 1 or form.quote != form.escape or form.trim:
        return None
    delimiter, quote = re.escape(form.delimiter), re.escape(form.quote)
    item = f"(?:{quote}(?:[^{quote}]|{quote}{quote})*+{quote}|[^{quote}{delimiter}]*+)"
    return re.compile(f"{item}(?:{delimiter}{item})*+")


def _any_of(characters: object) -> str:
    """A pattern for one of these characters; for none of them one that never matches."""
    text = "".join(sorted(characters))  # type: ignore[call-overload]
    return f"[{re.escape(text)}]" if text else "(?!)"


def _twice(quote: str, escape: str) -> str:
    return f"|{re.escape(quote * 2)}" if quote in escape else ""
