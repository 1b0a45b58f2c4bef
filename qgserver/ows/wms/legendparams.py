"""Parameters of GetLegendGraphic, and from them to one ``LegendRequest``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from qgserver.draw.color import Color
from qgserver.ows.operations import OperationContext
from qgserver.ows.wms import params
from qgserver.ows.wms.maprequest import DEFAULT_DPI, chosen_layers, map_layers, read_crs
from qgserver.ows.wms.published import Branch, layers_by_name, published_tree
from qgserver.render.legend.request import Labels, LegendGroup, LegendRequest, LegendStyle, TextStyle
from qgserver.render.request import MapLayer, MapRequest
from qgserver.render.view import View, make_view
from qgserver.web.request import Request

MAX_SIDE = 100_000
LABELS: dict[str, Labels] = {"true": "all", "false": "none", "auto": "classes"}
CONTENT_WIDTH = 800
"""Width of the map whose content a legend shows, unless SRCWIDTH says otherwise (QGIS Server's)."""


def millimetres(value: str) -> float:
    """A length."""
    result = params.number(value)
    if not 0 <= result <= 1000:
        raise ValueError("it must lie between 0 and 1000 millimetres")
    return result


def points(value: str) -> float:
    """A size of letters."""
    result = params.number(value)
    if not 1 <= result <= 500:
        raise ValueError("it must lie between 1 and 500 points")
    return result


def denominator(value: str) -> float:
    """The n of a scale 1:n."""
    result = params.number(value)
    if result < 0:
        raise ValueError("it must not be negative")
    return result


def labels(value: str) -> Labels:
    """TRUE, FALSE or AUTO; anything else counts as TRUE."""
    return LABELS.get(value.lower(), "all")


def side(value: str) -> int:
    """Pixels."""
    result = params.whole(value)
    if not 1 <= result <= MAX_SIDE:
        raise ValueError(f"it must lie between 1 and {MAX_SIDE}")
    return result


def _length(name: str, default: float, doc: str) -> params.Parameter[float]:
    return params.parameter(name, millimetres, default, f"Legend: {doc}, in mm.", vendor=True)


STYLE = LegendStyle()
BOXSPACE = _length("BOXSPACE", STYLE.box_space, "space around everything")
LAYERSPACE = _length("LAYERSPACE", STYLE.layer_space, "space between layers")
LAYERTITLESPACE = _length("LAYERTITLESPACE", STYLE.title_space, "space below a layer's title")
SYMBOLSPACE = _length("SYMBOLSPACE", STYLE.symbol_space, "space above a symbol")
ICONLABELSPACE = _length("ICONLABELSPACE", STYLE.label_space, "space between a symbol and its label")
SYMBOLWIDTH = _length("SYMBOLWIDTH", STYLE.symbol_width, "width of a symbol")
SYMBOLHEIGHT = _length("SYMBOLHEIGHT", STYLE.symbol_height, "height of a symbol")
LAYERTITLE = params.parameter("LAYERTITLE", params.flag, True, "Legend: FALSE leaves layer titles out.", vendor=True)
RULELABEL = params.parameter(
    "RULELABEL",
    labels,
    STYLE.labels,
    "Legend: FALSE leaves the labels of symbols out, AUTO that of a layer's only symbol.",
    vendor=True,
)
RULE = params.parameter(
    "RULE", params.text, "", "Legend: the label of a class, whose symbol is then all of the picture."
)
SCALE = params.parameter("SCALE", denominator, 0.0, "Legend: leaves out what is not drawn at this scale denominator.")
SHOWFEATURECOUNT = params.parameter(
    "SHOWFEATURECOUNT", params.flag, False, "Legend: TRUE adds the number of features to labels.", vendor=True
)
ADDLAYERGROUPS = params.parameter(
    "ADDLAYERGROUPS", params.flag, False, "Legend: TRUE keeps the headings of groups.", vendor=True
)
SRCWIDTH = params.parameter(
    "SRCWIDTH",
    side,
    CONTENT_WIDTH,
    "Legend with BBOX: width of the map whose content counts, in pixels.",
    vendor=True,
)
SRCHEIGHT = params.parameter("SRCHEIGHT", side, 0, "Height of that map; without it BBOX keeps its shape.", vendor=True)


T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class TextParameters:
    """The parameters of one kind of text."""

    family: params.Parameter[str]
    bold: params.Parameter[bool]
    italic: params.Parameter[bool]
    size: params.Parameter[float]
    color: params.Parameter[Color]

    def read(self, request: Request) -> TextStyle:
        """The style that a request asks for."""
        return TextStyle(
            self.family.of(request),
            self.size.of(request),
            self.bold.of(request),
            self.italic.of(request),
            self.color.of(request),
        )


def _text(prefix: str, what: str) -> TextParameters:
    def row(name: str, read: Callable[[str], T], default: T, doc: str) -> params.Parameter[T]:
        return params.parameter(f"{prefix}FONT{name}", read, default, f"Legend: {doc} of {what}.", vendor=True)

    plain = TextStyle()
    return TextParameters(
        row("FAMILY", params.text, plain.family, "font"),
        row("BOLD", params.flag, plain.bold, "TRUE for bold letters"),
        row("ITALIC", params.flag, plain.italic, "TRUE for italic letters"),
        row("SIZE", points, plain.points, "size in points"),
        row("COLOR", params.color, plain.color, "colour"),
    )


LAYERFONT = _text("LAYER", "layer titles")
ITEMFONT = _text("ITEM", "labels")


def read_legend_request(context: OperationContext) -> LegendRequest:
    """The legend a request asks for. Raises ``OwsError``."""
    request = context.request
    content = _read_content(context) if params.BBOX.text(request) else None
    chosen = chosen_layers(context)
    layers = tuple(map_layers(chosen, context))
    return LegendRequest(
        entries=_entries(context, layers),
        style=_read_style(request),
        dpi=params.DPI.of(request) or DEFAULT_DPI,
        scale=SCALE.of(request),
        content=content,
        counts=SHOWFEATURECOUNT.of(request),
    )


def _read_style(request: Request) -> LegendStyle:
    return LegendStyle(
        box_space=BOXSPACE.of(request),
        layer_space=LAYERSPACE.of(request),
        title_space=LAYERTITLESPACE.of(request),
        symbol_space=SYMBOLSPACE.of(request),
        label_space=ICONLABELSPACE.of(request),
        symbol_width=SYMBOLWIDTH.of(request),
        symbol_height=SYMBOLHEIGHT.of(request),
        title_text=LAYERFONT.read(request),
        item_text=ITEMFONT.read(request),
        titles=LAYERTITLE.of(request),
        labels=RULELABEL.of(request),
    )


def _read_content(context: OperationContext) -> View:
    """The map whose content is shown."""
    request = context.request
    crs, inverted = read_crs(request, context.version)
    extent = params.extent(request, inverted=inverted)
    width = SRCWIDTH.of(request)
    height = SRCHEIGHT.of(request) or max(round(width * extent.height / extent.width), 1)
    dpi = params.DPI.of(request) or DEFAULT_DPI
    return make_view(MapRequest(crs, extent, width, min(height, MAX_SIDE), (), dpi, stretch=False))


def _entries(context: OperationContext, layers: Sequence[MapLayer]) -> tuple[LegendGroup | MapLayer, ...]:
    """The layers, given bottom first, as the legend shows them: top first, in their groups where that is wanted."""
    grouped = ADDLAYERGROUPS.of(context.request) or context.project.wms.add_legend_groups
    if not grouped or params.SLD_BODY.text(context.request):
        return tuple(reversed(layers))
    tree = published_tree(context.project)
    own = {leaf.layer.published for leaf in tree.leaves()}
    groups: dict[str, Branch] = {}
    for branch in tree.branches():
        groups.setdefault(branch.group.published, branch)
    rest = list(layers)
    entries: list[LegendGroup | MapLayer] = []
    known = layers_by_name(context.project)
    for name in params.LAYERS.of(context.request):
        count = len(known[name])
        mine, rest = rest[:count], rest[count:]
        if name in groups and name not in own:
            entries.append(_group(groups[name], {item.layer.id: item for item in mine}))
        else:
            entries += mine
    return tuple(reversed(entries))


def _group(branch: Branch, layers: Mapping[str, MapLayer]) -> LegendGroup:
    members: list[LegendGroup | MapLayer] = []
    for child in branch.children:
        if isinstance(child, Branch):
            members.append(_group(child, layers))
        elif child.layer.id in layers:
            members.append(layers[child.layer.id])
    return LegendGroup(branch.group.title or branch.group.name, tuple(members))
