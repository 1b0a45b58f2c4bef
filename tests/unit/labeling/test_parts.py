"""Which geometry of a feature is labelled."""

from __future__ import annotations

import numpy as np
import shapely

from qgserver.labeling.parts import clipped, labelled_parts, large_enough, outlines, repaired


def shapes(*texts: str) -> np.ndarray[tuple[int], np.dtype[np.object_]]:
    return np.asarray(shapely.from_wkt(list(texts)), dtype=object)


def test_the_largest_part_of_lines_and_polygons_and_every_point() -> None:
    some = shapes(
        "MULTILINESTRING ((0 0, 1 0), (0 0, 5 0), (0 0, 2 0))",
        "MULTIPOINT (1 1, 2 2)",
        "MULTIPOLYGON (((0 0, 1 0, 0 1, 0 0)), ((5 5, 9 5, 5 9, 5 5)))",
        "GEOMETRYCOLLECTION (POINT (0 0), POLYGON ((0 0, 1 0, 0 1, 0 0)))",
    )
    parts = labelled_parts(some, False)
    assert parts.owners.tolist() == [0, 1, 1, 2, 3]
    assert shapely.length(parts.shapes[0]) == 5
    assert shapely.area(parts.shapes[3]) == 8
    assert labelled_parts(some, True).owners.tolist() == [0, 0, 0, 1, 1, 2, 2, 3]


def test_equal_parts_the_first() -> None:
    parts = labelled_parts(shapes("MULTILINESTRING ((0 0, 1 0), (5 0, 6 0))"), False)
    assert parts.shapes[0].bounds == (0, 0, 1, 0)


def test_nothing() -> None:
    parts = labelled_parts(shapes("POLYGON EMPTY"), False)
    assert len(parts.owners) == 0
    assert len(labelled_parts(shapes(), False).owners) == 0


def test_clipping_leaves_what_lies_inside_as_it_is() -> None:
    frame = shapely.box(0, 0, 10, 10)
    some = shapes("POINT (5 5)", "LINESTRING (-5 5, 5 5)", "POLYGON ((20 20, 21 20, 20 21, 20 20))")
    found = clipped(some, frame)
    assert found[0] is some[0]
    assert found[1].bounds == (0, 5, 5, 5)
    assert found[2].is_empty


def test_polygons_that_cross_themselves_are_made_valid() -> None:
    bow = shapes("POLYGON ((0 0, 2 2, 2 0, 0 2, 0 0))", "LINESTRING (0 0, 1 1, 0 0)")
    found = repaired(bow)
    assert shapely.is_valid(found).all()
    assert found[1] is bow[1]


def test_outlines_and_sizes() -> None:
    some = shapes("POLYGON ((0 0, 3 0, 3 3, 0 3, 0 0))", "LINESTRING (0 0, 4 0)", "POINT (0 0)")
    assert outlines(some)[0].length == 12
    assert large_enough(some, 3.5).tolist() == [False, True, True]
    assert large_enough(some, 0.0).all()
