"""Parameters that only GetFeatureInfo has."""

from __future__ import annotations

from qgserver.ows.wms.params import NOTHING, flag, items, parameter, text, whole

MAX_COUNT = 100_000
"""Features of one layer in one answer, whatever is asked for."""


def _count(value: str) -> int:
    """QGIS takes any number below 1 for 1."""
    return min(max(whole(value), 1), MAX_COUNT)


def _decimals(value: str) -> int:
    return min(max(whole(value), 0), 15)


QUERY_LAYERS = parameter("QUERY_LAYERS", items, NOTHING, "Names of layers and groups to ask about.")
INFO_FORMAT = parameter("INFO_FORMAT", text, "", "A feature info format of the capabilities; plain text when absent.")
FEATURE_COUNT = parameter("FEATURE_COUNT", _count, 1, "Most features of each layer, 1 when absent.")
I = parameter("I X", whole, 0, "Column of the point in the map, from the left; X before 1.3.0.")  # noqa: E741
J = parameter("J Y", whole, 0, "Row of the point in the map, from the top; Y before 1.3.0.")
WITH_GEOMETRY = parameter(
    "WITH_GEOMETRY", flag, False, "TRUE: geometry too, where the project allows it (WMSAddWktGeometry).", vendor=True
)
WITH_MAPTIP = parameter("WITH_MAPTIP", flag, False, "TRUE: the layers' map tips as an attribute `maptip`.", vendor=True)
WMS_PRECISION = parameter(
    "WMS_PRECISION", _decimals, -1, "Decimals of coordinates in feature info; the project's when absent.", vendor=True
)
FI_POINT_TOLERANCE = parameter(
    "FI_POINT_TOLERANCE",
    whole,
    0,
    "How many pixels points may be away; a hundredth of the map's width when absent.",
    vendor=True,
)
FI_LINE_TOLERANCE = parameter("FI_LINE_TOLERANCE", whole, 0, "The same for lines; 1/200 when absent.", vendor=True)
FI_POLYGON_TOLERANCE = parameter(
    "FI_POLYGON_TOLERANCE", whole, 0, "The same for polygons; 1/400 when absent.", vendor=True
)
FILTER_GEOM = parameter(
    "FILTER_GEOM",
    text,
    "",
    "WKT in the CRS of the map, x first: features that meet it, instead of a point.",
    vendor=True,
)
