"""Legends on a page: symbols and labels drawn as GetLegendGraphic does, laid out as layouts do."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from qgserver.draw.fonts import BOLD
from qgserver.draw.images import draw_turned
from qgserver.draw.units import RenderScale
from qgserver.draw.vector import VectorCanvas
from qgserver.project.model import Layer, OtherLayer
from qgserver.project.model.layouts import LegendGroup, LegendItem, LegendLayer, LegendText
from qgserver.project.model.tree import Group
from qgserver.render.legend.bars import Bar
from qgserver.render.legend.nodes import LayerNode, Row, legend_nodes
from qgserver.render.legend.picture import Sheet, draw_legend
from qgserver.render.legend.request import TEXT_SCALE, LegendRequest, LegendStyle, TextStyle
from qgserver.render.print.paper import MM_PER_INCH, Paper, map_denominator
from qgserver.render.request import MapLayer

Draw = Callable[[Paper], None]

_HEADING = LegendText(top=3.0)
_SYMBOL = LegendText(top=2.5)


@dataclass(frozen=True, slots=True, eq=False)
class _Atom:
    """What stays together in a column: headings (text and kind), then rows of a layer. ``alone``: one row that stands
    for the whole layer."""

    headings: tuple[tuple[str, str], ...]
    node: LayerNode
    rows: tuple[Row, ...]

    def above(self, item: LegendItem) -> float:
        """The space above it, unless it is the first one of its column."""
        if self.headings:
            return item.texts.get(self.headings[0][1], _HEADING).top
        return item.texts.get("symbol", _SYMBOL).top


def fit_legend(paper: Paper, item: LegendItem) -> tuple[LegendItem, Draw]:
    """The item as large as what it shows, if it is to be, and what draws it."""
    sheet = _lay_out(paper, item)
    if item.fitted:
        item = replace(item, width=sheet.width, height=sheet.height)

    def draw(paper: Paper) -> None:
        kind = VectorCanvas if item.rotation % 360 else type(paper.canvas)
        picture = draw_legend(paper.project, sheet, sheet.pixels, None, kind)
        x, y = paper.corner(item)
        if item.rotation % 360:
            draw_turned(paper.canvas, picture, (x, y), item.rotation)
        else:
            paper.canvas.compose(picture, at=(math.floor(x + 0.5), math.floor(y + 0.5)))

    return item, draw


def _lay_out(paper: Paper, item: LegendItem) -> Sheet:
    """The legend: its title over columns of atoms, all from the left upper corner."""
    whole, atoms = _sheet(paper, item), list(_atoms(paper, item))
    left = whole.style.box_space
    tall = _title(whole, item)
    measured = [_put(_sheet(paper, item), item, atom, _indent(whole, atom.rows)) for atom in atoms]
    numbers = _columns(item, [(atom.above(item), sheet.height) for atom, sheet in zip(atoms, measured, strict=True)])
    groups = [[atom for atom, number in zip(atoms, numbers, strict=True) if number == column]
              for column in range(max(numbers, default=-1) + 1)]  # fmt: skip
    placed = [_column(paper, item, some) for some in groups]
    widths = [column.width for column in placed]
    if item.equal_widths and widths:
        widths = [max(widths)] * len(widths)
    x, bottom = left, tall
    for some, sheet, wide in zip(groups, placed, widths, strict=True):
        if item.symbols_right:
            sheet = _column(paper, item, some, wide)
        whole.marks += [replace(mark, x=mark.x + x, y=mark.y + tall) for mark in sheet.marks]
        bottom = max(bottom, tall + sheet.height)
        x += wide + item.column_space
    inner = max(x - item.column_space if widths else x, whole.width) - left
    _align_title(whole, item, inner)
    whole.width, whole.height = inner + 2 * left, bottom + left
    return whole


def _title(sheet: Sheet, item: LegendItem) -> float:
    """Put the title; returns where the columns begin."""
    if item.title:
        text = item.texts.get("title", LegendText())
        _heading(sheet, item.title, text, sheet.style.box_space)
        sheet.height += _style(text).font.descent / TEXT_SCALE
    return sheet.height


def _align_title(sheet: Sheet, item: LegendItem, inner: float) -> None:
    """Move the title, the first mark there is, to where it belongs over the columns."""
    if item.title and item.title_across:
        room = inner + sheet.style.box_space - sheet.width
        sheet.marks[0] = replace(sheet.marks[0], x=sheet.marks[0].x + item.title_across * room)


def _columns(item: LegendItem, heights: Sequence[tuple[float, float]]) -> list[int]:
    """The column of each atom, given the space above and the height of each: a new one begins where the middle of the
    next atom would lie beyond the average of what is left (QGIS's rule)."""
    rest = sum(map(sum, heights))
    tallest = current = closed = 0.0
    column = count = 0
    found = []
    for above, tall in heights:
        average = (rest - closed) / (item.columns - column)
        grown = current + (above if count else 0.0) + tall
        if count and column < item.columns - 1 and grown - average > tall / 2 and grown > tallest:
            closed += current
            column, count, current = column + 1, 0, tall
        else:
            current = grown
        count += 1
        tallest = max(tallest, current)
        found.append(column)
    return found


def _column(paper: Paper, item: LegendItem, atoms: Sequence[_Atom], wide: float = 0.0) -> Sheet:
    """Atoms below each other; labels of a layer begin at one place. ``wide`` > 0: symbols end there."""
    column = _sheet(paper, item)
    column.width = column.height = 0.0
    for number, atom in enumerate(atoms):
        indent = max(_indent(column, other.rows) for other in atoms if other.node is atom.node)
        sheet = _put(_sheet(paper, item), item, atom, indent, wide)
        down = column.height + (atom.above(item) if number else 0.0)
        column.marks += [replace(mark, y=mark.y + down) for mark in sheet.marks]
        column.width, column.height = max(column.width, sheet.width), down + sheet.height
    return column


def _indent(sheet: Sheet, rows: Sequence[Row]) -> float:
    return max((sheet.block_size(row)[0] for row in rows), default=0.0)


def _put(sheet: Sheet, item: LegendItem, atom: _Atom, indent: float, wide: float = 0.0) -> Sheet:
    """An atom from the left upper corner of an empty sheet on."""
    sheet.style = replace(sheet.style, box_space=0.0)
    sheet.width = sheet.height = 0.0
    for number, (text, kind) in enumerate(atom.headings):
        look = item.texts.get(kind, _HEADING)
        sheet.height += look.top if number else 0.0
        _heading(sheet, text, look, 0.0)
    for number, row in enumerate(atom.rows):
        sheet.height += sheet.style.symbol_space if number or atom.headings else 0.0
        if item.symbols_right:
            _mirrored_row(sheet, atom.node, row, indent, wide)
        else:
            sheet.row(atom.node, row, indent)
    return sheet


def _mirrored_row(sheet: Sheet, node: LayerNode, row: Row, indent: float, wide: float) -> None:
    """A label with its symbol to the right of it."""
    alone = replace(sheet, width=0.0, marks=[])
    alone.row(node, row, indent)
    reach = alone.width if isinstance(alone.marks[-1], Bar) else indent + sheet.style.label_space
    for mark in alone.marks:
        label = mark is alone.marks[-1] and row.ramp is None
        x = mark.x - reach if label else mark.x + max(wide - indent, 0.0)
        sheet.marks.append(replace(mark, x=x))
    sheet.width, sheet.height = max(sheet.width, alone.width), alone.height


def _sheet(paper: Paper, item: LegendItem) -> Sheet:
    """An empty sheet, whose symbols in map units are as large as in the legend's map."""
    shown = paper.all_maps.get(item.map_uuid)
    unit = 1.0 / paper.factor
    scale = RenderScale(paper.factor, unit, 0.0)
    if shown is not None and shown.width > 0 and shown.extent.width > 0:
        unit = shown.extent.width / (shown.width * paper.factor)
        scale = RenderScale(paper.factor, unit, map_denominator(paper, shown))
    style = LegendStyle(
        box_space=item.box_space,
        symbol_space=item.texts.get("symbol", _SYMBOL).top,
        label_space=item.texts.get("symbolLabel", LegendText(left=2.0)).left,
        symbol_width=item.symbol_width,
        symbol_height=item.symbol_height,
        item_text=_style(item.texts.get("symbolLabel", LegendText())),
    )
    sheet = Sheet(style, scale, paper.factor * MM_PER_INCH)
    sheet.width = sheet.height = item.box_space
    return sheet


def _style(text: LegendText) -> TextStyle:
    look = text.format
    points = look.size.pixels(RenderScale(1.0, 1.0, 0.0)) / MM_PER_INCH * 72
    return TextStyle(look.family, points, look.weight >= BOLD, look.italic, look.color)


def _heading(sheet: Sheet, title: str, text: LegendText, left: float) -> None:
    style = _style(text)
    sheet.height += style.font.ascent / TEXT_SCALE
    sheet.text(left, sheet.height, title, style)
    sheet.height += text.bottom


def _atoms(paper: Paper, item: LegendItem) -> Iterator[_Atom]:
    """What is shown. A lone symbol stands beside the layer's name; a group is named over its first layer."""
    named: tuple[LegendGroup, ...] = ()
    for node, entry in _nodes(paper, item):
        fresh = [group for place, group in enumerate(entry.groups) if named[: place + 1] != entry.groups[: place + 1]]
        named = entry.groups
        headings = [(group.name, group.style or "group") for group in fresh if group.style != "hidden"]
        alone = len(node.rows) == 1 and node.rows[0].symbol is not None
        if not alone and entry.style != "hidden":
            kind = entry.style if entry.style in ("group", "subgroup") else "subgroup"
            headings.append((entry.name, kind))
        rows = tuple(replace(row, label=entry.name) for row in node.rows) if alone else node.rows
        together = 1 if item.split_layers else max(len(rows), 1)
        yield _Atom(tuple(headings), node, rows[:together])
        for row in rows[together:]:
            yield _Atom((), node, (row,))


def _nodes(paper: Paper, item: LegendItem) -> Iterator[tuple[LayerNode, LegendLayer]]:
    """The node of each layer that is shown, and what the legend calls it."""
    project, request = paper.project, paper.request
    asked = request.maps.get(item.map_uuid)
    drawn = {one.layer.id: one for one in asked.layers} if asked is not None else {}
    entries = _of_tree(project.tree, ()) if item.layers is None else item.layers
    only = frozenset(drawn) if item.layers is None and asked is not None and asked.chosen else None
    for entry in entries:
        layer: Layer | None = project.layers.get(entry.layer_id)
        if layer is None or isinstance(layer, OtherLayer) or (only is not None and layer.id not in only):
            continue
        one = drawn.get(entry.layer_id, MapLayer(layer))
        for node in legend_nodes(project, LegendRequest((one,)), paper.sources):
            if isinstance(node, LayerNode):
                yield node, replace(entry, name=entry.name or layer.name)


def _of_tree(group: Group, above: tuple[LegendGroup, ...]) -> Iterator[LegendLayer]:
    """The layers of the project with the groups they are in."""
    for member in group.children:
        if isinstance(member, Group):
            yield from _of_tree(member, (*above, LegendGroup(member.name)))
        else:
            yield LegendLayer(member.layer_id, member.name, groups=above)
