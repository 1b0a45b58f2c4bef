"""The standard variables of each scope, as plain mappings to merge into a ``Context``."""

from __future__ import annotations

import os.path
from collections.abc import Callable, Mapping

from qgserver.expression.context import LayerInfo, ProjectInfo
from qgserver.expression.values import Value
from qgserver.geo.extent import Extent


def project_scope(
    info: ProjectInfo, path: str = "", title: str = "", variables: Mapping[str, Value] | None = None
) -> dict[str, Value]:
    """``@project_*`` and the project's own variables (``variables``, which win)."""
    name = os.path.basename(path)
    return {
        "project_title": title,
        "project_path": path,
        "project_folder": os.path.dirname(path),
        "project_home": os.path.dirname(path),
        "project_filename": name,
        "project_basename": os.path.splitext(name)[0],
        "project_crs": info.crs,
        "project_ellipsoid": info.ellipsoid,
        "project_distance_units": info.distance_units,
        "project_area_units": info.area_units,
        "project_units": _later(info.crs, "units"),
        "project_crs_definition": _later(info.crs, "definition"),
        "project_crs_description": _later(info.crs, "description"),
        "project_crs_acronym": _later(info.crs, "acronym"),
        "project_crs_ellipsoid": _later(info.crs, "ellipsoid"),
        **(variables or {}),
    }


def map_scope(crs: str, extent: Extent, scale: float, rotation: float = 0.0) -> dict[str, Value]:
    """``@map_*``: ``extent`` in the map's CRS (an authid), ``scale`` the denominator the map is drawn at."""
    x1, y1, x2, y2 = extent.as_tuple()

    def polygon() -> Value:
        from shapely import Polygon

        return Polygon([(x1, y1), (x2, y1), (x2, y2), (x1, y2)])

    def center() -> Value:
        from shapely import Point

        return Point(*extent.center)

    return {
        "map_id": "canvas",  # as QGIS Server has it (measured)
        "map_rotation": float(rotation),
        "map_scale": scale,
        "map_extent": _Kept(polygon),
        "map_extent_width": extent.width,
        "map_extent_height": extent.height,
        "map_extent_center": _Kept(center),
        "map_crs": crs,
        **{f"map_{name}": _later(crs, key) for name, key in _CRS_VARIABLES.items()},
    }


_CRS_VARIABLES = {
    "units": "units",
    "crs_definition": "definition",
    "crs_description": "description",
    "crs_acronym": "acronym",
    "crs_projection": "projection",
    "crs_ellipsoid": "ellipsoid",
    "crs_proj4": "definition",
    "crs_wkt": "wkt",
}


def layer_scope(layer: LayerInfo) -> dict[str, Value]:
    """``@layer*``; the layer's own variables come on top."""
    return {"layer": layer, "layer_id": layer.id, "layer_name": layer.name, "layer_crs": layer.crs}


class _Kept:
    """A variable made when it is first read: few are. (``functools.cache`` takes longer to set up than the rest.)"""

    __slots__ = ("_made", "_make")

    def __init__(self, make: Callable[[], Value]) -> None:
        self._make = make
        self._made: tuple[Value, ...] = ()

    def __call__(self) -> Value:
        if not self._made:
            self._made = (self._make(),)
        return self._made[0]


def _later(crs: str, key: str) -> Callable[[], Value]:
    """A variable that costs a look into PROJ's database, made when it is read."""

    def value() -> Value:
        from qgserver.expression.crs import describe

        return describe(crs).get(key)

    return value
