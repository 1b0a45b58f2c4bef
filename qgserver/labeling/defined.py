"""What of labels data may define beside their look: keys of ``dd_properties`` and what each does to the settings."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from qgserver.labeling.block import Alignment
from qgserver.labeling.callouts import CALLOUT_DEFINED
from qgserver.labeling.model import LineFlags, Mode, PolygonFlags
from qgserver.labeling.settings import ABOVE, BELOW, BESIDE, POSITIONS, LabelSettings
from qgserver.labeling.textformat import FORMAT_DEFINED
from qgserver.symbology.properties import (
    Convert,
    as_choice,
    as_flag,
    as_integer,
    as_length,
    as_number,
    as_offset,
    as_text,
)

Change = Callable[[LabelSettings, object], LabelSettings]


def _inner(part: str, name: str, convert: Convert) -> Change:
    """Changes an attribute of the settings' ``wording``, ``placement`` or ``rendering``."""

    def change(settings: LabelSettings, value: object) -> LabelSettings:
        inner: Any = getattr(settings, part)
        changes: dict[str, Any] = {name: convert(value, getattr(inner, name))}
        grouped: dict[str, Any] = {part: replace(inner, **changes)}
        return replace(settings, **grouped)

    return change


def _directions(name: str, convert: Convert) -> Change:
    def change(settings: LabelSettings, value: object) -> LabelSettings:
        directions: Any = settings.wording.directions
        changes: dict[str, Any] = {name: convert(value, getattr(directions, name))}
        return replace(settings, wording=replace(settings.wording, directions=replace(directions, **changes)))

    return change


def _scale_limit(name: str) -> Change:
    def change(settings: LabelSettings, value: object) -> LabelSettings:
        limits: Any = settings.rendering.scales
        number = as_number(value, getattr(limits, name))
        if number < 0:  # scales larger than 1:1
            number = 1 / -number
        changes: dict[str, Any] = {name: number}
        return replace(settings, rendering=replace(settings.rendering, scales=replace(limits, **changes)))

    return change


def _turns(settings: LabelSettings, value: object) -> LabelSettings:
    """``"in,out"``: degrees, QGIS's limits 20..60 and 20..95."""
    first, _, second = str(value).partition(",")
    placement = settings.placement
    inside, outside = as_number(first, placement.max_turn_in), as_number(second, placement.max_turn_out)
    return replace(settings, placement=replace(placement, max_turn_in=abs(inside), max_turn_out=abs(outside)))


def _outside(settings: LabelSettings, value: object) -> LabelSettings:
    """``force``: outside only; true or ``yes``: outside, too; else inside only."""
    if str(value).strip().lower() == "force":
        return replace(settings, placement=replace(settings.placement, mode=Mode.OUTSIDE))
    flags = PolygonFlags.INSIDE | PolygonFlags.OUTSIDE if as_flag(value, False) else PolygonFlags.INSIDE
    return replace(settings, placement=replace(settings.placement, polygon_flags=flags))


_LINE_FLAGS = {"OL": LineFlags.ON, "AL": LineFlags.ABOVE, "BL": LineFlags.BELOW}


def _line_flags(value: object, static: LineFlags) -> LineFlags:
    """``"OL,AL,BL,LO"``; LO: along the line's direction instead of the map's."""
    parts = {part.strip().upper() for part in str(value).split(",")}
    flags = LineFlags(0)
    for part in parts & _LINE_FLAGS.keys():
        flags |= _LINE_FLAGS[part]
    if not flags:
        return static
    return flags if "LO" in parts else flags | LineFlags.MAP_ORIENTATION


