"""Reading the pipe of a raster layer's style."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Literal, cast, get_args

from lxml import etree

from qgserver.draw.color import parse_color
from qgserver.errors import Problems
from qgserver.rasters.filters import read_filters
from qgserver.rasters.model import RasterRenderer, Reading, Resampling
from qgserver.rasters.options import flag, integer, number
from qgserver.rasters.pipe import PictureResampling, Pipe, renderers
from qgserver.rasters.transparency import Entry, Ranges, Transparency

Element = etree._Element

MOST_ENTRIES = 1000
"""Entries of a transparency list, and ranges of no-data values, that are read."""
MOST_OVERSAMPLING = 100.0
_THREE = ("red", "green", "blue")


def read_pipe(style: Element, layer: str, problems: Problems) -> Pipe:
    """The pipe of a style (``<maplayer>`` or a stored ``<qgis>`` document); ``layer`` is the layer's name, for the list
    of problems. What can't be drawn is noted there, and nothing is raised for content."""
    pipe = style.find("pipe")
    found = None if pipe is None else pipe.find("rasterrenderer")
    if pipe is None or found is None:
        return Pipe()
    plain, ranges = _nodata(style.find("noData"))
    color = found.get("nodataColor", "")
    return Pipe(
        renderer=_renderer(found, layer, problems),
        opacity=min(max(number(found, "opacity", 1.0), 0.0), 1.0),
        alpha_band=max(integer(found, "alphaBand", -1), 0),
        nodata_color=parse_color(color, (0.0, 0.0, 0.0, 0.0)) if color else None,
        transparency=_transparency(found),
        filters=read_filters(pipe),
        reading=_reading(pipe, plain),
        nodata=ranges,
        resampling=_resampling(pipe),
    )


def _renderer(element: Element, layer: str, problems: Problems) -> RasterRenderer | None:
    kind = element.get("type", "")
    if kind not in renderers:
        problems.add(layer, f"raster renderer {kind}", "this renderer is not drawn")
        return None
    return renderers[kind](element)


def _nodata(element: Element | None) -> tuple[frozenset[int], dict[int, Ranges]]:
    """Bands whose own no-data value is not to be used, and the values that are nothing besides, by band."""
    plain: set[int] = set()
    ranges: dict[int, Ranges] = {}
    for band in () if element is None else element.iterfind("noDataList"):
        place = integer(band, "bandNo")
        if not flag(band, "useSrcNoData", True):
            plain.add(place)
        found = [(number(one, "min", math.nan), number(one, "max", math.nan)) for one in band.iterfind("noDataRange")]
        if found:
            ranges[place] = tuple(found[:MOST_ENTRIES])
    return frozenset(plain), ranges


def _transparency(renderer: Element) -> Transparency | None:
    element = renderer.find("rasterTransparency")
    if element is None:
        return None
    if renderer.get("type") == "multibandcolor":
        channels = tuple(integer(renderer, f"{name}Band", -1) for name in _THREE)
        entries = element.iterfind("threeValuePixelList/pixelListEntry")
        return Transparency(channels, tuple(_three(entry) for entry in list(entries)[:MOST_ENTRIES]))
    band = integer(renderer, "grayBand" if renderer.get("type") == "singlebandgray" else "band", -1)
    return Transparency((band,), tuple(list(_singles(element))[:MOST_ENTRIES]))


def _three(entry: Element) -> Entry:
    reach = number(entry, "tolerance")
    values = [number(entry, name, math.nan) for name in _THREE]
    return Entry(tuple(value - reach for value in values), tuple(value + reach for value in values), _percent(entry))


def _singles(element: Element) -> Iterator[Entry]:
    """QGIS before 1.9 knew one value an entry."""
    for entry in element.iterfind("singleValuePixelList/pixelListEntry"):
        value = number(entry, "pixelValue", math.nan)
        yield Entry((number(entry, "min", value),), (number(entry, "max", value),), _percent(entry))


def _percent(entry: Element) -> float:
    return min(max(number(entry, "percentTransparent"), 0.0), 100.0)


def _reading(pipe: Element, plain: frozenset[int]) -> Reading:
    """QGIS before 3.16 had no resampling by the provider."""
    element = pipe.find("provider/resampling")
    if element is None or not flag(element, "enabled"):
        return Reading(plain=plain)
    return Reading(
        _method(element.get("zoomedInResamplingMethod")),
        _method(element.get("zoomedOutResamplingMethod")),
        _oversampling(element),
        plain,
    )


def _method(name: str | None) -> Resampling:
    return cast(Resampling, name) if name in get_args(Resampling) else "nearestNeighbour"


def _resampling(pipe: Element) -> PictureResampling:
    """A picture is not resampled when the provider does it (``resamplingStage``)."""
    element = pipe.find("rasterresampler")
    if element is None or (pipe.findtext("resamplingStage") or "").strip() == "provider":
        return PictureResampling()
    zoomed_in = element.get("zoomedInResampler", "")
    finer: Literal["", "bilinear", "cubic"] = (
        "bilinear" if zoomed_in == "bilinear" else "cubic" if zoomed_in == "cubic" else ""
    )
    # A cubic picture for coarser cells is not offered; QGIS reads the name all the same.
    coarser = element.get("zoomedOutResampler", "") in ("bilinear", "cubic")
    return PictureResampling(finer, "bilinear" if coarser else "", _oversampling(element))


def _oversampling(element: Element) -> float:
    return min(max(number(element, "maxOversampling", 2.0), 1.0), MOST_OVERSAMPLING)
