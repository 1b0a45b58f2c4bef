"""Circles in shapes: the very points that QGIS 3.22 gives."""

from __future__ import annotations

import shapely

from qgserver.expression.inscribed import pole


def test_the_pole_of_inaccessibility_is_the_best_that_was_looked_at_not_the_first_within_the_tolerance() -> None:
    ring = (
        "POLYGON((1525 666,1627 1056,1159 1096,1004 1490,677 1276,414 1170,69 1026,71 666,0 273,363 98,674 45,958 43,"
        "1347 0,1354 407,1525 666),(966 478,759 418,615 569,528 805,777 837,998 894,1045 666,966 478))"
    )
    found = pole(shapely.from_wkt(ring), 50.0)
    assert (found.x, found.y) == (349.21875, 442.34375)
