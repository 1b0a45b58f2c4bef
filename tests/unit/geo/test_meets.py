"""Features against a box, beside what GEOS says of the same shapes."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
import pytest
import shapely
from shapely.geometry.base import BaseGeometry

from qgserver.geo import meets
from qgserver.geo.extent import Extent
from qgserver.geo.meets import meets_box
from qgserver.geo.wkb import decode, to_shapely

RANDOM = np.random.default_rng(7)


def integers(*shape: int) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    return RANDOM.integers(0, 12, shape).astype(float)


def blocks(count: int) -> list[BaseGeometry]:
    """Rectangles on a grid, joined."""
    corners = integers(count, 2)
    return [shapely.box(x, y, x + w, y + h) for (x, y), (w, h) in zip(corners, integers(count, 2) % 5 + 1, strict=True)]


def areas() -> Iterable[BaseGeometry]:
    for _ in range(150):
        whole = shapely.union_all(blocks(6))
        yield whole
        yield shapely.difference(whole, shapely.union_all(blocks(3)))
        yield shapely.Polygon(integers(3, 2)).convex_hull


def lines() -> Iterable[BaseGeometry]:
    for _ in range(150):
        yield shapely.LineString(integers(4, 2))
        yield shapely.MultiLineString([integers(2, 2), integers(3, 2)])
        yield shapely.LinearRing(integers(4, 2))


def others() -> Iterable[BaseGeometry]:
    for _ in range(150):
        yield shapely.MultiPoint(integers(3, 2))
        yield shapely.GeometryCollection([shapely.Point(*integers(2)), *blocks(1), shapely.LineString(integers(2, 2))])
    yield from (shapely.Polygon(), shapely.MultiPoint(), shapely.GeometryCollection(), shapely.Point())


@pytest.mark.parametrize("make", [areas, lines, others])
def test_as_geos_has_it(monkeypatch: pytest.MonkeyPatch, make: Callable[[], Iterable[BaseGeometry]]) -> None:
    geometry = decode([shapely.to_wkb(shape, flavor="iso") for shape in make()])
    boxes = [Extent(x, y, x + w, y + h) for x, y, w, h in (integers(40, 4) % 6 + (0, 0, 1, 1)).tolist()]
    boxes += [Extent(x, y, x + 0.3, y + 0.2) for x, y in (RANDOM.random((40, 2)) * 12).tolist()]
    for box in boxes:
        by_geos = meets_box(geometry, box)
        with monkeypatch.context() as patch:
            patch.setattr(meets, "FEW", 10**6)
            wrong = np.flatnonzero(meets_box(geometry, box) != by_geos)
        assert not len(wrong), (box, to_shapely(geometry)[wrong[0]])


def test_null_infinite_and_nothing() -> None:
    box = Extent(0, 0, 1, 1)
    odd = [None, shapely.to_wkb(shapely.LineString([(-np.inf, 0), (np.inf, 1)])), shapely.to_wkb(shapely.Point(1, 1))]
    assert meets_box(decode(odd), box).tolist()[::2] == [False, True]
    assert not len(meets_box(decode([]), box))
