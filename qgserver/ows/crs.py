"""Which CRS a name of GML means, and in which order its axes are written."""

from __future__ import annotations

import re

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from qgserver.errors import OwsError
from qgserver.geo.crs import Crs, parse_crs
from qgserver.geo.transform import get_transform

_SHORT = re.compile(r"EPSG:\d+", re.IGNORECASE)


def find_crs(name: str, locator: str) -> Crs:
    """The CRS a client names. Raises ``OwsError`` (400) for an unknown one."""
    crs = parse_crs(name)
    if crs is None:
        raise OwsError("InvalidParameterValue", f"The CRS {name[:80]} is not known.", locator=locator)
    return crs


def keeps_xy(srs_name: str) -> bool:
    """``EPSG:n`` means x before y whatever the CRS says (measured); URNs and URLs have the CRS's own order."""
    return _SHORT.fullmatch(srs_name.strip()) is not None


def written_swapped(srs_name: str, crs: Crs | None) -> bool:
    """Whether GML 3 writes y first. Measured: also without SRSNAME, although ``srsName`` then is ``EPSG:n``."""
    return crs is not None and crs.inverted_axes and not keeps_xy(srs_name)


def read_swapped(srs_name: str, crs: Crs | None) -> bool:
    """Whether numbers of a client come y first; without a name they are x, y."""
    return bool(srs_name.strip()) and crs is not None and crs.inverted_axes and not keeps_xy(srs_name)


def to_layer(geometry: BaseGeometry, srs_name: str, layer_crs: Crs | None) -> BaseGeometry:
    """A client's geometry in the layer's CRS, x before y."""
    if not srs_name or layer_crs is None:
        return geometry
    crs = find_crs(srs_name, "filter")
    if read_swapped(srs_name, crs):
        geometry = shapely.transform(geometry, lambda coords: coords[:, ::-1])
    transform = get_transform(crs, layer_crs)
    if transform is None:
        return geometry
    moved = shapely.transform(geometry, transform.points)
    if not np.isfinite(shapely.get_coordinates(moved)).all():
        raise OwsError("InvalidParameterValue", "A geometry lies outside the layer's CRS.", locator="filter")
    return moved
