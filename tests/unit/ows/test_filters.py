"""FILTER and SELECTION: only what the white list allows, for layers of the map."""

from __future__ import annotations

import pytest

from qgserver.errors import OwsError
from qgserver.expression.nodes import used_fields
from qgserver.ows.wms.filters import read_filters, read_selection


def test_filters_of_several_layers() -> None:
    text = """pol,pts:"val" > 30;lin:"num" = 2;pts:"name" LIKE 'B;:%'"""
    filters = read_filters(text, {"pol", "pts", "lin"})
    assert {name: used_fields(node) for name, node in filters.items()} == {
        "pol": frozenset({"val"}),
        "pts": frozenset({"val", "name"}),
        "lin": frozenset({"num"}),
    }


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ('pol:"num" < 8; DROP TABLE x', 400),
        ("pol:1 = 1 OR pg_sleep ( 10 )", 403),
        ("pol:num = 1", 403),
        ('pol:"a" = \'x\' || "b"', 403),
        ("pol:$geometry IS NULL", 403),
        ('pol:"a" = \'x', 400),
        ("pol", 400),
        ("pol:", 400),
        ('other:"a" = 1', 400),
        ("pol:" + "( " * 1000 + "1" + " )" * 1000, 400),
    ],
)
def test_refused(text: str, status: int) -> None:
    with pytest.raises(OwsError) as caught:
        read_filters(text, {"pol"})
    assert caught.value.status == status


def test_extra_words_of_the_settings() -> None:
    assert read_filters('pol:"a" BETWEEN 1 AND 2', {"pol"}, ("between",))


def test_selection() -> None:
    assert read_selection("pol:1,3;;a:b:2; pol:5") == {"pol": ("1", "3", "5"), "a:b": ("2",)}
    with pytest.raises(OwsError):
        read_selection("pol")
