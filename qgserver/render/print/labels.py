"""Labels and HTML frames of a layout."""

from __future__ import annotations

from collections.abc import Iterator

from qgserver.errors import ExpressionError
from qgserver.expression.template import expand
from qgserver.labeling.textformat import TextFormat
from qgserver.project.model.layouts import HtmlItem, LabelItem
from qgserver.render.print.html import Flow, draw_html
from qgserver.render.print.paper import Paper
from qgserver.render.print.texts import Type, type_of
from qgserver.symbology.options import Length

LONGEST = 20_000
"""Characters of a label that are drawn."""
BODY = 8 / 96 * 25.4
"""Millimetres around a page of HTML: a browser's 8 pixels."""
PLAIN = TextFormat(family="serif", size=Length(11.0, "Point"))
"""How QGIS Server's pages look without a style (measured)."""


def draw_label(paper: Paper, item: LabelItem) -> None:
    """The text of a label in its box, with lines broken between words."""
    kind = type_of(item.format)
    if kind is None:
        return
    pen = item.frame.width / 2 if item.frame is not None else 0.0
    left, top = item.margin_x + pen, item.margin_y + pen
    width, height = item.width - 2 * left, item.height - 2 * top
    text = _text(paper, item)
    if item.html and item.uuid not in paper.request.texts:
        draw_html(paper, item, text, Flow(left, top, width, height, item.format, item.across))
        return
    lines = [broken for line in text.splitlines() for broken in _broken(kind, line, width)]
    baseline = top + kind.ascent + item.down * (height - kind.line * len(lines))
    for line, ends in lines:
        if top <= baseline and baseline - kind.ascent <= item.height:
            if item.justified and not ends:
                _draw_justified(paper, item, kind, (left, baseline), (line, width))
            else:
                kind.draw(paper, item, (left + item.across * (width - kind.width(line)), baseline), line)
        baseline += kind.line


def _draw_justified(
    paper: Paper, item: LabelItem, kind: Type, place: tuple[float, float], filled: tuple[str, float]
) -> None:
    """A line with its words so far apart that it is as wide as it may be."""
    (x, baseline), (line, width) = place, filled
    words = line.split(" ")
    gap = (width - sum(map(kind.width, words))) / max(len(words) - 1, 1)
    for word in words:
        kind.draw(paper, item, (x, baseline), word)
        x += kind.width(word) + gap


def _text(paper: Paper, item: LabelItem) -> str:
    """What a label says. A client's text is taken literally: it is never evaluated, nor read as HTML."""
    own = paper.request.texts.get(item.uuid)
    if own is not None:
        return own[:LONGEST]
    return _expanded(paper, item.text)


def _expanded(paper: Paper, text: str) -> str:
    """A text of the project's author with its expressions replaced by their values."""
    try:
        return expand(text, paper.frame)[:LONGEST]
    except ExpressionError:
        return text[:LONGEST]


def _broken(kind: Type, line: str, width: float) -> Iterator[tuple[str, bool]]:
    """A line in as many as it needs to fit into ``width``, and whether each is the last; a word that is too long stands
    alone."""
    current = ""
    for word in line.split(" "):
        longer = f"{current} {word}" if current else word
        if current and kind.width(longer) > width:
            yield current, False
            current = word
        else:
            current = longer
    yield current, True


def draw_html_item(paper: Paper, item: HtmlItem) -> None:
    """The text of an HTML frame, as a browser shows it that has neither network nor style sheets."""
    flow = Flow(BODY, BODY, item.width - 2 * BODY, item.height - 2 * BODY, PLAIN)
    draw_html(paper, item, _expanded(paper, item.text) if item.expressions else item.text[:LONGEST], flow)
