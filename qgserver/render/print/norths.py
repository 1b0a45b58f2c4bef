"""Where north is in a map on a page."""

from __future__ import annotations

import math

import numpy as np

from qgserver.geo.crs import parse_crs
from qgserver.geo.transform import get_transform
from qgserver.project.model.layouts import MapItem, North
from qgserver.render.print.paper import Paper

STEP = 0.001
"""Degrees from a map's middle to the point that is north of it."""


def north_angle(paper: Paper, north: North | None, otherwise: float) -> float:
    """Degrees clockwise by which what points up is turned to point north; ``otherwise`` where there is no map."""
    shown = None if north is None else paper.all_maps.get(north.map_uuid)
    if north is None or shown is None:
        return otherwise
    return shown.map_rotation + north.offset + (_true_north(paper, shown) if north.true else 0.0)


def _true_north(paper: Paper, item: MapItem) -> float:
    """Degrees clockwise from the grid's north to the true one in the middle of a map."""
    transform = get_transform(parse_crs("EPSG:4326"), paper.request.crs, paper.project.operations)
    if transform is None:
        return 0.0
    middle = np.array((item.extent.center,))
    place = transform.inverse.points(middle)
    beyond = place + np.array((0.0, STEP))
    (across, up), *_ = (transform.points(beyond) - transform.points(place)).tolist()
    return math.degrees(math.atan2(across, up)) if math.isfinite(across) and math.isfinite(up) else 0.0
