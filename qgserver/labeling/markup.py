"""The HTML of labels whose format allows it: pieces of text with a colour and lines of their own."""

from __future__ import annotations

from dataclasses import dataclass, replace
from html.parser import HTMLParser

from qgserver.draw.color import Color, parse_color

_BREAKS = frozenset({"br", "p", "div", "li", "tr", "h1", "h2", "h3", "h4", "h5", "h6"})
_LINES = {"u": "underline", "ins": "underline", "s": "strikeout", "del": "strikeout", "strike": "strikeout"}
_HIDDEN = frozenset({"style", "script", "head", "title"})
DEEPEST = 64
"""Nested elements whose style is kept."""


@dataclass(frozen=True, slots=True)
class Fragment:
    """A piece of one line of text; None leaves what the label's format says."""

    text: str
    color: Color | None = None
    underline: bool | None = None
    strikeout: bool | None = None
    overline: bool = False


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.lines: list[list[Fragment]] = [[]]
        self._styles: list[tuple[str, Fragment]] = []
        self._hidden = 0

    @property
    def _style(self) -> Fragment:
        return self._styles[-1][1] if self._styles else Fragment("")

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _BREAKS and (tag == "br" or self.lines[-1]):
            self.lines.append([])
        self._hidden += tag in _HIDDEN
        if tag != "br" and len(self._styles) < DEEPEST:
            self._styles.append((tag, _styled(self._style, tag, dict(attrs))))

    def handle_endtag(self, tag: str) -> None:
        self._hidden -= tag in _HIDDEN and self._hidden > 0
        for number in range(len(self._styles) - 1, -1, -1):
            if self._styles[number][0] == tag:
                del self._styles[number:]
                break
        if tag in _BREAKS and self.lines[-1]:
            self.lines.append([])

    def handle_data(self, data: str) -> None:
        text = " ".join(data.replace("\n", " ").split(" ")) if not data.isspace() else " "
        if text and not self._hidden:
            self.lines[-1].append(replace(self._style, text=text))


def _styled(style: Fragment, tag: str, attributes: dict[str, str | None]) -> Fragment:
    """The style inside an element. Colours and lines only: so does QGIS 3.22, which draws ``<b>`` and ``<i>`` in the
    label's own font (measured)."""
    if tag in _LINES:
        style = replace(style, underline=True) if _LINES[tag] == "underline" else replace(style, strikeout=True)
    color = attributes.get("color") if tag == "font" else None
    for declaration in (attributes.get("style") or "").split(";"):
        name, _, value = declaration.partition(":")
        match name.strip().lower():
            case "color":
                color = value
            case "text-decoration":
                style = replace(
                    style,
                    underline="underline" in value or None,
                    strikeout="line-through" in value or None,
                    overline="overline" in value,
                )
    return replace(style, color=parse_color(color, style.color or (0.0, 0.0, 0.0, 1.0))) if color else style


def read_markup(text: str) -> list[list[Fragment]]:
    """The lines of a text with HTML in it."""
    reader = _Reader()
    for number, part in enumerate(text.split("\n")):
        if number:
            reader.lines.append([])
        reader.feed(part)
    reader.close()
    while len(reader.lines) > 1 and not reader.lines[-1]:
        reader.lines.pop()
    return reader.lines
