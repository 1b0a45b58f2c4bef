"""How texts of layouts look."""

from __future__ import annotations

from qgserver.draw.color import Color
from qgserver.draw.fonts import NORMAL
from qgserver.errors import Problems
from qgserver.labeling.readtext import read_text_format
from qgserver.labeling.textformat import TextFormat
from qgserver.project.model.layouts import BLACK
from qgserver.project.reading.elements import Element, flag, integer, number
from qgserver.symbology.options import Length


def read_font(element: Element, tag: str, problems: Problems, color: Color = BLACK) -> TextFormat:
    """The look of a text: ``text-style`` or, before 3.24, Qt's description of a font."""
    if element.find("text-style") is not None:
        return read_text_format(element, "", problems)
    found = element.find(tag)
    parts = (found.get("description", "") if found is not None else "").split(",")
    parts += ["0"] * (8 - len(parts))
    return TextFormat(
        family=parts[0] if parts[0] != "0" else "",
        size=Length(number(parts[1], 10.0), "Point"),
        weight=min(max(integer(parts[4], NORMAL), 0), 99),
        italic=integer(parts[5]) > 0,
        underline=flag(parts[6]),
        strikeout=flag(parts[7]),
        color=color,
    )
