"""Symbols and the protocol of symbol layers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, ClassVar, Self

from lxml import etree

from qgserver.draw.canvas import Canvas
from qgserver.draw.color import Color
from qgserver.draw.units import RenderScale
from qgserver.errors import Problems
from qgserver.registry import Registry
from qgserver.symbology.effect import EffectStack, read_effects
from qgserver.symbology.env import Env, Painter, Shapes
from qgserver.symbology.framed import Paint, around_all, extent_of, framed, paint_of
from qgserver.symbology.looks import in_turn
from qgserver.symbology.options import Options, parse_number, read_options
from qgserver.symbology.properties import Convert, Properties, as_number, merge_fields, read_properties

MAX_SUBSYMBOLS = 8
"""Depth of nested symbols that is read; cyclic or absurd files end there."""


def paint_nothing(canvas: Canvas, shapes: Shapes) -> None:
    """The painter of a layer that has nothing to show (no pen, no size)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SymbolLayer:
    """One layer of a symbol. A class of the family adds its own attributes and

    * ``read(options)``: the attributes from the option map (class method);
    * ``painter(env)``: a function that paints shapes with this layer's static values;
    * ``DEFINED``: property key -> (attribute, converter), what may be data-defined.
    """

    enabled: bool = True
    level: int = 0
    """Symbol level (``pass``)."""
    properties: Properties = Properties()
    in_sequence: bool = False
    """True when painting many shapes in one call gives the same picture as one after the other."""
    symbol: Symbol | None = None
    """What a layer that draws with another symbol has inside."""
    effects: EffectStack | None = None
    number: int = 0
    """Its number among all layers of its symbol, those switched off too."""
    uid: str = ""
    """What masks call it (since QGIS 3.30)."""

    DEFINED: ClassVar[Mapping[str, tuple[str, Convert]]] = {}
    EFFECTS_APART: ClassVar[bool] = False
    """True where the painter has put the effects around by itself, or QGIS draws none."""

    @classmethod
    def read(cls, options: Options) -> Self:
        """A layer with the attributes of the option map."""
        return cls()

    def painter(self, env: Env) -> Painter:
        """A function that paints shapes with this layer's static values."""
        return paint_nothing

    def painted(self, env: Env) -> Painter:
        """The painter, with the layer's paint effects around it."""
        painter = self.painter(env)
        return painter if self.EFFECTS_APART else self.through_effects(painter, env)

    def painted_as_defined(self, env: Env, shapes: Shapes) -> Painter:
        """A painter of these shapes as their data define each, with the effects around."""
        variants = [(variant, some) for variant, some in self.variants(env, shapes)]
        if self.effects is None or self.EFFECTS_APART:
            return in_turn([(variant.painted(env), some.rows) for variant, some in variants])
        items = [(paint_of(v.painter(env), v.extent(env.scale), alike=False), some.rows) for v, some in variants]
        painter = in_turn([(paint.painter, rows) for paint, rows in items])
        bounds = around_all([paint.bounds for paint, _ in items])
        return framed(self.effects, Paint(painter, bounds, alike=False), env.scale)

    def through_effects(self, painter: Painter, env: Env) -> Painter:
        """Where the layer has effects: a painter that applies them to each part of what ``painter`` draws."""
        if self.effects is None:
            return painter
        alike = self.used_fields() == frozenset() and not self._varies()
        return framed(self.effects, paint_of(painter, self.extent(env.scale), alike), env.scale)

    def extent(self, scale: RenderScale) -> float:
        """An upper bound, in pixels, of how far it paints around its geometry."""
        inner = () if self.symbol is None else self.symbol.layers
        return extent_of(self, scale) + max((layer.extent(scale) for layer in inner), default=0.0)

    def _varies(self) -> bool:
        """True when features may look different."""
        inner = self.symbol
        return bool(self.properties) or (
            inner is not None and (bool(inner.properties) or any(layer._varies() for layer in inner.layers))
        )

    def used_fields(self) -> frozenset[str] | None:
        inner = frozenset[str]() if self.symbol is None else self.symbol.used_fields()
        return merge_fields([self.properties.used_fields(), inner])

    def selected(self, color: Color) -> SymbolLayer:
        """The layer as it draws selected features, with ``color`` where its class has some of it."""
        return self if self.symbol is None else replace(self, symbol=self.symbol.selected(color))

    def turned(self, degrees: float) -> SymbolLayer:
        """The layer as it is on a line that turns markers by so many degrees clockwise."""
        return self

    def variants(self, env: Env, shapes: Shapes) -> Iterator[tuple[SymbolLayer, Shapes]]:
        """Groups of consecutive shapes that have the same values, each with a layer that holds them."""
        if not self.properties:
            yield self, shapes
            return
        keys = [key for key in self.properties.items if key in self.DEFINED or key == "enabled"]
        if not keys:
            yield self._with({}), shapes
            return
        columns = [env.defined(self.properties.items[key]) for key in keys]
        rows = [tuple(column[row] for column in columns) for row in shapes.rows.tolist()]
        start = 0
        for i in range(1, len(rows) + 1):
            if i == len(rows) or rows[i] != rows[start]:
                layer = self._with(dict(zip(keys, rows[start], strict=True)))
                if layer.enabled:
                    yield layer, shapes.slice(start, i)
                start = i

    def _with(self, values: Mapping[str, object]) -> SymbolLayer:
        changes: dict[str, Any] = {"properties": Properties()}
        for key, value in values.items():
            if value is None:
                continue
            if key == "enabled":
                changes["enabled"] = bool(as_number(value, 1.0))
            else:
                name, convert = self.DEFINED[key]
                changes[name] = convert(value, getattr(self, name))
        return replace(self, **changes)


