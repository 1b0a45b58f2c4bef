"""SVG pictures as markers: colours put in, recorded once, drawn at any size and angle.

CairoSVG draws with cairocffi, on the memory of our own canvas. It loads nothing: every address in a picture is refused.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from lxml import etree

from qgserver.draw.canvas import Canvas
from qgserver.draw.color import Color
from qgserver.draw.images import draw_image
from qgserver.draw.svgstrokes import MAX_GRID, ROUNDING, thin_context
from qgserver.draw.vector import VectorCanvas, surface_address

if TYPE_CHECKING:
    import cairocffi

Pair = tuple[float, float]

MAX_ELEMENTS = 20_000
"""Elements of a picture that is drawn; a larger one counts as broken."""
BUDGET = 5_000
"""What may be drawn of a picture, counted in plain elements; the rest of it is left out."""
LETTERS, LAYER = 200, 20
"""Letters of a path, and what a translucent or masked group is, that cost as much as such an element or so many."""
MAX_STYLING = 10_000_000
"""Letters of style sheets times elements: beyond that they do not count."""
SMALLEST = 1e-3
"""Pixels: what is smaller is not drawn (cairo aborts the process where a scale is next to 0)."""
SVG = "{http://www.w3.org/2000/svg}svg"
_PARAM = re.compile(r"^\s*param\((?P<name>[^)]+)\)\s*(?P<default>.*)$", re.IGNORECASE | re.DOTALL)
_UNITS = {"mm": 3.543307, "cm": 35.43307, "in": 90.0, "pt": 1.25, "pc": 15.0}
"""Pixels of a unit of length where an SVG has no viewBox: QtSvg counts 90 to the inch."""
_NUMBER = re.compile(r"\s*([0-9.]+(?:[eE][-+]?[0-9]+)?)\s*([a-z%]*)\s*$")


@dataclass(frozen=True, slots=True)
class SvgColors:
    """What takes the place of ``param()``; ``stroke_width`` in pixels of a picture ``size`` pixels wide. ``upright``:
    it will be drawn as a ``sprite`` of that size."""

    fill: Color
    stroke: Color
    stroke_width: float
    size: float
    parameters: tuple[tuple[str, str], ...] = ()
    upright: bool = False


class Picture:
    """An SVG that is ready to be drawn; ``width`` and ``height`` are those of its viewBox."""

    __slots__ = ("_recording", "height", "width")

    def __init__(self, recording: cairocffi.RecordingSurface, width: float, height: float) -> None:
        self._recording = recording
        self.width = width
        self.height = height

    def draw(self, canvas: Canvas, center: Pair, size: Pair, degrees: float, opacity: float) -> None:
        """Draw it ``size`` pixels wide and high around ``center``, turned clockwise."""
        import cairocffi

        if min(size) < SMALLEST:
            return

        target = _target(canvas)
        if target is None:
            alone = Canvas(min(math.ceil(size[0]), MAX_GRID), min(math.ceil(size[1]), MAX_GRID))
            self.draw(alone, (alone.width / 2, alone.height / 2), (alone.width, alone.height), 0.0, 1.0)
            draw_image(canvas, alone, *center, degrees, opacity)
            return
        context = cairocffi.Context(target)
        context.translate(*center)
        context.rotate(math.radians(degrees))
        context.scale(size[0] / self.width, size[1] / self.height)
        context.translate(-self.width / 2, -self.height / 2)
        context.set_source_surface(self._recording)
        context.paint_with_alpha(opacity)
        target.flush()
        canvas.surface.mark_dirty()

    def sprite(self, size: Pair, opacity: float) -> Canvas:
        """It upright, on whole pixels: QGIS cuts off what is not, in width and height each for itself (measured)."""
        width, height = (max(int(side), 1) for side in size)
        canvas = Canvas(width, height)
        self.draw(canvas, (width / 2, height / 2), (width, height), 0.0, opacity)
        return canvas


def _target(canvas: Canvas) -> cairocffi.Surface | None:
    """The canvas for CairoSVG's binding of cairo; None where it is a recording that can't be shared."""
    import cairocffi

    if isinstance(canvas, VectorCanvas):
        address = surface_address(canvas)
        if address is None:
            return None
        return cairocffi.Surface._from_pointer(cairocffi.ffi.cast("cairo_surface_t *", address), True)
    canvas.surface.flush()
    data, stride = canvas.surface.get_data(), canvas.surface.get_stride()
    return cairocffi.ImageSurface(cairocffi.FORMAT_ARGB32, canvas.width, canvas.height, data, stride)


@lru_cache(maxsize=64)
def read_picture(data: bytes, colors: SvgColors) -> Picture | None:
    """The picture in these bytes with colours put in; None when it is no SVG that can be drawn."""
    root = _parse(data)
    if root is None:
        return None
    box = _view_box(root)
    if box is None:
        return None
    values = _values(colors, box[2])
    for element in root.iter(etree.Element):
        _substitute(element, values)
    x, y, width, height = box
    root.set("viewBox", f"{x} {y} {width} {height}")
    root.set("width", f"{width}")
    root.set("height", f"{height}")
    whole = int(colors.size) / width, int(colors.size * height / width) / height
    recording = _record(etree.tostring(root), whole if colors.upright and min(whole) > 0 else None)
    return None if recording is None else Picture(recording, width, height)


def _parse(data: bytes) -> etree._Element | None:
    parser = etree.XMLParser(no_network=True, load_dtd=False, huge_tree=False, remove_comments=True, remove_pis=True)
    try:
        root = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError):
        return None
    count = sum(1 for _ in root.iter())
    if root.tag not in (SVG, "svg") or count > MAX_ELEMENTS:
        return None
    sheets = [*root.iter("{*}style")]
    if count * sum(len(sheet.text or "") for sheet in sheets) > MAX_STYLING:
        for sheet in sheets:
            sheet.text = None
    return root


def _view_box(root: etree._Element) -> tuple[float, float, float, float] | None:
    parts = root.get("viewBox", "").replace(",", " ").split()
    try:
        x, y, width, height = (float(part) for part in parts)
    except ValueError:
        x, y, width, height = 0.0, 0.0, _length(root.get("width")), _length(root.get("height"))
    usable = all(map(math.isfinite, (x, y, width, height))) and 0 < width < 1e6 and 0 < height < 1e6
    return (x, y, width, height) if usable else None


def _length(text: str | None) -> float:
    found = _NUMBER.match(text or "")
    return float(found[1]) * _UNITS.get(found[2], 1.0) if found and found[1].count(".") < 2 else 0.0


def _values(colors: SvgColors, width: float) -> Mapping[str, str]:
    scale = width / colors.size if colors.size > 0 else 1.0
    return {
        "fill": _hex(colors.fill),
        "fill-opacity": f"{colors.fill[3]:.6g}",
        "outline": _hex(colors.stroke),
        "outline-opacity": f"{colors.stroke[3]:.6g}",
        "outline-width": f"{colors.stroke_width * scale:.6g}",
        **dict(colors.parameters),
    }


def _hex(color: Color) -> str:
    return "#" + "".join(f"{round(part * 255):02x}" for part in color[:3])


def _substitute(element: etree._Element, values: Mapping[str, str]) -> None:
    for name, value in ((str(name), str(value)) for name, value in element.items()):
        if name == "style":
            pairs = (pair.partition(":") for pair in value.split(";") if ":" in pair)
            element.set(name, ";".join(f"{key}:{_replaced(text, values)}" for key, _, text in pairs))
        elif "param(" in value.lower():
            element.set(name, _replaced(value, values))
    if element.text and "param(" in element.text.lower():
        element.text = _replaced(element.text, values)


def _replaced(text: str, values: Mapping[str, str]) -> str:
    found = _PARAM.match(text)
    if found is None:
        return text
    return values.get(found["name"].strip().lower(), values.get(found["name"].strip(), found["default"]))


def _record(data: bytes, scale: Pair | None) -> cairocffi.RecordingSurface | None:
    """What CairoSVG draws of a document, kept as drawing commands; ``scale`` is how much wider and higher it will be
    shown, where that is known."""
    import cairocffi
    from cairosvg.parser import Tree
    from cairosvg.surface import Surface

    class Recorder(Surface):  # type: ignore[misc]
        device_units_per_user_units = 1

        def _create_surface(self, width: float, height: float) -> tuple[Any, float, float]:
            bounds = (0, 0, width, height)
            return cairocffi.RecordingSurface(cairocffi.CONTENT_COLOR_ALPHA, bounds), width, height

        @property
        def context(self) -> cairocffi.Context:
            return self._context

        @context.setter
        def context(self, made: cairocffi.Context) -> None:
            if scale is None:
                self._context = made
                return
            size = math.ceil(self.width * scale[0] - ROUNDING), math.ceil(self.height * scale[1] - ROUNDING)
            self._context = thin_context(self.cairo, scale, Canvas(*(min(side, MAX_GRID) for side in size)))

        def draw(self, node: Any) -> None:
            self.spent = getattr(self, "spent", 0) + _cost(node)
            if self.spent <= BUDGET:
                super().draw(node)

    try:
        tree = Tree(bytestring=data, url_fetcher=_refuse, unsafe=False)
        return Recorder(tree, None, 96).cairo
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, ArithmeticError, RecursionError, OSError):
        return None  # CairoSVG has no error of its own: these are what odd attributes raise in it
    except cairocffi.CairoError:
        return None


def _cost(node: Any) -> int:
    """How much work an element is, in plain ones."""
    layered = node.get("opacity", "1") != "1" or "mask" in node or "filter" in node
    return 1 + len(node.get("d", "")) // LETTERS + LAYER * layered


def _refuse(address: str, kind: str) -> bytes:
    """Nothing is loaded for a picture."""
    raise OSError("pictures load nothing")
