"""The layers of a project as expressions of its author see them: aggregates, ``get_feature`` and the like."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from types import MappingProxyType
from typing import TypeVar

from qgserver.errors import ExpressionError, ProviderError
from qgserver.expression import context as expressions
from qgserver.expression.columns import to_values
from qgserver.expression.context import Context, Feature, FeatureRequest, FieldInfo, LayerInfo
from qgserver.expression.nodes import resolve_field
from qgserver.expression.values import Value, to_text
from qgserver.geo.extent import Extent
from qgserver.geo.wkb import to_shapely
from qgserver.project.model import Layer, Project, RasterLayer, VectorLayer, Widget
from qgserver.providers.batch import Batch
from qgserver.providers.protocol import Provider, Query, Schema
from qgserver.providers.uri import DataSource
from qgserver.rasters.model import RasterSource
from qgserver.rasters.pipe import Pipe
from qgserver.rasters.values import band_statistics, bands_at

MAX_DEPTH = 4
"""Virtual fields may look at layers whose virtual fields look at layers; a ring of them ends here."""

Open = Callable[[VectorLayer], Provider]
OpenRaster = Callable[[DataSource], RasterSource]
Found = TypeVar("Found")


class ProjectLayers:
    """``LayerAccess`` over a project. Nothing is opened before an expression asks for a layer's fields or features."""

    def __init__(
        self, project: Project, open_layer: Open, open_raster: OpenRaster | None = None, depth: int = 0
    ) -> None:
        """Without ``open_raster`` there are no raster layers."""
        self._project = project
        self._open = open_layer
        self._open_raster = open_raster
        self._depth = depth
        self._counted: dict[tuple[str, int], Mapping[str, float] | None] = {}

    def view(self, layer: VectorLayer) -> LayerView:
        """A layer as expressions see it."""
        return LayerView(layer, self._open, self._project, self._open_raster, self._depth)

    def layer(self, name: str) -> LayerInfo | None:
        """See ``LayerAccess``."""
        found = self._named(name)
        return self.view(found) if isinstance(found, VectorLayer) else None

    def _named(self, name: str) -> Layer | None:
        layers = self._project.layers
        return layers.get(name) or next((layer for layer in layers.values() if layer.name == name), None)

    def relation(self, name: str) -> expressions.Relation | None:
        """See ``LayerAccess``."""
        relations = self._project.relations
        found = next((one for one in relations if one.id == name), None)
        found = found or next((one for one in relations if one.name == name), None)
        if found is None:
            return None
        return expressions.Relation(found.id, found.name, found.referenced_layer, found.referencing_layer, found.pairs)

    def raster_bands(self, name: str) -> int | None:
        """See ``LayerAccess``."""
        return self._of_raster(name, lambda source, _: len(source.info().bands))

    def raster_value(self, name: str, band: int, x: float, y: float) -> float | None:
        """See ``LayerAccess``."""
        bands = self._of_raster(name, lambda source, pipe: bands_at(source, pipe, (x, y))) or ()
        return bands[band - 1][1] if band <= len(bands) else None

    def raster_statistics(self, name: str, band: int) -> Mapping[str, float] | None:
        """See ``LayerAccess``."""
        if (name, band) not in self._counted:
            counted = self._of_raster(name, lambda source, pipe: band_statistics(source, pipe, band))
            self._counted[name, band] = counted or None
        return self._counted[name, band]

    def _of_raster(self, name: str, ask: Callable[[RasterSource, Pipe], Found]) -> Found | None:
        """What a raster layer has to say; None when it is none. Raises ``ExpressionError`` where the source fails."""
        layer = self._named(name)
        if not isinstance(layer, RasterLayer) or self._open_raster is None:
            return None
        try:
            return ask(self._open_raster(layer.source), layer.style.pipe)
        except ProviderError as error:
            raise ExpressionError(f"Cannot read the layer {layer.published}") from error


class LayerView:
    """``LayerInfo`` of a vector layer."""

    def __init__(
        self, layer: VectorLayer, open_layer: Open, project: Project, open_raster: OpenRaster | None, depth: int
    ) -> None:
        self._layer = layer
        self._open = open_layer
        self._project = project
        self._open_raster = open_raster
        self._depth = depth

    @property
    def id(self) -> str:
        return self._layer.id

    @property
    def name(self) -> str:
        return self._layer.name

    @property
    def fields(self) -> Sequence[FieldInfo]:
        configs = {config.name: config for config in self._layer.fields}
        out = []
        for field in self._schema().fields:
            config = configs.get(field.name)
            alias, widget = ("", Widget()) if config is None else (config.alias, config.widget)
            out.append(FieldInfo(field.name, field.type, alias, _value_map(widget)))
        return out

    @property
    def crs(self) -> str:
        return self._layer.crs.authid if self._layer.crs else ""

    @property
    def geometry_type(self) -> str:
        return self._schema().geometry_type

    @property
    def display_expression(self) -> str:
        return self._layer.style.display_expression

    @property
    def map_tip(self) -> str:
        return self._layer.style.map_tip

    @property
    def selected(self) -> frozenset[int | str]:
        return frozenset()

    @property
    def properties(self) -> Mapping[str, Value]:
        return MappingProxyType({"title": self._layer.title, "abstract": self._layer.abstract, "crs": self.crs})

    def features(self, request: FeatureRequest) -> Iterator[Feature]:
        """See ``LayerInfo``. Raises ``ExpressionError`` where the source fails."""
        names = [field.name for field in self._schema().fields]
        columns = None
        if request.fields is not None:
            wanted = (resolve_field(name, names) for name in sorted(request.fields))
            columns = tuple(dict.fromkeys(name for name in wanted if name is not None))
        extent = None if request.box is None else Extent(*request.box)
        query = Query(columns, request.geometry, extent, request.where, limit=request.limit)
        yield from self._features(query, request.context)

    def by_id(self, fid: int | str) -> Feature | None:
        """See ``LayerInfo``."""
        return next(self._features(Query(fids=(fid,)), None), None)

    def _features(self, query: Query, given: Context | None) -> Iterator[Feature]:
        if self._depth >= MAX_DEPTH:
            raise ExpressionError("Layers refer to one another too deeply")
        inner = ProjectLayers(self._project, self._open, self._open_raster, self._depth + 1)
        context = replace(given or Context(), layers=inner, layer=self, closed_world=False)
        try:
            with closing(self._open(self._layer).read(replace(query, context=context))) as batches:
                for batch in batches:
                    yield from self._of_batch(batch)
        except ProviderError as error:
            raise ExpressionError(f"Cannot read the layer {self._layer.published}") from error

    def _of_batch(self, batch: Batch) -> Iterator[Feature]:
        columns = {name: to_values(column) for name, column in batch.columns.items()}
        shapes = None if batch.geometry is None else to_shapely(batch.geometry)
        for row, fid in enumerate(batch.fids.tolist()):
            values = {name: column[row] for name, column in columns.items()}
            yield Feature(fid, values, None if shapes is None else shapes[row], self)

    def _schema(self) -> Schema:
        try:
            return self._open(self._layer).schema()
        except ProviderError as error:
            raise ExpressionError(f"Cannot read the layer {self._layer.published}") from error


def _value_map(widget: Widget) -> Mapping[str, Value] | None:
    entries = widget.config.get("map") if widget.type == "ValueMap" else None
    if not isinstance(entries, list):
        return None
    return {label: to_text(code) for entry in entries if isinstance(entry, dict) for label, code in entry.items()}
