"""How the coordinates around a map are written, and where they stand."""

from __future__ import annotations

from qgserver.errors import ExpressionError
from qgserver.expression.parser import parse
from qgserver.expression.rows import evaluate_row
from qgserver.expression.values import to_text
from qgserver.project.model.layouts import Grid, MapItem
from qgserver.render.print.gridlines import Crossing
from qgserver.render.print.paper import Paper
from qgserver.render.print.texts import Type

DECIMAL, MINUTES, SECONDS, SUFFIXED, PLAIN_MINUTES, PADDED_MINUTES, PLAIN_SECONDS, PADDED_SECONDS, CUSTOM = range(9)
"""``Grid.notation``."""
_WITH_SECONDS = frozenset((SECONDS, PLAIN_SECONDS, PADDED_SECONDS))
_PADDED = frozenset((PADDED_MINUTES, PADDED_SECONDS))
_PLAIN = frozenset((PLAIN_MINUTES, PLAIN_SECONDS))
MOST_DECIMALS = 12


def grid_number(paper: Paper, grid: Grid, axis: int, value: float) -> str:
    """The text of a coordinate."""
    if grid.notation == CUSTOM:
        return _custom(paper, grid, axis, value)
    decimals = min(max(grid.decimals, 0), MOST_DECIMALS)
    return format_number(grid.notation, axis, value, decimals, turns=(grid.crs or paper.request.crs).is_geographic)


def format_number(notation: int, axis: int, value: float, decimals: int, *, turns: bool) -> str:
    """A coordinate of an axis (0 x, 1 y); ``turns``: it is in degrees, with which alone degrees and minutes go."""
    if notation == DECIMAL or (notation != SUFFIXED and not turns):
        return f"{value:.{decimals}f}"
    if axis == 0 and turns and abs(value) > 180:
        value = (value + 180) % 360 - 180
    letter = _letter(axis, value, turns=turns)
    if notation == SUFFIXED:
        return f"{abs(value) if letter else value:.{decimals}f}{'°' if turns else ''}{letter}"
    return _sexagesimal(notation, axis, value, letter, decimals)


def _letter(axis: int, value: float, *, turns: bool) -> str:
    """East or north; none on the equator and on the first and last meridian."""
    if value == 0 or (turns and axis == 0 and abs(value) == 180):
        return ""
    return ("W" if value < 0 else "E") if axis == 0 else ("S" if value < 0 else "N")


def _sexagesimal(notation: int, axis: int, value: float, letter: str, decimals: int) -> str:
    """Degrees and minutes, perhaps seconds; the last of them with the decimals, and never 60."""
    smallest = 3600 if notation in _WITH_SECONDS else 60
    total = round(abs(value) * smallest, decimals)
    padded = notation in _PADDED
    wide = decimals + (3 if decimals else 2) if padded else 0
    rest = f"{total % 60:0{wide}.{decimals}f}"
    degrees = f"{int(total // smallest):0{(3 if axis == 0 else 2) if padded else 0}d}"
    sign = "-" if notation in _PLAIN and value < 0 else ""
    end = "" if notation in _PLAIN else letter
    if notation in _WITH_SECONDS:
        minutes = f"{int(total // 60) % 60:0{2 if padded else 0}d}"
        return f"{sign}{degrees}°{minutes}′{rest}″{end}"
    return f"{sign}{degrees}°{rest}′{end}"


def _custom(paper: Paper, grid: Grid, axis: int, value: float) -> str:
    scope = paper.with_scope({"grid_number": value, "grid_axis": "x" if axis == 0 else "y"})
    try:
        return to_text(evaluate_row(parse(grid.expression), scope.context, paper.request.feature))
    except ExpressionError:
        return ""


def draw_number(paper: Paper, item: MapItem, grid: Grid, kind: Type, crossing: Crossing) -> None:
    """Write the coordinate of a line beside its end, where that side shows it."""
    numbers = grid.numbers.get(crossing.side)
    if numbers is None or crossing.line.axis not in numbers.axes:
        return
    text = grid_number(paper, grid, crossing.line.axis, crossing.line.value)
    inwards, outwards = grid.frame.reach if crossing.side in grid.frame.sides else (0.0, 0.0)
    away = grid.distance + (inwards if numbers.inside else outwards)
    wide, tall = kind.width(text), kind.digit
    # the text's box beside the edge: how far it reaches from it, and along it
    across, along = (wide, tall) if not numbers.turn else (tall, wide)
    upright = crossing.side in ("left", "right")
    if not upright:
        across, along = along, across
    beyond = -1.0 if crossing.side in ("left", "top") else 1.0
    if numbers.inside:
        beyond = -beyond
    edge = {"left": 0.0, "right": item.width, "top": 0.0, "bottom": item.height}[crossing.side]
    near = edge + beyond * away
    low = near if beyond > 0 else near - across
    start = crossing.place - along / 2
    left, top = (low, start) if upright else (start, low)
    width, height = (across, along) if upright else (along, across)
    kind.draw(paper, item, _baseline(left, top, width, height, numbers.turn), text, numbers.turn)


def _baseline(left: float, top: float, width: float, height: float, turn: float) -> tuple[float, float]:
    """Where the baseline of a text begins that fills a box."""
    if turn < 0:
        return left + width, top + height
    return (left, top) if turn > 0 else (left, top + height)
