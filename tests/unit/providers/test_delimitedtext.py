"""Delimited text: what QGIS 3.22 shows of the same files (columns, types, ids, values), and files that are hostile."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from qgserver.errors import ProviderError
from qgserver.geo.extent import Extent
from qgserver.geo.wkb import to_shapely
from qgserver.providers import Sources, textrecords
from qgserver.providers.protocol import Provider, Query
from qgserver.providers.textgeometry import degrees
from qgserver.providers.textvalues import csvt_types, number
from qgserver.providers.uri import parse_datasource

Open = Callable[..., Provider]


@pytest.fixture
def open_text(tmp_path: Path, sources: Sources) -> Open:
    """Writes a file and opens it with the parameters of a data source."""

    def open_(content: str | bytes, params: str = "type=csv") -> Provider:
        data = content if isinstance(content, bytes) else content.encode()
        (tmp_path / "t.csv").write_bytes(data)
        return sources.open(parse_datasource("delimitedtext", f"file:./t.csv?{params}", str(tmp_path)), None)

    return open_


def types(provider: Provider) -> dict[str, str]:
    return {field.name: field.type_name for field in provider.schema().fields}


def table(provider: Provider) -> dict[int, list[object]]:
    """Values by feature id, None where null, the geometry (if the layer has one) as WKT at the end."""
    out: dict[int, list[object]] = {}
    for batch in provider.read(Query()):
        columns = [
            [None if column.nulls is not None and column.nulls[at] else value for at, value in enumerate(column.values)]
            for column in batch.columns.values()
        ]
        if batch.geometry is not None:
            columns.append([None if g is None else g.wkt for g in to_shapely(batch.geometry)])
        for fid, *values in zip(batch.fids.tolist(), *columns, strict=True):
            out[fid] = [v.item() if isinstance(v, np.generic) and v.dtype.kind not in "M" else v for v in values]
    return out


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (("1", "-1", "+5", "007", " 1 "), "integer"),
        (("3000000000", "1"), "longlong"),
        (("99999999999999999999",), "double"),
        (("1.", ".5", "1e3", "2", "inf", "NaN"), "double"),
        (("1e400",), "text"),
        (("Infinity",), "text"),
        (("0x1F",), "text"),
        (("1_000",), "text"),
        (("1\u0661",), "text"),
        (("true", "false"), "text"),
        (("2020-01-02", "2020/12/31"), "date"),
        (("2020-1-2",), "text"),
        (("2020-13-01",), "text"),
        (("2020-01-02T00:00", "2020-01-02"), "date"),
        (("2020-01-02 10:11", "2020-01-02T10:11:12.5", "2020-01-02T10:11:12Z"), "datetime"),
        (("10:11", "10:11:12.5"), "time"),
        (("24:00",), "text"),
        (("1", "x"), "text"),
        (("",), "text"),
    ],
)
def test_types_are_guessed_as_qgis_does(open_text: Open, values: tuple[str, ...], expected: str) -> None:
    provider = open_text("a,b\n" + "".join(f'k,"{value}"\n' for value in (*values, "")))
    assert types(provider) == {"a": "text", "b": expected}


def test_values(open_text: Open) -> None:
    provider = open_text(
        "i,r,d,t,dt,s\n1, 2.5 ,2020/01/02,10:11,2020-01-02T10:11:12+02:00, x \n,inf,,,,\n-7,1e3,1999-12-31,00:00,"
        '2020-01-02 00:00,""\n'
    )
    first, last = table(provider)[2], table(provider)[4]
    assert first[:2] == [1, 2.5] and str(first[2]) == "2020-01-02" and str(first[3]) == "10:11:00"
    assert str(first[4]) == "2020-01-02T10:11:12.000" and first[5] == " x "
    assert table(provider).get(3) == [None] * 6  # infinity is no value to write into an answer
    assert last[:2] == [-7, 1000.0] and last[5] is None


@pytest.mark.parametrize(
    ("params", "content", "expected"),
    [
        ("quote='&delimiter=|", "a|b\n1|'x|y'\n", {2: [1, "x|y"]}),
        ('quote="&escape=\\', 'a,b\n1,"x\\"y"\n2,a\\,b\n3,"\\n"\n', {2: [1, 'x"y'], 3: [2, "a,b"], 4: [3, "n"]}),
        (
            "quote='%22&escape='%22",
            "a,b\n1,'x\"y'\n2,\"x'y\"\n3,'it''s'\n",
            {2: [1, 'x"y'], 3: [2, "x'y"], 4: [3, "it's"]},
        ),
        ("delimiter=%5Ct;", "a\tb;c\n1\tx;3\n", {2: [1, "x", 3]}),
        ("delimiter=::", "a::b\n1::x\n", {2: [1, None, "x"]}),
        ("type=plain", "a,b\n'1',\"2,3\"\n", {2: [1, "2,3"]}),
        ("type=whitespace", 'a  b   c\n  2 "p q" \n', {2: [2, '"p', 'q"']}),
        ("type=regexp&delimiter=%5Cs", "a b\n1 x\n", {2: [1, "x"]}),
        ("type=regexp&useHeader=no&delimiter=^(%5Cd%2B)-(.*)", "20-a\nno\n21-b\n", {1: [20, "a"], 3: [21, "b"]}),
        ("type=regexp&useHeader=no&delimiter=([0-9])-", "x2-y\n", {1: ["x", 2, "y"]}),
        ("useHeader=No", "1,2\n4,5\n", {1: [1, 2], 2: [4, 5]}),
        ("skipLines=3", "# c\n\n# d\na,b\n1,2\n", {5: [1, 2]}),
        ("maxFields=1", "a,b\n1,2\n", {2: [1]}),
        ("trimFields=yes", 'a,b\n1, x \n2,"  z "\n', {2: [1, "x"], 3: [2, "  z "]}),
        ("skipEmptyFields=yes", "a,,c,,\n1,,3,,\n", {2: [1, 3]}),
        ("detectTypes=no", "a\n1\n", {2: ["1"]}),
        ("decimalPoint=,&delimiter=;", "a;b\n1,5;2.5\n", {2: [1.5, 2.5]}),
        ("subset=%22a%22%20%3E%201", "a,b\n1,2\n3,4\n", {3: [3, 4]}),
        ("type=csv", "a,b\r\n1,x\r\n2,y", {2: [1, "x"], 3: [2, "y"]}),
        ("type=csv", "a,b\r1,x\r2,y", {2: [1, "x"], 3: [2, "y"]}),
        ("type=csv", '\n\na,b\n1,"x\ny"\n\n,\n3,"q""r"\n', {4: [1, "x\ny"], 8: [3, 'q"r']}),
        ("type=csv", "a,b\n1,2,3\n4\n", {2: [1, 2, 3], 3: [4, None, None]}),
    ],
)
def test_options(open_text: Open, params: str, content: str, expected: dict[int, list[object]]) -> None:
    assert table(open_text(content, params)) == expected


@pytest.mark.parametrize(
    "broken", ['4,a"b"c', '5,"ab"c', '5,"ab" c,d', '7,a""b', '8,"a" "b",c', '9,""a', '10,x"', '12,"a"b"c"']
)
def test_a_broken_record_is_left_out(open_text: Open, broken: str) -> None:
    assert list(table(open_text(f"a,b\n1,x\n{broken}\n2,y\n"))) == [2, 4]


@pytest.mark.parametrize("broken", ['6,"unclosed', '5,"ab""'])
def test_a_quote_that_is_not_closed_takes_the_rest(open_text: Open, broken: str) -> None:
    assert list(table(open_text(f"a,b\n1,x\n{broken}\n2,y\n3,z\n"))) == [2]


def test_names_of_columns(open_text: Open) -> None:
    provider = open_text("a, b ,a,,5,field_2,A\n1,2,3,4,5,6,7,8\n")
    assert list(types(provider)) == ["a", "b", "a_1", "field_4", "5", "field_2_1", "A_2", "field_8"]


def test_points(open_text: Open) -> None:
    content = "a,x,y\n1,1,2\n2,,\n3,abc,2\n4,1,\n5, 7 ,8\n6,nan,1\n"
    provider = open_text(content, "xField=X&yField=y")
    assert table(provider) == {2: [1, 1, 2, "POINT (1 2)"], 3: [2, None, None, None], 6: [5, 7, 8, "POINT (7 8)"]}
    assert provider.schema().geometry_type == "Point"
    assert provider.extent() == Extent(1, 2, 7, 8)
    deep = open_text("x;y;z;m\n1,5;2;3;4\n", "delimiter=;&decimalPoint=,&xField=x&yField=y&zField=z&mField=m")
    assert deep.schema().geometry_type == "PointZM"
    assert table(deep)[2][-1] == "POINT Z (1.5 2 3)"


def test_well_known_text(open_text: Open) -> None:
    rows = ["POINT(1 2)", "LINESTRING(0 0 1)", "", "bad", "SRID=4326;POINT(3 4)", "5 POINT(5 6)", "POINT(9 9)x"]
    provider = open_text(
        "id|wkt\n" + "".join(f"{n}|{text}\n" for n, text in enumerate(rows)), "delimiter=|&wktField=WKT"
    )
    shown = {0: "POINT (1 2)", 2: None, 4: "POINT (3 4)", 5: "POINT (5 6)", 6: "POINT (9 9)"}
    assert table(provider) == {number + 2: [number, wkt] for number, wkt in shown.items()}
    both = 'id,wkt\n1,"LINESTRING(0 0,1 1)"\n2,POINT(1 1)\n3,"MULTILINESTRING((0 0,1 1),(2 2,3 3))"\n'
    assert open_text(both, "wktField=wkt").schema().geometry_type == "MultiLineString"
    assert list(table(open_text(both, "wktField=wkt&geomType=point"))) == [3]
    curve = 'wkt\n"CURVEPOLYGON(CIRCULARSTRING(0 0,4 0,4 4,0 4,0 0))"\n"POLYGON((0 0,1 0,1 1))"\n'
    assert open_text(curve, "wktField=wkt").count(Query()) == 2


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("10 30 0", 10.5),
        ("-45 15 30.5", -45.25847222),
        ("10d30'E", 10.5),
        ("45N 30", 45.5),
        ("10°30'15''W", -10.50416667),
        ("W 10 30 15", -10.50416667),
        ("10:30:15", 10.50416667),
        ("- 10 30", -10.5),
        ("10 30 15e", 10.50416667),
        ("361 0", 361),
        ("10.5", None),
        ("10 61", None),
        ("10 59 60", None),
        ("-10 30 S", None),
        ("10 30 15 20", None),
        ("1000 0", None),
        ("1 " * 10_000, None),
    ],
)
def test_degrees_minutes_and_seconds(text: str, expected: float | None) -> None:
    found = degrees(text, "")
    assert found == (None if expected is None else pytest.approx(expected))


def test_encodings(open_text: Open) -> None:
    text = "a,b\n1,é\n"
    assert table(open_text("\ufeff" + text))[2] == [1, "é"]
    assert table(open_text(text.encode("latin-1"), "encoding=ISO-8859-1"))[2] == [1, "é"]
    assert table(open_text(text.encode("utf-16"), "encoding=UTF-16"))[2] == [1, "é"]
    assert table(open_text(text.encode("latin-1")))[2] == [1, "\ufffd"]
    assert table(open_text(text, "encoding=nonsense"))[2] == [1, "é"]
    assert table(open_text(text, "encoding=hex"))[2] == [1, "é"]
    assert table(open_text(b"a,b\n1,\x00\xff\n")).keys() == {2}


def test_a_file_of_types_beside(open_text: Open, tmp_path: Path) -> None:
    (tmp_path / "t.csvt").write_text('Integer,"String",Real(10.3),Date,nonsense\n')
    provider = open_text("a,b,c,d,e\n1,2,3,4,5\n")
    assert types(provider) == {"a": "integer", "b": "text", "c": "double", "d": "date", "e": "integer"}
    assert table(provider)[2] == [1, "2", 3.0, None, 5]
    assert csvt_types("x" * 100_000) == [None]


def test_a_change_of_the_file_is_seen(open_text: Open, tmp_path: Path) -> None:
    provider = open_text("a\n1\n")
    os.utime(tmp_path / "t.csv", (0, 0))
    assert table(provider) == {2: [1]} and table(provider) == {2: [1]}
    (tmp_path / "t.csv").write_text("a,b\n1,x\n2,y\n")
    assert table(provider) == {2: [1, "x"], 3: [2, "y"]}
    (tmp_path / "t.csv").unlink()
    with pytest.raises(ProviderError, match="can't be opened"):
        provider.schema()


@pytest.mark.parametrize(
    ("content", "params", "words"),
    [
        ("", "type=csv", "empty"),
        ("a,b\n1,2\n", "skipLines=99", "empty"),
        ("a,b\n1,2\n", "xField=nope&yField=b", "does not exist"),
        ("a,b\n1,2\n", "wktField=nope", "does not exist"),
        ("a,b\n1,2\n", "subset=((", "filter"),
        ("a,b\n1,2\n", "type=regexp&delimiter=((", "regular expression"),
    ],
)
def test_a_layer_that_is_wrong_says_what_is_wrong(open_text: Open, content: str, params: str, words: str) -> None:
    with pytest.raises(ProviderError, match=words):
        open_text(content, params).schema()


def test_what_is_too_long_is_no_table(open_text: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(textrecords, "MAX_RECORD", 2_000_000)
    for content in ("x" * 3_000_000, 'a\n"' + "x\n" * 1_500_000):
        with pytest.raises(ProviderError, match="too long"):
            open_text(content).schema()
    monkeypatch.setattr(textrecords, "MAX_FILE", 10)
    with pytest.raises(ProviderError, match="too large"):
        open_text("a,b\n" * 10).schema()


def test_columns_are_bounded(open_text: Open) -> None:
    assert len(open_text("a\n" + "," * 100_000 + "x\n2\n").schema().fields) <= textrecords.MAX_COLUMNS


def test_reading_ends_in_time(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("a\n1\n")
    sources = Sources(statement_timeout_ms=1)
    provider = sources.open(parse_datasource("delimitedtext", "./t.csv", str(tmp_path)), None)
    slow, chunks = textrecords.Deadline(0.001), textrecords.chunks
    time.sleep(0.01)
    with pytest.raises(ProviderError, match="too long"):
        list(chunks(str(tmp_path / "t.csv"), provider._format, slow))  # type: ignore[attr-defined]
    sources.close()


@pytest.mark.parametrize("path", ["/dev/zero", "/etc", "http://127.0.0.1:1/x.csv"])
def test_only_files_are_read(sources: Sources, path: str) -> None:
    with pytest.raises(ProviderError, match="can't be opened"):
        sources.open(parse_datasource("delimitedtext", f"{path}?type=csv", "/"), None).schema()


def test_numbers_with_another_decimal_point() -> None:
    assert number("1,5", ",") == 1.5
    assert number("1.000,5", ",") is None
