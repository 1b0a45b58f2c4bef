"""GetFeature as a stream: what is read when, paging over several types, sources closed when the client leaves."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import pytest
import shapely

from qgserver.errors import OwsError, ProviderError
from qgserver.geo.crs import Crs
from qgserver.geo.extent import Extent
from qgserver.geo.wkb import decode, take
from qgserver.ows.documents import DocumentCache
from qgserver.ows.operations import OperationContext
from qgserver.ows.wfs import reading
from qgserver.ows.wfs.getfeature import get_feature
from qgserver.project.model import FieldConfig, Group, Project, VectorLayer, WfsProperties
from qgserver.providers import Sources
from qgserver.providers.batch import Batch, Column
from qgserver.providers.protocol import Field, Query, Schema
from qgserver.providers.uri import DataSource
from qgserver.settings import Settings
from qgserver.web.request import Request

LAMBERT = Crs("EPSG:2154", "EPSG:2154")


@dataclass
class Source:
    """A provider of n points that notes what it is asked."""

    size: int
    batch_size: int = 2
    queries: list[Query] = field(default_factory=list)
    batches_read: int = 0
    open_readers: int = 0
    fails_after: int | None = None

    def schema(self) -> Schema:
        fields = (Field("num", "int", nullable=False), Field("secret", "string"))
        return Schema(fields, "Point", LAMBERT, ("num",))

    def extent(self) -> Extent | None:
        return Extent(700000, 6600000, 700000 + self.size, 6600000)

    def count(self, query: Query) -> int:
        return self.size

    def read(self, query: Query) -> Iterator[Batch]:
        self.queries.append(query)
        self.open_readers += 1
        stop = self.size if query.limit is None else min(self.size, query.offset + query.limit)
        try:
            for start in range(query.offset, stop, self.batch_size):
                if self.batches_read == self.fails_after:
                    raise ProviderError("The database is gone.")
                self.batches_read += 1
                yield self.batch(np.arange(start, min(start + self.batch_size, stop)), query)
        finally:
            self.open_readers -= 1

    def batch(self, fids: np.ndarray, query: Query) -> Batch:
        points = decode([shapely.to_wkb(shapely.Point(700000 + fid, 6600000)) for fid in range(self.size)])
        columns = {"num": Column(fids), "secret": Column(np.array(["s"] * len(fids), dtype=object))}
        names = columns if query.columns is None else query.columns
        return Batch(fids, {name: columns[name] for name in names}, take(points, fids) if query.geometry else None)

    def close(self) -> None: ...


def layer(name: str) -> VectorLayer:
    return VectorLayer(
        id=f"{name}_id", name=name, published=name, source=DataSource("memory"), crs=LAMBERT, geometry_type="Point",
        fields=(FieldConfig("num"), FieldConfig("secret", hidden_wfs=True)),
    )  # fmt: skip


def ask(monkeypatch: pytest.MonkeyPatch, sources: dict[str, Source], **params: str) -> Iterator[bytes]:
    layers = {f"{name}_id": layer(name) for name in sources}
    project = Project(
        path="", version=(3, 22, 0), title="", abstract="", crs=LAMBERT, layers=layers, tree=Group(""),
        wfs=WfsProperties(layers=tuple(layers)),
    )  # fmt: skip
    monkeypatch.setattr(reading, "open_layer", lambda _project, opened, _sources: sources[opened.name])
    request = Request(params={"VERSION": "1.1.0", **params})
    context = OperationContext(request, project, Settings(), Sources(), "WFS", "1.1.0", DocumentCache(1))
    return get_feature(context).iter_encoded()


def ids(chunks: Iterator[bytes]) -> list[str]:
    return [feature["id"] for feature in json.loads(b"".join(chunks))["features"]]


def test_features_are_read_while_they_are_written(monkeypatch: pytest.MonkeyPatch) -> None:
    source = Source(5000, 1000)
    chunks = ask(monkeypatch, {"a": source}, TYPENAME="a")
    first = next(chunks)
    assert first.startswith(b"<wfs:FeatureCollection")
    assert b'gml:id="a.1"' in first
    assert source.batches_read == 2  # LOOKAHEAD
    for expected in (2, 3, 4):
        next(chunks)
        assert source.batches_read == expected
    chunks.close()  # type: ignore[attr-defined]
    assert (source.batches_read, source.open_readers) == (4, 0)


def test_a_source_that_fails_at_once_fails_before_the_first_byte(monkeypatch: pytest.MonkeyPatch) -> None:
    source = Source(10, fails_after=0)
    with pytest.raises(ProviderError):
        next(ask(monkeypatch, {"a": source}, TYPENAME="a"))
    assert source.open_readers == 0


def test_the_box_of_a_short_answer_is_exact_and_that_of_a_long_one_the_layers(monkeypatch: pytest.MonkeyPatch) -> None:
    lower, upper = b"<gml:lowerCorner>%d 6600000</gml:lowerCorner>", b"<gml:upperCorner>%d 6600000</gml:upperCorner>"
    short = b"".join(ask(monkeypatch, {"a": Source(5000, 1000)}, TYPENAME="a", STARTINDEX="7", MAXFEATURES="3"))
    box = short[: short.index(b"<gml:featureMember>")]
    assert lower % 700007 in box
    assert upper % 700009 in box
    long = next(ask(monkeypatch, {"a": Source(5000, 1000)}, TYPENAME="a"))
    box = long[: long.index(b"<gml:featureMember>")]
    assert lower % 700000 in box
    assert upper % 705000 in box


@pytest.mark.parametrize(
    ("start", "limit", "expected"),
    [
        ("0", "", ["a.0", "a.1", "a.2", "b.0", "b.1"]),
        ("1", "3", ["a.1", "a.2", "b.0"]),
        ("3", "", ["b.0", "b.1"]),
        ("4", "5", ["b.1"]),
        ("9", "5", []),
        ("0", "0", []),
        ("0", "3", ["a.0", "a.1", "a.2"]),
    ],
)
def test_paging_goes_over_all_types(
    monkeypatch: pytest.MonkeyPatch, start: str, limit: str, expected: list[str]
) -> None:
    sources = {"a": Source(3), "b": Source(2)}
    params = {"TYPENAME": "a,b", "STARTINDEX": start, "MAXFEATURES": limit, "OUTPUTFORMAT": "GeoJSON"}
    assert ids(ask(monkeypatch, sources, **params)) == expected
    hits = json.loads(b"".join(ask(monkeypatch, sources, **params, RESULTTYPE="hits")))
    assert hits["numberOfFeatures"] == len(expected)


def test_hidden_fields_are_neither_read_nor_named(monkeypatch: pytest.MonkeyPatch) -> None:
    source = Source(2)
    answer = b"".join(ask(monkeypatch, {"a": source}, TYPENAME="a"))
    assert source.queries[0].columns == ("num",)
    assert b"secret" not in answer
    for params in ({"PROPERTYNAME": "secret"}, {"SORTBY": "secret"}, {"EXP_FILTER": "secret = 's'"}):
        with pytest.raises(OwsError) as caught:
            ask(monkeypatch, {"a": source}, TYPENAME="a", **params)
        assert caught.value.status == 400


def test_what_goes_to_the_source(monkeypatch: pytest.MonkeyPatch) -> None:
    source = Source(2)
    params = {"TYPENAME": "a", "BBOX": "0,0,1,1", "SORTBY": "num D", "STARTINDEX": "1", "MAXFEATURES": "7"}
    list(ask(monkeypatch, {"a": source}, **params))
    (query,) = source.queries
    assert query.extent == Extent(0, 0, 1, 1)
    assert query.where is None  # the box of a point is the point
    assert (query.order_by[0].column, query.order_by[0].ascending, query.order_by[0].nulls_first) == (
        "num",
        False,
        True,
    )
    assert (query.offset, query.limit) == (1, 7)
    list(ask(monkeypatch, {"a": source}, FEATUREID="a.1,b.2", TYPENAME="a"))
    assert (source.queries[-1].columns, source.queries[-1].fids, source.queries[-1].where) == (("num",), ["1"], None)


def test_ids_of_other_types_match_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    source = Source(2)
    assert ids(ask(monkeypatch, {"a": source}, TYPENAME="a", FEATUREID="b.1", OUTPUTFORMAT="GeoJSON")) == []
    assert source.queries == []


def test_a_geometry_without_a_place_in_the_answer_is_null(monkeypatch: pytest.MonkeyPatch) -> None:
    nowhere = shapely.to_wkb(shapely.Point(np.inf, np.inf))

    def batch(self: Source, fids: np.ndarray, query: Query) -> Batch:
        return Batch(fids, {"num": Column(fids)}, decode([nowhere] * len(fids)))

    monkeypatch.setattr(Source, "batch", batch)
    answer = json.loads(b"".join(ask(monkeypatch, {"a": Source(2)}, TYPENAME="a", OUTPUTFORMAT="GeoJSON")))
    assert [feature["geometry"] for feature in answer["features"]] == [None, None]
