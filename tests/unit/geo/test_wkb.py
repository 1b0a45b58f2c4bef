"""WKB in all its forms. Geometries are compared with shapely's, arcs with what QGIS 3.22 makes of them."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
import pytest
import shapely

from qgserver.geo import wkb
from qgserver.geo.geometry import COLLECTION, LINESTRING, NULL, POINT, POLYGON

HOLED = "POLYGON((0 0,9 0,9 9,0 9,0 0),(1 1,2 1,2 2,1 2,1 1))"
WKTS = [
    "POINT(1 2)",
    None,
    "POINT Z(1 2 3)",
    "LINESTRING(0 0,1 1)",
    "LINESTRING Z(0 0 5,1 1 6)",
    HOLED,
    "POLYGON((0 0,1 0,1 1,0 0))",
    "MULTIPOINT(1 1,2 2)",
    "MULTIPOINT(1 1)",
    "MULTILINESTRING((0 0,1 1),(2 2,3 3))",
    "MULTILINESTRING((0 0,1 1))",
    "MULTIPOLYGON(((0 0,1 0,1 1,0 0)))",
    "MULTIPOLYGON(((0 0,1 0,1 1,0 0)),((5 5,6 5,6 6,5 5)))",
    "GEOMETRYCOLLECTION(POINT(1 1),LINESTRING(0 0,1 1),POLYGON((0 0,1 0,1 1,0 0)))",
    "POINT EMPTY",
    "LINESTRING EMPTY",
    "POLYGON EMPTY",
    "MULTIPOLYGON EMPTY",
    "GEOMETRYCOLLECTION EMPTY",
]
SHAPES = [None if text is None else shapely.from_wkt(text) for text in WKTS]


@pytest.fixture(autouse=True, params=[0, wkb.FEW], ids=["arrays", "walk"])
def few(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both ways give the same."""
    monkeypatch.setattr(wkb, "FEW", request.param)


Forms = dict[str, Any]
FORMS: list[Forms] = [
    {},
    {"byte_order": 0},
    {"flavor": "iso"},
    {"flavor": "extended", "include_srid": True},
]


def encoded(shapes: list[Any], form: Forms) -> list[bytes | None]:
    return [None if s is None else shapely.to_wkb(shapely.set_srid(s, 4326), **form) for s in shapes]


def same(left: Any, right: Any) -> bool:
    return (left is None and right is None) or bool(shapely.equals_identical(left, right))


@pytest.mark.parametrize("form", FORMS)
def test_every_type_comes_back_as_it_was(form: Forms) -> None:
    geometry = wkb.decode(encoded(SHAPES, form))
    for shape, back in zip(SHAPES, wkb.to_shapely(geometry), strict=True):
        assert same(shape, back), (shape, back)


@pytest.mark.parametrize("shape", [s for s in SHAPES if s is not None])
def test_layers_of_one_type(shape: Any) -> None:
    geometry = wkb.decode(encoded([shape] * 3, {}))
    assert all(same(shape, back) for back in wkb.to_shapely(geometry))


def header(envelope: int, *, empty: bool = False) -> bytes:
    sizes = (0, 32, 48, 48, 64, 0)
    return b"GP\0" + bytes([1 | envelope << 1 | empty << 4]) + struct.pack("<i", 2154) + b"\0" * sizes[envelope]


def test_geopackage_headers_of_all_sizes() -> None:
    shape = shapely.from_wkt("POLYGON((0 0,1 0,1 1,0 0))")
    body = shapely.to_wkb(shape)
    blobs = [header(envelope) + body for envelope in (0, 1, 2, 3, 4, 1, 1)]
    assert all(same(shape, back) for back in wkb.to_shapely(wkb.decode(blobs)))
    assert wkb.decode([header(5) + body]).types.tolist() == [NULL]


def test_z_and_m() -> None:
    point = struct.pack("<BI4d", 1, 3001, 1, 2, 3, 4)
    line = struct.pack("<BII6d", 1, 0x40000002, 2, 0, 0, 7, 1, 1, 8)
    geometry = wkb.decode([point, line])
    assert geometry.coords.tolist() == [[1, 2], [0, 0], [1, 1]]
    assert geometry.z is not None and geometry.m is not None
    assert geometry.z[0] == 3 and np.isnan(geometry.z[1:]).all()
    assert geometry.m.tolist() == [4, 7, 8]