layers: Registry[type[SymbolLayer]] = Registry("symbol layer")
"""``class`` attribute of ``<layer>`` -> class."""


@dataclass(frozen=True, slots=True)
class Symbol:
    """A symbol: ``kind`` is marker, line, fill or hybrid; ``layers`` are painted in order, the first lowest."""

    kind: str
    layers: tuple[SymbolLayer, ...]
    opacity: float = 1.0
    clip_to_extent: bool = True
    force_rhr: bool = False
    properties: Properties = Properties()

    def used_fields(self) -> frozenset[str] | None:
        return merge_fields([self.properties.used_fields(), *(layer.used_fields() for layer in self.layers)])

    def levels(self) -> frozenset[int]:
        return frozenset(layer.level for layer in self.layers)

    def turned(self, degrees: float) -> Symbol:
        """The symbol as it is on a line that turns markers."""
        return replace(self, layers=tuple(layer.turned(degrees) for layer in self.layers))

    def selected(self, color: Color) -> Symbol:
        """The symbol as it draws selected features."""
        return replace(self, layers=tuple(layer.selected(color) for layer in self.layers))

    @property
    def in_sequence(self) -> bool:
        """True when many features may be painted in one call without changing the picture."""
        return len(self.layers) == 1 and self.layers[0].in_sequence and not self.properties


def read_symbol(element: etree._Element, layer: str, problems: Problems, depth: int = 0) -> Symbol:
    """Read a ``<symbol>``; symbol layers we do not know are noted in ``problems`` and left out."""
    found = []
    for number, child in enumerate(element.iterfind("layer")):
        item = _read_layer(child, layer, problems, depth)
        if item is not None and item.enabled:
            found.append(replace(item, number=number, uid=child.get("id", "")))
    return Symbol(
        element.get("type", ""),
        tuple(found),
        min(max(parse_number(element.get("alpha", "1"), 1.0), 0.0), 1.0),
        element.get("clip_to_extent", "1") != "0",
        element.get("force_rhr", "0") == "1",
        read_properties(element.find("data_defined_properties"), layer, problems),
    )


def _read_layer(element: etree._Element, layer: str, problems: Problems, depth: int) -> SymbolLayer | None:
    name = element.get("class", "")
    kind = layers.get(name)
    if kind is None or depth > MAX_SUBSYMBOLS:
        problems.add(layer, name, "this symbol layer is not drawn")
        return None
    inner = element.find("symbol")
    return replace(
        kind.read(read_options(element)),
        symbol=None if inner is None else read_symbol(inner, layer, problems, depth + 1),
        enabled=element.get("enabled", "1") != "0",
        level=int(parse_number(element.get("pass", "0"), 0)),
        properties=read_properties(element.find("data_defined_properties"), layer, problems),
        effects=read_effects(element.find("effect"), layer, problems),
    )


def attribute_names(kind: type[SymbolLayer]) -> frozenset[str]:
    """Names of a symbol layer's attributes (a test checks ``DEFINED`` against them)."""
    return frozenset(item.name for item in fields(kind))
