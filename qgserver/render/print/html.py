"""The little HTML that layouts show: text in bold, italics, colours and sizes, in paragraphs. Nothing is loaded, no
script runs, and style sheets do not count."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from html.parser import HTMLParser

from qgserver.draw.color import Color, parse_color
from qgserver.draw.fonts import BOLD
from qgserver.labeling.textformat import TextFormat
from qgserver.project.model.layouts import BLACK, LayoutItem
from qgserver.render.print.paper import Paper
from qgserver.render.print.texts import Type, type_of
from qgserver.symbology.options import Length

DEEPEST = 64
"""Nested elements whose style is kept."""
MOST_BLOCKS = 2000
_HIDDEN = frozenset({"style", "script", "head", "title"})
_BOLD, _ITALIC = frozenset({"b", "strong", "th"}), frozenset({"i", "em", "cite", "var"})
_SIZES = {"h1": 2.0, "h2": 1.5, "h3": 1.17, "h4": 1.0, "h5": 0.83, "h6": 0.67, "small": 0.83, "big": 1.2}
_MARGINS = {"p": 1.0, "h1": 0.67, "h2": 0.83, "h3": 1.0, "h4": 1.33, "h5": 1.67, "h6": 2.33, "ul": 1.0, "ol": 1.0}
"""Space above and below, in the element's own size."""
_BLOCKS = frozenset({*_MARGINS, "div", "li", "tr", "table", "body", "html", "br"})
_HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
_SPACES = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class Run:
    """Text of one look; ``scale`` times as large as what is around all."""

    text: str = ""
    bold: bool = False
    italic: bool = False
    scale: float = 1.0
    color: Color | None = None

    def inside(self, tag: str, attributes: dict[str, str | None]) -> Run:
        """The look inside an element."""
        found = replace(
            self,
            bold=self.bold or tag in _BOLD or tag in _HEADINGS,
            italic=self.italic or tag in _ITALIC,
            scale=self.scale * _SIZES.get(tag, 1.0),
        )
        named = attributes.get("color") if tag == "font" else None
        for declaration in (attributes.get("style") or "").split(";"):
            name, _, value = declaration.partition(":")
            named = value if name.strip().lower() == "color" else named
        return replace(found, color=parse_color(named.strip(), self.color or BLACK)) if named else found


@dataclass(slots=True)
class Block:
    """A paragraph, ``space`` (in the text's size) away from what is above and below."""

    space: float = 0.0
    runs: list[Run] = field(default_factory=list)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.blocks = [Block()]
        self._open: list[tuple[str, Run]] = []
        self._hidden = 0

    @property
    def _look(self) -> Run:
        return self._open[-1][1] if self._open else Run()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._hidden += tag in _HIDDEN
        if tag in _BLOCKS:
            self._begin(tag)
        if tag != "br" and len(self._open) < DEEPEST:
            self._open.append((tag, self._look.inside(tag, dict(attrs))))
        if tag == "li":
            self.handle_data("\u2022 ")

    def handle_endtag(self, tag: str) -> None:
        self._hidden -= tag in _HIDDEN and self._hidden > 0
        for number in range(len(self._open) - 1, -1, -1):
            if self._open[number][0] == tag:
                del self._open[number:]
                break
        if tag in _BLOCKS and tag != "br":
            self._begin("")

    def handle_data(self, data: str) -> None:
        text = _SPACES.sub(" ", data)
        if not self._hidden and (text.strip() or self.blocks[-1].runs):
            self.blocks[-1].runs.append(replace(self._look, text=text))

    def _begin(self, tag: str) -> None:
        space = _MARGINS.get(tag, 0.0) * self._look.scale * _SIZES.get(tag, 1.0)
        if (self.blocks[-1].runs or tag == "br") and len(self.blocks) < MOST_BLOCKS:
            self.blocks.append(Block(space))
        else:
            self.blocks[-1].space = max(self.blocks[-1].space, space)


def read_html(text: str) -> Sequence[Block]:
    """The paragraphs of a text."""
    reader = _Reader()
    reader.feed(text)
    reader.close()
    return reader.blocks


@dataclass(frozen=True, slots=True)
class Flow:
    """Where text runs in an item (mm from its corner), and how it looks."""

    left: float
    top: float
    width: float
    height: float
    format: TextFormat
    across: float = 0.0


def draw_html(paper: Paper, item: LayoutItem, text: str, flow: Flow) -> None:
    """Write a text from the top down, as far as there is room. The first paragraph's space does not count."""
    looks = _looks(flow.format)
    y, below = flow.top, 0.0
    for number, block in enumerate(read_html(text)):
        size = block.space * _em(flow.format)
        y += max(size, below) if number else 0.0
        below = size
        for line in _lines(block, looks, flow.width):
            tall = max(kind.line for kind, _ in line)
            if y + tall > flow.top + flow.height:
                return
            x = flow.left + flow.across * (flow.width - sum(kind.width(part) for kind, part in line))
            baseline = y + max(kind.ascent for kind, _ in line)
            for kind, part in line:
                kind.draw(paper, item, (x, baseline), part)
                x += kind.width(part)
            y += tall


Looks = Callable[[Run], Type | None]
Line = list[tuple[Type, str]]


def _em(style: TextFormat) -> float:
    kind = type_of(style)
    return 0.0 if kind is None else kind.em


def _looks(style: TextFormat) -> Looks:
    known: dict[Run, Type | None] = {}

    def look(run: Run) -> Type | None:
        key = replace(run, text="")
        if key not in known:
            size = Length(style.size.value * run.scale, style.size.unit, style.size.map_unit_scale)
            weight, italic = (BOLD if run.bold else style.weight), run.italic or style.italic
            color = run.color or style.color
            known[key] = type_of(replace(style, size=size, weight=weight, italic=italic, color=color))
        return known[key]

    return look


def _lines(block: Block, looks: Looks, width: float) -> Iterator[Line]:
    """The lines of a paragraph, broken between words."""
    line: Line = []
    filled = 0.0
    for run in block.runs:
        kind = looks(run)
        if kind is None:
            continue
        for word in re.findall(r"\S+\s?|\s", run.text):
            wide = kind.width(word.rstrip())
            if line and filled + wide > width:
                yield line
                line, filled = [], 0.0
            if line or word.strip():
                line.append((kind, word))
                filled += kind.width(word)
    if line:
        yield line
