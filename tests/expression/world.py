"""The world of an expression table: its ``fixtures.json`` as layers, project, variables and raster."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from qgserver.expression.context import Context, Feature, FeatureRequest, FieldInfo, Frame, ProjectInfo, Relation
from qgserver.expression.geometries import from_wkt
from qgserver.expression.rows import compile_row
from qgserver.expression.scopes import layer_scope, map_scope, project_scope
from qgserver.expression.values import Value, truth
from qgserver.geo.extent import Extent

READERS = {
    "date": dt.date.fromisoformat,
    "datetime": dt.datetime.fromisoformat,
    "time": dt.time.fromisoformat,
    "double": float,
}


@dataclass
class MemoryLayer:
    """A layer whose features are in memory."""

    name: str
    crs: str
    geometry_type: str
    fields: list[FieldInfo]
    display_expression: str = ""
    map_tip: str = ""
    selected: frozenset[int | str] = frozenset()
    rows: list[Feature] = field(default_factory=list)
    variables: dict[str, Value] = field(default_factory=dict)
    source: str = ""
    project: Context | None = None

    @property
    def id(self) -> str:
        return f"{self.name}_id"

    @property
    def properties(self) -> Mapping[str, Value]:
        boxes = [row.geometry.bounds for row in self.rows if row.geometry is not None]
        extent = tuple(f(box[at] for box in boxes) for at, f in enumerate((min, min, max, max))) if boxes else None
        return {
            "source": self.source,
            "feature_count": len(self.rows),
            "extent": extent,
            "storage_type": "Memory storage",
        }

    def features(self, request: FeatureRequest) -> Iterator[Feature]:
        assert self.project is not None
        keep = None if request.where is None else compile_row(request.where)
        context = request.context or self.project
        for row in self.rows:
            if request.box is not None and not _meets(row, request.box):
                continue
            if keep is None or truth(keep(Frame(context, row))):
                yield row

    def by_id(self, fid: int | str) -> Feature | None:
        return next((row for row in self.rows if row.fid == fid), None)


@dataclass
class Unfeatured(MemoryLayer):
    """A raster layer as other functions see it."""

    @property
    def properties(self) -> Mapping[str, Value]:
        return {"type": "Raster"}


def _meets(row: Feature, box: Sequence[float]) -> bool:
    if row.geometry is None:
        return False
    xmin, ymin, xmax, ymax = row.geometry.bounds
    return bool(xmin <= box[2] and xmax >= box[0] and ymin <= box[3] and ymax >= box[1])


@dataclass
class World:
    """All layers of the fixture, and the context with and without one of them."""

    layers: dict[str, MemoryLayer]
    relations: list[Relation]
    raster: dict[str, Any]
    folder: Path
    base: Context = field(default_factory=Context)

    def layer(self, name: str) -> MemoryLayer | None:
        if self.is_raster(name):
            return Unfeatured(self.raster["name"], self.raster["crs"], "", [])
        return next((layer for layer in self.layers.values() if name in (layer.id, layer.name)), None)

    def raster_bands(self, name: str) -> int | None:
        return int(self.raster["bands"]) if self.is_raster(name) else None

    def relation(self, name: str) -> Relation | None:
        return next((r for r in self.relations if r.id == name), None) or next(
            (r for r in self.relations if r.name == name), None
        )

    def raster_value(self, name: str, band: int, x: float, y: float) -> float | None:
        grid = self.grid(name)
        if grid is None or band != 1:
            return None
        head, rows = grid
        column = int((x - head["xllcorner"]) // head["cellsize"])
        row = int((head["yllcorner"] + head["nrows"] * head["cellsize"] - y) // head["cellsize"])
        if not (0 <= column < head["ncols"] and 0 <= row < head["nrows"]):
            return None
        value = rows[row][column]
        return None if value == head.get("nodata_value") else value

    def raster_statistics(self, name: str, band: int) -> Mapping[str, float] | None:
        grid = self.grid(name)
        if grid is None or band != 1:
            return None
        values = [v for row in grid[1] for v in row if v != grid[0].get("nodata_value")]
        mean = sum(values) / len(values)
        deviation = (sum((v - mean) ** 2 for v in values) / len(values)) ** 0.5
        low, high = min(values), max(values)
        return {"min": low, "max": high, "avg": mean, "stdev": deviation, "range": high - low, "sum": sum(values)}

    def is_raster(self, name: str) -> bool:
        return name in (self.raster.get("name"), f"{self.raster.get('name')}_id")

    def grid(self, name: str) -> tuple[dict[str, float], list[list[float]]] | None:
        if not self.is_raster(name):
            return None
        head: dict[str, float] = {}
        rows: list[list[float]] = []
        for line in (self.folder / self.raster["file"]).read_text().splitlines():
            words = line.split()
            if len(words) == 2 and words[0][0].isalpha():
                head[words[0].lower()] = float(words[1])
            elif words:
                rows.append([float(word) for word in words])
        return head, rows

    def context(self, layer: str | None) -> Context:
        """The context of a case; ``layer`` adds the scope of that layer."""
        if layer is None:
            return self.base
        found = self.layers[layer]
        return self.base.with_layer(found, {**layer_scope(found), **found.variables})


def read_world(path: Path) -> World:
    """The world written in a ``fixtures.json``."""
    data = json.loads(path.read_text())
    world = World({}, [], data.get("raster", {}), path.parent)
    for item in data["layers"]:
        world.layers[item["name"]] = _layer(item)
    for item in data.get("relations", []):
        pairs = ((item["child_field"], item["parent_field"]),)
        ids = [world.layers[item[end]].id for end in ("parent", "child")]
        world.relations.append(Relation(item["id"], item["name"], ids[0], ids[1], pairs))
    project, view = data["project"], data["map"]
    info = ProjectInfo(project["crs"], project["ellipsoid"], project["distance_units"], project["area_units"])
    context = Context(project=info, layers=world, locale=data.get("locale", "en_US"))
    context = context.with_scope(project_scope(info, title=project["title"]) | project["variables"])
    box = Extent(*view["extent"])
    ids = [layer.id for layer in world.layers.values()]
    scale = box.width / view["size"][0] * view["dpi"] * 39.3700787
    context = context.with_scope(map_scope(view["crs"], box, scale, view["rotation"]))
    world.base = context.with_scope(
        {"map_layer_ids": ids, "map_layers": list(world.layers.values()), **data["variables"]}
    )
    for layer in world.layers.values():
        layer.project = world.base
    return world


def _layer(item: dict[str, Any]) -> MemoryLayer:
    widget = item.get("value_map", {})
    fields = [
        FieldInfo(name, kind, value_map=widget["map"] if name == widget.get("field") else None)
        for name, kind in item["fields"]
    ]
    layer = MemoryLayer(
        item["name"],
        item["crs"],
        item["geometry_type"].replace("None", "NoGeometry"),
        fields,
        item.get("display_expression", ""),
        item.get("map_tip", ""),
        frozenset(item.get("selected", [])),
        variables=item.get("variables", {}),
    )
    for row in item["features"]:
        values = {
            spec.name: value if value is None else READERS.get(spec.type, lambda v: v)(value)
            for spec, value in zip(fields, row["attrs"], strict=True)
        }
        shape = None if row["wkt"] is None else from_wkt(row["wkt"])
        layer.rows.append(Feature(row["fid"], values, shape, layer))
    return layer
