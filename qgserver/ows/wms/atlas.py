"""ATLAS_PK: a layout once for each of some features of its coverage layer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from qgserver.errors import OwsError
from qgserver.expression.context import Feature, FeatureRequest
from qgserver.geo.extent import Extent
from qgserver.geo.transform import Transform, get_transform
from qgserver.ows.operations import OperationContext
from qgserver.ows.wms.printparams import ATLAS_PK
from qgserver.project.model import VectorLayer
from qgserver.project.model.layouts import LayoutItem, MapItem
from qgserver.render.context import project_context
from qgserver.render.print.request import PrintRequest

ALL = ("*",)


def atlas_pages(context: OperationContext, request: PrintRequest) -> Iterator[PrintRequest]:
    """The print for each feature asked for, the print itself where there is no atlas. Raises ``OwsError``."""
    keys = ATLAS_PK.of(context.request)
    layer = context.project.layers.get(request.layout.atlas_layer or "")
    if not keys or not isinstance(layer, VectorLayer):
        return iter((request,))
    limit = max(context.project.wms.max_atlas_features, 1)
    if len(keys) > limit:
        raise _too_many(str(len(keys)), limit)
    found = _features(context, layer, keys, limit)
    if len(found) > limit:
        raise _too_many(f"More than {limit}", limit)
    if not found:
        raise OwsError("InvalidParameterValue", "The atlas has no such features.", locator="ATLAS_PK")
    transform = get_transform(layer.crs, request.crs, context.project.operations)

    def page(number: int, feature: Feature) -> PrintRequest:
        layout = request.layout
        items = tuple(_driven(item, feature, transform) for item in layout.items)
        layout = replace(layout, items=items)
        return replace(request, layout=layout, feature=feature, number=number, total=len(found))

    return (page(number, feature) for number, feature in enumerate(found, start=1))


def _driven(item: LayoutItem, feature: Feature, transform: Transform | None) -> LayoutItem:
    """A map that the atlas drives shows its feature, with a margin in the map's shape; a point, and every feature of
    fixed scale, in its middle."""
    shape = feature.geometry
    if not isinstance(item, MapItem) or item.atlas_margin is None or shape is None or shape.is_empty:
        return item
    own = Extent(*shape.bounds)
    box = own if transform is None else transform.extent(own)
    if box is None or not box.is_finite:
        return item
    (x, y), wide, tall = box.center, item.extent.width, item.extent.height
    if not item.atlas_fixed and (box.width > 0 or box.height > 0):
        grown = max(box.width / wide, box.height / tall) * (1 + item.atlas_margin)
        wide, tall = wide * grown, tall * grown
    return replace(item, extent=Extent(x - wide / 2, y - tall / 2, x + wide / 2, y + tall / 2))


def _features(context: OperationContext, layer: VectorLayer, keys: tuple[str, ...], limit: int) -> list[Feature]:
    access = project_context(context.project, context.sources).layers
    view = access.layer(layer.id) if access is not None else None
    if view is None:
        return []
    if keys == ALL:
        return list(view.features(FeatureRequest(geometry=True, limit=limit + 1)))
    return [feature for key in keys if (feature := view.by_id(key)) is not None]


def _too_many(count: str, limit: int) -> OwsError:
    message = (
        f"{count} atlas features have been requested, but the project configuration only allows printing {limit} atlas "
        "features at a time"
    )
    return OwsError("InvalidParameterValue", message, locator="ATLAS_PK")