@pytest.mark.parametrize(
    "blob",
    [
        b"",
        b"\1",
        b"GP",
        b"GP\0\1",
        b"\1\1\0\0\0",
        struct.pack("<BII", 1, 2, 2**32 - 1),
        struct.pack("<BII", 1, 3, 2**31),
        struct.pack("<BIII", 1, 3, 1, 2**31) + b"\0" * 64,
        struct.pack("<BI", 1, 999) + b"\0" * 40,
        struct.pack("<BII", 1, 7, 1) * 5000,
        struct.pack("<BII", 1, 6, 2) + shapely.to_wkb(shapely.box(0, 0, 1, 1)) + b"\1\3\0\0\0\1",
    ],
)
def test_what_is_no_wkb_is_null_and_harms_no_neighbour(blob: bytes) -> None:
    good = shapely.to_wkb(shapely.from_wkt(HOLED))
    geometry = wkb.decode([good, blob, good])
    assert geometry.types.tolist() == [POLYGON, NULL, POLYGON]
    assert np.diff(geometry.vertex_offsets()).tolist() == [10, 0, 10]


def circular(*points: tuple[float, float]) -> bytes:
    return struct.pack("<BII", 1, 8, len(points)) + b"".join(struct.pack("<2d", *p) for p in points)


def test_arcs_become_steps_of_a_degree_as_in_qgis() -> None:
    arc = circular((844400, 6517900), (846000, 6518980), (847600, 6517900))
    straight = struct.pack("<BII4d", 1, 2, 2, 842800, 6517900, 844400, 6517900)
    compound = struct.pack("<BII", 1, 9, 2) + straight + arc
    geometry = wkb.decode([compound])
    assert geometry.types.tolist() == [LINESTRING]
    assert len(geometry.coords) == 139
    assert geometry.coords[:3].round(6).tolist() == [
        [842800, 6517900],
        [844400, 6517900],
        [844411.42463, 6517927.638876],
    ]
    circle = circular((843200, 6520000), (844400, 6521200), (845600, 6520000), (844400, 6518800), (843200, 6520000))
    geometry = wkb.decode([struct.pack("<BII", 1, 10, 1) + circle])
    assert geometry.types.tolist() == [POLYGON]
    assert len(geometry.coords) == 361
    assert geometry.coords[1].round(6).tolist() == [843200.182766, 6520020.942888]


def test_arcs_that_are_none() -> None:
    assert wkb.decode([circular((0, 0), (1, 1), (2, 2))]).coords.tolist() == [[0, 0], [1, 1], [2, 2]]
    whole = wkb.decode([circular((0, 0), (2, 0), (0, 0))]).coords
    assert len(whole) == 361 and np.hypot(whole[:, 0] - 1, whole[:, 1]).round(9).tolist() == [1] * 361
    assert wkb.decode([circular((0, 0), (0, 0), (0, 0))]).coords.tolist() == [[0, 0]] * 3
    assert len(wkb.decode([circular((0, 0), (1, 1))]).coords) == 2


def test_both_directions_of_an_arc_have_the_same_vertices() -> None:
    there = wkb.decode([circular((0, 0), (1, 1), (2, 0))]).coords
    back = wkb.decode([circular((2, 0), (1, 1), (0, 0))]).coords
    np.testing.assert_array_equal(there, back[::-1])


def test_take_and_concat() -> None:
    geometry = wkb.decode(encoded(SHAPES, {}))
    order = np.random.default_rng(1).permutation(len(SHAPES))
    taken = wkb.to_shapely(wkb.take(geometry, order))
    assert all(same(SHAPES[i], back) for i, back in zip(order.tolist(), taken, strict=True))
    mask = np.arange(len(SHAPES)) % 2 == 0
    assert len(wkb.take(geometry, mask)) == mask.sum()
    pieces = [wkb.decode(encoded([shape], {})) for shape in SHAPES]
    joined = wkb.to_shapely(wkb.concat([*pieces, wkb.nulls(2)]))
    assert all(same(shape, back) for shape, back in zip([*SHAPES, None, None], joined, strict=True))
    assert len(wkb.concat([])) == 0


def test_a_collection_knows_the_types_of_its_parts() -> None:
    geometry = wkb.decode(encoded([SHAPES[13], SHAPES[0], SHAPES[7]], {}))
    assert geometry.types[0] == COLLECTION
    assert geometry.part_types is not None
    assert geometry.part_types.tolist() == [POINT, LINESTRING, POLYGON, POINT, POINT, POINT]
