"""Attribute values as XML and JSON, in the forms measured on QGIS Server 3.22 (``reference``: WFS values)."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import numpy as np
import pytest
from lxml import etree

from qgserver.ows.attributetext import decimal_texts, json_texts, pattern_texts, wrap_texts, xml_texts
from qgserver.providers.batch import Column


def objects(*values: Any) -> Column:
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return Column(array, np.array([value is None for value in values]))


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        (Column(np.array([1, -7], dtype=np.int32)), ["1", "-7"]),
        (Column(np.array([9007199254740993], dtype=np.int64)), ["9007199254740993"]),
        (Column(np.array([12.0, 49.156, 1.23456789012])), ["12", "49.156", "1.23456789012"]),
        (Column(np.array([1e20, 1e-7, np.nan])), ["100000000000000000000", "0.0000001", None]),
        (Column(np.array([True, False])), ["true", "false"]),
        (Column(np.array(["2021-03-04"], dtype="M8[D]")), ["2021-03-04"]),
        (Column(np.array(["2021-03-04T05:06:07"], dtype="M8[ms]")), ["2021-03-04T05:06:07.000"]),
        (objects(dt.time(12, 30)), ["12:30:00.000"]),
        (objects("Vénissieux", "", None), ["Vénissieux", "", None]),
        (objects('a <b> & "q"'), ['<![CDATA[a <b> & "q"]]>']),
        (objects("a > b"), ["a &gt; b"]),
        (objects(["a", "b c"], {"k": [0, "x"]}), ['["a","b c"]', '{"k":[0,"x"]}']),
        (objects(b"\x00\x01", b"<svg/>", b"caf\xe9"), ["AAE=", "<![CDATA[<svg/>]]>", "Y2Fm6Q=="]),
        (Column(np.array([3, 0]), np.array([False, True])), ["3", None]),
        (Column(np.array([], dtype=object)), []),
    ],
)
def test_xml(column: Column, expected: list[str | None]) -> None:
    assert [None if text is None else text.decode() for text in xml_texts(column)] == expected


@pytest.mark.parametrize(
    "text", ["]]>", "a]]>&b", "tab\tcr\rlf\n", "\x00\x01<\x1f", "\ud800", "\ufffe", "<![CDATA[x]]>"]
)
def test_any_text_gives_well_formed_xml(text: str) -> None:
    found = xml_texts(objects(text, "plain"))
    read = etree.fromstring(b"<a>" + (found[0] or b"") + b"</a>").text or ""
    kept = [c for c in text if c in "\t\r\n" or (c >= " " and not 0xD800 <= ord(c) <= 0xDFFF and c < "\ufffe")]
    assert [c for c in read if c != "\ufffd"] == kept
    assert found[1] == b"plain"


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        (Column(np.array([5.0, np.nan])), [5.0, None]),
        (Column(np.array(["2021-05-01T08:09:10"], dtype="M8[ms]")), ["2021-05-01T08:09:10.000Z"]),
        (Column(np.array(["2021-05-01", "NaT"], dtype="M8[D]"), np.array([False, True])), ["2021-05-01", None]),
        (objects('x",', '","', "\ud800"), ['x",', '","', "?"]),
        (objects(dt.time(12, 30), b"x", None), ["12:30:00.000", "eA==", None]),
        (objects([1, 2], {"k": None}), [[1, 2], {"k": None}]),
    ],
)
def test_json(column: Column, expected: list[object]) -> None:
    assert [json.loads(text) for text in json_texts(column, zone=True)] == expected


def test_wrapping() -> None:
    assert wrap_texts([b"a", b"", b"c"], b"<", b">") == [b"<a>", b"<>", b"<c>"]
    assert wrap_texts([], b"<", b">") == []


def test_widgets() -> None:
    """Measured: widget Range (Precision 0 and 2), widget DateTime with and without a field format."""
    assert decimal_texts(Column(np.array([7.6, np.nan])), 0) == [b"8", None]
    assert decimal_texts(Column(np.array([1.23456])), 2) == [b"1.23"]
    day = Column(np.array(["2021-03-04", "NaT"], dtype="M8[D]"), np.array([False, True]))
    assert pattern_texts(day, "dd/MM/yyyy") == [b"04/03/2021", None]
    instant = Column(np.array(["2021-03-04T05:06:07"], dtype="M8[ms]"))
    assert pattern_texts(instant, "yyyy-MM-dd HH:mm:ss") == [b"2021-03-04 05:06:07"]
    assert pattern_texts(objects(dt.time(5, 6)), "HH:mm") == [b"05:06"]
