"""Taking vertices out of flat arrays without losing track of parts and features."""

from __future__ import annotations

import numpy as np
import shapely

from qgserver.geo.geometry import LINESTRING, POINT, POLYGON, spans
from qgserver.geo.wkb import decode, to_shapely

WKT = (
    "POLYGON((0 0,9 0,9 9,0 0),(5 1,6 1,6 2,5 1))",
    "POINT EMPTY",
    "MULTILINESTRING((0 0,1 1),(2 2,3 3))",
    "MULTIPOLYGON(((20 0,21 0,21 1,20 0),(20.1 0,20.2 0,20.2 .1,20.1 0)),((30 0,31 0,31 1,30 0)))",
)


def test_kinds_and_boxes_of_sequences() -> None:
    geometry = decode([shapely.to_wkb(shapely.from_wkt(text)) for text in WKT])
    assert geometry.ring_kinds().tolist() == [POLYGON] * 2 + [LINESTRING] * 2 + [POLYGON] * 3
    np.testing.assert_array_equal(geometry.ring_boxes()[1], [5, 1, 6, 2])
    assert np.isnan(geometry.boxes()[1]).all()
    collection = decode([shapely.to_wkb(shapely.from_wkt("GEOMETRYCOLLECTION(POINT(0 0),LINESTRING(0 0,1 1))"))])
    assert collection.ring_kinds().tolist() == [POINT, LINESTRING]


def test_a_part_goes_with_its_outer_ring_and_a_feature_stays() -> None:
    geometry = decode([shapely.to_wkb(shapely.from_wkt(text)) for text in WKT])
    x = geometry.coords[:, 0]
    made = geometry.keep_vertices((x < 20) & ((x < 5) | (x > 8)) | (x > 25) | ((x > 20.05) & (x < 20.5)))
    assert [shape.wkt for shape in to_shapely(made)] == [
        "POLYGON ((0 0, 9 0, 9 9, 0 0))",
        "POINT EMPTY" if made.types[1] == POINT else "GEOMETRYCOLLECTION EMPTY",
        "MULTILINESTRING ((0 0, 1 1), (2 2, 3 3))",
        "MULTIPOLYGON (((30 0, 31 0, 31 1, 30 0)))",
    ]


def test_heights_follow_their_vertices() -> None:
    geometry = decode([shapely.to_wkb(shapely.from_wkt("LINESTRING Z(0 0 7,1 1 8,2 2 9)"), output_dimension=3)])
    geometry.coords[1] = np.inf
    made = geometry.drop_nonfinite()
    assert made.z is not None
    assert made.z.tolist() == [7, 9]


def test_spans() -> None:
    assert spans(np.array([3, 9, 0]), np.array([5, 9, 2])).tolist() == [3, 4, 0, 1]
