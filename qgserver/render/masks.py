"""Maps with selective masks: symbols and labels that leave out parts of other layers around them.

As in QGIS, a layer that others leave parts out of is drawn twice, the second time without the symbol layers in
question; where the masks are, the second picture is seen."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from qgserver.draw.blend import DEST_IN, DEST_OUT, DEST_OVER
from qgserver.draw.canvas import Canvas
from qgserver.render.layer import Drawing, LayerPlan
from qgserver.render.rasters import RasterPlan
from qgserver.symbology.layers.maskmarker import MaskMarker
from qgserver.symbology.masks import MaskSheets, SymbolLayerRef, read_references
from qgserver.symbology.renderer import Renderer
from qgserver.symbology.renderers.categorized import CategorizedRenderer
from qgserver.symbology.renderers.graduated import GraduatedRenderer
from qgserver.symbology.renderers.rules import RuleRenderer
from qgserver.symbology.scene import Wrapping
from qgserver.symbology.selected import SelectionRenderer
from qgserver.symbology.symbol import Symbol

_OF_LABELS = re.compile(r'maskedSymbolLayers="([^"]+)"')

AnyPlan = LayerPlan | RasterPlan
PaintLayer = Callable[[Canvas, AnyPlan, Drawing], None]
References = frozenset[SymbolLayerRef]


@dataclass(frozen=True, slots=True)
class MaskedLayer:
    """A layer's ``picture``, and what shows of it in the masks: ``below``, None when nothing does."""

    plan: AnyPlan
    picture: Canvas
    below: Canvas | None

    def apply(self, masks: MaskSheets) -> None:
        """Leave out what the masks say."""
        sheet = masks.sheets.get(self.plan.layer.id)
        if sheet is None:
            return
        self.picture.compose(sheet, 1.0, DEST_OUT)
        if self.below is not None:
            self.below.compose(sheet, 1.0, DEST_IN)
            self.picture.compose(self.below, 1.0, DEST_OVER)


def masked_layers(plans: Sequence[LayerPlan]) -> dict[str, References]:
    """The layers of a map (by id) that others leave parts out of: which symbol layers."""
    wanted: set[SymbolLayerRef] = set()
    for plan in plans:
        for symbol in plan.style.renderer.symbols:
            wanted.update(_asked_for(symbol))
        if plan.style.labels_enabled and "maskedSymbolLayers" in plan.style.labeling:
            for text in _OF_LABELS.findall(plan.style.labeling):
                wanted |= read_references(html.unescape(text))
    shown = {plan.layer.id for plan in plans}
    layers = {reference.layer for reference in wanted} & shown
    return {name: frozenset(reference for reference in wanted if reference.layer == name) for name in layers}


def _asked_for(symbol: Symbol) -> Iterator[SymbolLayerRef]:
    for layer in symbol.layers:
        if isinstance(layer, MaskMarker):
            yield from layer.masked
        elif layer.symbol is not None:
            yield from _asked_for(layer.symbol)


def paint_masked(
    canvas: Canvas, plans: Sequence[AnyPlan], masked: dict[str, References], drawing: Drawing, paint: PaintLayer
) -> Iterator[MaskedLayer]:
    """Paint the layers, each on a picture of its own, and yield them with the masks applied."""
    masks = MaskSheets({name: canvas.new_layer() for name in masked})
    held = []
    for plan in plans:
        picture = canvas.new_layer()
        drawing.masks = masks
        paint(picture, plan, drawing)
        below = None if isinstance(plan, RasterPlan) else _below(canvas, plan, masked, drawing, paint)
        held.append(MaskedLayer(plan, picture, below))
    if drawing.labels is not None:
        drawing.labels.draw_masks(masks, drawing.context, drawing.assets)
    for layer in held:
        layer.apply(masks)
        yield layer


def _below(
    canvas: Canvas, plan: LayerPlan, masked: dict[str, References], drawing: Drawing, paint: PaintLayer
) -> Canvas | None:
    """What shows of a layer in the masks; None when nothing is left out there, or nothing else is left."""
    rest = without(plan.style.renderer, masked.get(plan.layer.id, frozenset()))
    if rest is plan.style.renderer or not any(symbol.layers for symbol in rest.symbols):
        return None
    below = canvas.new_layer()
    style = replace(plan.style, renderer=rest)
    paint(below, replace(plan, style=style), replace(drawing, labels=None, masks=None))
    return below


def without(renderer: Renderer, references: References) -> Renderer:
    """The renderer without some of its symbol layers; itself when it has none of them."""
    if not references or not renderer.symbols:
        return renderer
    if isinstance(renderer, Wrapping):
        return renderer.around(without(renderer.inner, references))
    inner = renderer.inner if isinstance(renderer, SelectionRenderer) else renderer
    names = _class_names(inner)
    symbols = []
    for number, symbol in enumerate(renderer.symbols):
        mine = names.get(number % len(inner.symbols), frozenset())
        symbols.append(_stripped(symbol, frozenset(r for r in references if r.uid or r.symbol in mine), ()))
    return replace(renderer, symbols=tuple(symbols))  # type: ignore[type-var]


def _class_names(renderer: Renderer) -> dict[int, frozenset[str]]:
    """What references call the classes that each symbol (by number) is for."""
    if isinstance(renderer, CategorizedRenderer):
        pairs = [(item.symbol, item.values[0] if len(item.values) == 1 else "") for item in renderer.categories]
    elif isinstance(renderer, GraduatedRenderer):
        pairs = [(item.symbol, f"{item.lower:g} - {item.upper:g}") for item in renderer.ranges]
    elif isinstance(renderer, RuleRenderer):
        pairs = [(rule.symbol, rule.key) for rule in renderer.root.walk()]
    else:
        pairs = [(number, "") for number in range(len(renderer.symbols))]
    return {number: frozenset(name for other, name in pairs if other == number) for number, _ in pairs}


def _stripped(symbol: Symbol, references: References, path: tuple[int, ...]) -> Symbol:
    """The symbol, which lies at ``path`` within another one, without some of its layers."""
    kept = []
    for layer in symbol.layers:
        place = (*path, layer.number)
        if any(
            reference.path == place if not reference.uid else reference.uid == layer.uid for reference in references
        ):
            continue
        inner = layer.symbol
        kept.append(layer if inner is None else replace(layer, symbol=_stripped(inner, references, place)))
    return replace(symbol, layers=tuple(kept))
