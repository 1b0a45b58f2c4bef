"""Joined columns and virtual fields."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from qgserver.expression.context import Context
from qgserver.expression.parser import parse
from qgserver.geo.extent import Extent
from qgserver.project.layersource import open_layer
from qgserver.project.model import Group, Join, Project, VectorLayer, VirtualField
from qgserver.providers import Sources
from qgserver.providers.protocol import OrderBy, Provider, Query
from qgserver.providers.uri import DataSource

DATA = Path(__file__).parents[3] / "fixtures/data/data.gpkg"


def layer(name: str, **more: object) -> VectorLayer:
    source = DataSource(provider="ogr", path=str(DATA), table=name)
    return VectorLayer(id=name, name=name, published=name, source=source, crs=None, **more)  # type: ignore[arg-type]


def virtual(name: str, expression: str, kind: str = "int") -> VirtualField:
    return VirtualField(name, expression, kind)


def project(*layers: VectorLayer) -> Project:
    return Project(
        path="", version=(3, 22, 0), title="", abstract="", crs=None, layers={x.id: x for x in layers}, tree=Group("")
    )


def opened(sources: Sources, *layers: VectorLayer) -> Provider:
    return open_layer(project(*layers), layers[0], sources)


def values(provider: Provider, query: Query) -> dict[str, list[object]]:
    out: dict[str, list[object]] = {}
    for batch in provider.read(query):
        for name, column in batch.columns.items():
            nulls = [False] * len(column) if column.nulls is None else column.nulls.tolist()
            out.setdefault(name, []).extend(
                None if null else value for value, null in zip(column.values.tolist(), nulls, strict=True)
            )
    return out


CHILDREN = layer("children", joins=(Join("parents", "parent", "fid", "p_"), Join("gone", "parent", "fid", "g_")))


@pytest.fixture
def joined(sources: Sources) -> Iterator[Provider]:
    yield opened(sources, CHILDREN, layer("parents"))


def test_a_plain_layer_is_its_provider(sources: Sources) -> None:
    plain = layer("points")
    assert opened(sources, plain) is sources.open(plain.source, None)


def test_joined_columns_have_their_prefix_and_not_the_key(joined: Provider) -> None:
    assert [f.name for f in joined.schema().fields] == [
        *("fid", "parent", "item", "qty"),
        *("p_code", "p_label", "p_rank", "p_cost"),
    ]


def test_joined_values_are_those_of_the_first_match(joined: Provider, sources: Sources) -> None:
    parents = values(opened(sources, layer("parents")), Query())
    labels = dict(zip(parents["fid"], parents["label"], strict=True))
    got = values(joined, Query())
    assert got["p_label"] == [labels.get(parent) for parent in got["parent"]]
    assert values(joined, Query(columns=("p_label", "item")))["p_label"] == got["p_label"]
    subset = replace(CHILDREN, joins=(Join("parents", "parent", "fid", "", ("label",)),))
    only = opened(sources, subset, layer("parents"))
    assert [f.name for f in only.schema().fields] == ["fid", "parent", "item", "qty", "label"]


def test_filters_orders_and_pages_over_joined_columns(joined: Provider) -> None:
    every = values(joined, Query())
    label = next(x for x in every["p_label"] if x is not None)
    where = parse(f"p_label = '{label}' AND qty > 0")
    expected = [f for f, p, q in zip(every["fid"], every["p_label"], every["qty"], strict=True) if p == label and q > 0]  # type: ignore[operator]
    assert values(joined, Query(columns=("fid",), where=where))["fid"] == expected
    assert joined.count(Query(where=where)) == len(expected)
    assert joined.count(Query(where=where, limit=1)) == 1
    ordered = values(joined, Query(order_by=(OrderBy("p_label", False), OrderBy("fid")), limit=3, offset=1))
    pairs = sorted(
        ((p, f) for p, f in zip(every["p_label"], every["fid"], strict=True)),
        key=lambda pair: (pair[0] is None, [-ord(c) for c in str(pair[0])], pair[1]),
    )
    assert list(zip(ordered["p_label"], ordered["fid"], strict=True)) == pairs[1:4]


def test_virtual_fields_may_use_each_other(sources: Sources) -> None:
    fields = (
        virtual("quad", "twice * 2"),
        virtual("twice", "num * 2"),
        virtual("text", "num", "string"),
        virtual("half", "num / 2", "double"),
        virtual("rounded", "num / 2", "int"),
        virtual("bad", "1 +", "string"),
        virtual("loop", "loop + 1"),
        virtual("var", "@greeting", "string"),
        virtual("when", "day", "date"),
        replace(virtual("tenth", "num / 7", "double"), precision=2),
    )
    points = opened(sources, layer("points", virtual_fields=fields))
    got = values(points, Query(fids=[3], context=Context(variables={"greeting": "hello"})))
    assert got["num"] == [3]
    assert got["quad"] == [12] and got["twice"] == [6]
    assert got["text"] == ["3"] and got["half"] == [1.5] and got["rounded"] == [2]
    assert got["bad"] == [None] and got["loop"] == [None] and got["var"] == ["hello"]
    assert got["when"] == got["day"] and got["tenth"] == [0.43]
    assert [f.type for f in points.schema().fields[-10:]] == [
        *("int", "int", "string", "double", "int", "string", "int", "string", "date", "double")
    ]


def test_what_the_provider_can_do_goes_to_it(sources: Sources) -> None:
    points = opened(sources, layer("points", virtual_fields=(virtual("twice", "num * 2"),)))
    box = Extent(843000, 6518000, 848000, 6522500)
    where = parse("twice > 40 AND num < 40 AND length(name) > 3")
    got = values(points, Query(columns=("num", "twice"), where=where, extent=box, order_by=(OrderBy("num"),)))
    assert list(got) == ["num", "twice"]
    assert got["num"] == sorted(got["num"]) and all(20 < n < 40 for n in got["num"])  # type: ignore[operator, type-var]
    assert points.count(Query(where=parse("num < 40"))) == 39
    assert values(points, Query(columns=(), where=where)) == {}


def test_rings_of_joins_end(sources: Sources) -> None:
    parents = layer("parents", joins=(Join("children", "fid", "parent", "c_"),))
    ring = opened(sources, CHILDREN, parents)
    assert len(values(ring, Query())["fid"]) == ring.count(Query())


@pytest.mark.parametrize(("known", "geometry_type"), [(True, "MultiPolygonZ"), (False, "NoGeometry")])
def test_a_layer_without_its_file_may_be_empty(known: bool, geometry_type: str, tmp_path: Path) -> None:
    """As QGIS has bad layers that it is told to ignore; the file is there again as soon as it is."""
    path = tmp_path / "late.gpkg"
    late = replace(layer("parents"), geometry_type="MultiPolygonZ", geometry_known=known)
    late = replace(late, source=replace(late.source, path=str(path)))
    tolerant = Sources(ignore_absent=True)
    try:
        provider = opened(tolerant, late)
        assert (provider.schema().fields, provider.schema().geometry_type) == ((), geometry_type)
        assert provider.count(Query()) == 0 and list(provider.read(Query())) == [] and provider.extent() is None
        path.write_bytes(DATA.read_bytes())
        assert opened(tolerant, late).count(Query()) == opened(tolerant, layer("parents")).count(Query()) > 0
    finally:
        tolerant.close()
