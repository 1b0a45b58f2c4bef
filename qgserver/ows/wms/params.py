"""The table of the parameters of WMS requests, and how their texts are read."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TypeVar

from qgserver.draw.color import Color
from qgserver.errors import OwsError
from qgserver.geo.extent import Extent
from qgserver.ows.operations import operations
from qgserver.ows.parameters import Parameter as Parameter
from qgserver.ows.parameters import number as number
from qgserver.ows.parameters import page
from qgserver.ows.parameters import text as text
from qgserver.web.request import Request

T = TypeVar("T")


PARAMETERS: list[Parameter[object]] = []
"""The table, in order of definition."""


def parameter(names: str, read: Callable[[str], T], default: T, doc: str, *, vendor: bool = False) -> Parameter[T]:
    """Add a row; ``names`` are separated by blanks, the first is the main one."""
    row = Parameter(tuple(names.split()), read, default, doc, "vendor" if vendor else "")
    PARAMETERS.append(row)  # type: ignore[arg-type]
    return row


def items(value: str) -> tuple[str, ...]:
    """A list separated by commas; items may be empty."""
    return tuple(item.strip() for item in value.split(","))


def whole(value: str) -> int:
    """A whole number."""
    if not value.lstrip("+-").isascii() or len(value) > 12:
        raise ValueError("it must be a whole number")
    try:
        return int(value)
    except ValueError:
        raise ValueError("it must be a whole number") from None


def flag(value: str) -> bool:
    """Qt's idea of a boolean, which QGIS follows: only ``false``, ``0`` and nothing are false."""
    return value.lower() not in ("false", "0", "")


def box(value: str) -> tuple[float, float, float, float]:
    """Four numbers as sent; axes are settled by ``extent``."""
    numbers = [number(item) for item in items(value)]
    if len(numbers) != 4:
        raise ValueError("it must be four numbers")
    return numbers[0], numbers[1], numbers[2], numbers[3]


def color(value: str) -> Color:
    """``0xRRGGBB``, ``#RRGGBB`` (also with AA in front, as Qt writes it) or an SVG colour name."""
    from PIL import ImageColor

    if value[:2].lower() == "0x":
        value = "#" + value[2:]
    try:
        if value.startswith("#") and len(value) == 9:
            value = "#" + value[3:] + value[1:3]
        red, green, blue, *alpha = ImageColor.getrgb(value)
    except ValueError:
        raise ValueError("it must be a colour such as 0xRRGGBB") from None
    return red / 255, green / 255, blue / 255, (alpha[0] if alpha else 255) / 255


def resolution(value: str) -> float:
    """Dots per inch."""
    result = number(value)
    if not 1 <= result <= 10_000:
        raise ValueError("it must lie between 1 and 10000")
    return result


def opacities(value: str) -> tuple[float, ...]:
    """Values 0..255 as fractions."""
    values = [255 if not item else whole(item) for item in items(value)]
    if not all(0 <= value <= 255 for value in values):
        raise ValueError("opacities must lie between 0 and 255")
    return tuple(value / 255 for value in values)


def quality(value: str) -> int:
    """0..100."""
    result = whole(value)
    if not 0 <= result <= 100:
        raise ValueError("it must lie between 0 and 100")
    return result


DXF_MODES = ("NOSYMBOLOGY", "FEATURESYMBOLOGY", "SYMBOLLAYERSYMBOLOGY")


def dxf_options(value: str) -> Mapping[str, str]:
    """``NAME:value;NAME:value``."""
    pairs = (item.partition(":") for item in value.split(";") if item.strip())
    found = {name.strip().upper(): text.strip() for name, _, text in pairs}
    if found.get("MODE", DXF_MODES[0]).upper() not in DXF_MODES:
        raise ValueError("MODE must be one of " + ", ".join(DXF_MODES))
    return found


NOTHING: tuple[str, ...] = ()

