"""Colour ramps as styles hold them."""

from __future__ import annotations

from dataclasses import dataclass

from lxml import etree

from qgserver.draw.color import Color, parse_color

BLACK: Color = (0.0, 0.0, 0.0, 1.0)


@dataclass(frozen=True, slots=True)
class ColorRamp:
    """A gradient: ``stops`` are (position 0..1, colour), sorted, first at 0 and last at 1."""

    stops: tuple[tuple[float, Color], ...]
    discrete: bool = False

    def color(self, share: float) -> Color:
        """The colour at 0..1, mixed without premultiplying."""
        share = min(max(share, 0.0), 1.0)
        low, low_color = self.stops[0]
        for high, high_color in self.stops[1:]:
            if share <= high:
                if self.discrete:
                    return high_color if share == high else low_color
                weight = (share - low) / (high - low) if high > low else 1.0
                return _mix(low_color, high_color, weight)
            low, low_color = high, high_color
        return low_color


def _mix(a: Color, b: Color, weight: float) -> Color:
    return (
        a[0] + weight * (b[0] - a[0]),
        a[1] + weight * (b[1] - a[1]),
        a[2] + weight * (b[2] - a[2]),
        a[3] + weight * (b[3] - a[3]),
    )


def read_ramp(option: etree._Element | None, element: etree._Element | None) -> ColorRamp | None:
    """A ramp from an Option map or a ``<colorramp>`` element (both are in use); None for a kind without colours."""
    values: dict[str, str] = {}
    if element is not None:
        values |= {child.get("k", ""): child.get("v", "") for child in element.iterfind("prop")}
        values |= {child.get("name", ""): child.get("value", "") for child in element.iterfind("Option/Option")}
    if option is not None:
        for path in ("Option", "Option[@name='properties']/Option"):
            values |= {child.get("name", ""): child.get("value", "") for child in option.iterfind(path)}
    if "color1" not in values or "color2" not in values:
        return None
    return ramp_from_options(values)


def ramp_from_options(values: dict[str, str]) -> ColorRamp:
    """``color1``, ``color2``, ``stops`` = ``p;r,g,b,a:p;r,g,b,a``, ``discrete``."""
    inner: list[tuple[float, Color]] = []
    for stop in values.get("stops", "").split(":"):
        position, _, color = stop.partition(";")
        try:
            inner.append((float(position), parse_color(color.split(";")[0], BLACK)))
        except ValueError:
            continue
    first, last = parse_color(values["color1"], BLACK), parse_color(values["color2"], BLACK)
    stops = ((0.0, first), *sorted(inner), (1.0, last))
    return ColorRamp(stops, values.get("discrete") == "1")