def _positions(value: object, static: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(part for part in str(value).replace(" ", "").upper().split(",") if part in POSITIONS) or static


def _quadrant(settings: LabelSettings, value: object) -> LabelSettings:
    number = as_integer(value, -1)
    if not 0 <= number <= 8:
        return settings
    return replace(settings, placement=replace(settings.placement, quadrant=number, fixed_quadrant=True))


_UNITS = {
    "mm": "MM", "millimeter": "MM", "millimeters": "MM", "mapunit": "MapUnit", "mapunits": "MapUnit",
    "metersinmapunits": "RenderMetersInMapUnits", "rendermetersinmapunits": "RenderMetersInMapUnits",
    "point": "Point", "points": "Point", "pixel": "Pixel", "pixels": "Pixel", "inch": "Inch", "inches": "Inch",
}  # fmt: skip


def _as_unit(value: object, static: Any) -> Any:
    unit = _UNITS.get(str(value).strip().lower())
    return static if unit is None else replace(static, unit=unit)


def _anchor_on_whole(value: object, static: bool) -> bool:
    return {"visible": False, "entire": True}.get(str(value).strip().lower(), static)


def _anchor_strict(value: object, static: bool) -> bool:
    return {"hint": False, "strict": True}.get(str(value).strip().lower(), static)


def _share(value: object, static: float) -> float:
    return min(max(as_number(value, static), 0.0), 1.0)


_as_alignment = as_choice(
    {"left": Alignment.LEFT, "center": Alignment.CENTER, "right": Alignment.RIGHT, "follow": Alignment.FOLLOW}
    | {"justify": Alignment.JUSTIFY}
)
_as_where = as_choice({"leftright": BESIDE, "left/right": BESIDE, "above": ABOVE, "below": BELOW})

LABEL_DEFINED: Mapping[str, Change] = {
    "MultiLineWrapChar": _inner("wording", "wrap_character", as_text),
    "AutoWrapLength": _inner("wording", "wrap_length", as_integer),
    "MultiLineAlignment": _inner("wording", "alignment", _as_alignment),
    "NumFormat": _inner("wording", "format_numbers", as_flag),
    "NumDecimals": _inner("wording", "decimals", as_integer),
    "NumPlusSign": _inner("wording", "plus_sign", as_flag),
    "DirSymbDraw": _directions("draw", as_flag),
    "DirSymbLeft": _directions("left", as_text),
    "DirSymbRight": _directions("right", as_text),
    "DirSymbPlacement": _directions("where", _as_where),
    "DirSymbReverse": _directions("reverse", as_flag),
    "CentroidWhole": _inner("placement", "centroid_whole", as_flag),
    "OffsetQuad": _quadrant,
    "OffsetXY": _inner("placement", "offset", as_offset),
    "OffsetUnits": _inner("placement", "offset", _as_unit),
    "LabelDistance": _inner("placement", "distance", as_length),
    "DistanceUnits": _inner("placement", "distance", _as_unit),
    "RepeatDistance": _inner("placement", "repeat", as_length),
    "RepeatDistanceUnit": _inner("placement", "repeat", _as_unit),
    "OverrunDistance": _inner("placement", "overrun", as_length),
    "CurvedCharAngleInOut": _turns,
    "PredefinedPositionOrder": _inner("placement", "positions", _positions),
    "LinePlacementFlags": _inner("placement", "line_flags", _line_flags),
    "PolygonLabelOutside": _outside,
    "LineAnchorPercent": _inner("placement", "anchor", _share),
    "LineAnchorClipping": _inner("placement", "anchor_on_whole_line", _anchor_on_whole),
    "LineAnchorType": _inner("placement", "anchor_strict", _anchor_strict),
    "LabelAllParts": _inner("rendering", "per_part", as_flag),
    "ScaleVisibility": _inner("rendering", "limit_scales", as_flag),
    "MaximumScale": _scale_limit("smallest"),
    "MinimumScale": _scale_limit("largest"),
}
"""Key -> (settings, value) -> settings. Scales: QGIS's maximum scale is the smaller denominator."""
OWN_KEYS = frozenset(
    {"PositionX", "PositionY", "PositionPoint", "Hali", "Vali", "LabelRotation", "Show", "AlwaysShow"}
    | {"Priority", "ZIndex", "IsObstacle", "ObstacleFactor"}
)
"""What is a feature's own, not a variant of the settings that features share."""
VARIANT_KEYS = frozenset((*LABEL_DEFINED, *FORMAT_DEFINED, *CALLOUT_DEFINED))


def with_values(settings: LabelSettings, values: Mapping[str, object]) -> LabelSettings:
    """The settings with what data define (keys of ``VARIANT_KEYS``; None leaves what is there)."""
    given = {key: value for key, value in values.items() if value is not None}
    look = {key: value for key, value in given.items() if key in FORMAT_DEFINED}
    changed = replace(settings, format=settings.format.with_values(look)) if look else settings
    for key, value in given.items():
        if key in LABEL_DEFINED:
            changed = LABEL_DEFINED[key](changed, value)
    if changed.callout is not None:
        own = {key: value for key, value in given.items() if key in CALLOUT_DEFINED}
        changed = replace(changed, callout=changed.callout.with_values(own)) if own else changed
    return changed


@dataclass(frozen=True, slots=True)
class Own:
    """What one feature's data say of its own label; None = nothing."""

    position: tuple[float, float] | None = None
    """Of the label, in layer CRS."""
    horizontal: str = ""
    vertical: str = ""
    rotation: float | None = None
    """In the unit of the settings, clockwise."""
    show: bool = True
    always: bool = False
    priority: float | None = None
    z_index: float | None = None
    obstacle: bool | None = None
    obstacle_factor: float | None = None


def own_of(values: Mapping[str, object]) -> Own:
    """A feature's own demands from its values (keys of ``OWN_KEYS``)."""
    get = values.get

    def number(key: str) -> float | None:
        value = get(key)
        found = math.nan if value is None else as_number(value, math.nan)
        return None if math.isnan(found) else found

    x, y = number("PositionX"), number("PositionY")
    point = get("PositionPoint")
    position = None if x is None or y is None else (x, y)
    if position is None and point is not None and getattr(point, "geom_type", "") == "Point":
        coords: Any = point
        position = (float(coords.x), float(coords.y))
    obstacle = get("IsObstacle")
    return Own(
        position,
        str(get("Hali") or "").strip().lower(),
        str(get("Vali") or "").strip().lower(),
        number("LabelRotation"),
        as_flag(get("Show"), True) if get("Show") is not None else True,
        as_flag(get("AlwaysShow"), False) if get("AlwaysShow") is not None else False,
        number("Priority"),
        number("ZIndex"),
        None if obstacle is None else as_flag(obstacle, True),
        number("ObstacleFactor"),
    )


_TURN: Mapping[str, float] = {
    "AngleDegrees": 1.0,
    "AngleRadians": 180 / math.pi,
    "AngleGon": 0.9,
    "AngleMinutesOfArc": 1 / 60,
    "AngleSecondsOfArc": 1 / 3600,
    "AngleTurn": 360.0,
    "AngleMilliradiansSI": 180 / math.pi / 1000,
    "AngleMilNATO": 360 / 6400,
}


def degrees(value: float, unit: str) -> float:
    """An angle in degrees."""
    return value * _TURN.get(unit, 1.0)


NOTHING_OWN = Own()