VERSION = parameter("VERSION WMTVER", text, "", "1.1.1 or 1.3.0; maps cannot be asked for without.")
LAYERS = parameter("LAYERS LAYER", items, NOTHING, "Names of layers and groups, the first at the bottom.")
STYLES = parameter(
    "STYLES STYLE", items, NOTHING, "A style for each name in LAYERS; empty: the project's current style."
)
CRS = parameter("CRS SRS", text, "", "`EPSG:n`, `CRS:84`, a URN or a URL; any that PROJ knows. SRS before 1.3.0.")
SRS = parameter("SRS CRS", text, "", "The same parameter in 1.1.1; both names are understood in both versions.")
BBOX = parameter("BBOX", box, (0.0, 0.0, 0.0, 0.0), "The extent; from 1.3.0 on in the axis order of the CRS.")
WIDTH = parameter("WIDTH", whole, 0, "Width of the map in pixels.")
HEIGHT = parameter("HEIGHT", whole, 0, "Height of the map in pixels.")
FORMAT = parameter("FORMAT", text, "", "An image format of the capabilities, or a short name such as `png`.")
TRANSPARENT = parameter("TRANSPARENT", flag, False, "TRUE: no background, where the format can do without.")
BGCOLOR = parameter("BGCOLOR", color, (1.0, 1.0, 1.0, 1.0), "Background: `0xRRGGBB`, `#RRGGBB` or a name.")
EXCEPTIONS = parameter("EXCEPTIONS", text, "XML", "XML, INIMAGE (the message drawn) or BLANK (an empty picture).")
DPI = parameter(
    "DPI",
    resolution,
    0.0,
    "Resolution; 90.7 (pixels of 0.28 mm) when absent. MAP_RESOLUTION and FORMAT_OPTIONS=dpi:n change nothing, as in "
    "QGIS Server 3.22 (measured).",
    vendor=True,
)
IMAGE_QUALITY = parameter("IMAGE_QUALITY", quality, -1, "Quality of JPEG and WebP, 0 to 100.", vendor=True)
OPACITIES: Parameter[tuple[float, ...]] = parameter(
    "OPACITIES", opacities, tuple[float, ...](), "0 to 255 for each name in LAYERS.", vendor=True
)
TILED = parameter(
    "TILED", flag, False, "TRUE: the project's tile buffer is drawn around the map, then cut.", vendor=True
)
FILTER = parameter(
    "FILTER",
    text,
    "",
    "`layer:\"field\" = 'value';layer2:...`; QGIS Server's white list applies. Or OGC filters, one for each "
    "name in LAYERS: `(<Filter>..)(<Filter>..)`.",
    vendor=True,
)
SLD = parameter("SLD", text, "", "Refused: the server fetches nothing. Send the document itself as SLD_BODY.")
SLD_BODY = parameter(
    "SLD_BODY",
    text,
    "",
    "Styles of the client's own: SLD 1.0.0 or 1.1.0, whose NamedLayers are drawn in its UserStyles instead of LAYERS "
    "in STYLES. Labels and external graphics are not drawn.",
)
TIME = parameter("TIME", text, "", "Of layers with this dimension: `value`, `first/last` or a list of these.")
ELEVATION = parameter("ELEVATION", text, "", "The same; other dimensions are sent as `DIM_` and their name.")
HIGHLIGHT_GEOM = parameter(
    "HIGHLIGHT_GEOM",
    text,
    "",
    "WKT geometries in the CRS of the map, separated by `;`, drawn above all layers as HIGHLIGHT_SYMBOL says. "
    "Their labels are not drawn.",
    vendor=True,
)
HIGHLIGHT_SYMBOL = parameter(
    "HIGHLIGHT_SYMBOL", text, "", "SLD documents, one for each of HIGHLIGHT_GEOM, separated by `;`.", vendor=True
)
FORMAT_OPTIONS: Parameter[Mapping[str, str]] = parameter(
    "FORMAT_OPTIONS",
    dxf_options,
    {},
    "DXF: `MODE:NOSYMBOLOGY` (default; else features have the colours of their symbols), "
    "`USE_TITLE_AS_LAYERNAME:TRUE`, `LAYERATTRIBUTES:field,field` (the field of each layer in LAYERS whose values name "
    "DXF layers). SCALE, CODEC, NO_MTEXT and FORCE_2D change nothing: there are no texts and no heights.",
    vendor=True,
)
SELECTION = parameter("SELECTION", text, "", "`layer:1,2;layer2:3`: features drawn as selected.", vendor=True)


def extent(request: Request, *, inverted: bool) -> Extent:
    """BBOX with x before y; ``inverted`` when it is written y first. Raises ``OwsError`` for a box without area."""
    first, second, third, fourth = BBOX.required(request)
    result = Extent(second, first, fourth, third) if inverted else Extent(first, second, third, fourth)
    if result.width <= 0 or result.height <= 0 or not math.isfinite(result.width * result.height):
        raise OwsError(
            "InvalidParameterValue", "BBOX: the minimum must be less than the maximum on both axes.", locator="BBOX"
        )
    return result


def document() -> str:
    """``docs/wms-parameters.md``."""
    operations("WMS", "1.3.0")  # each brings the parameters of its own
    return page("WMS", __name__, "", PARAMETERS)
