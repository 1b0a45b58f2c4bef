"""Rows of other layers of the project that widgets name: labels for keys."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace

from qgserver.errors import ExpressionError, QgServerError
from qgserver.expression.columns import to_values
from qgserver.expression.context import Context
from qgserver.expression.evaluate import evaluate
from qgserver.expression.nodes import FieldRef, In, Literal, Node, all_of, needs_geometry, resolve_field, used_fields
from qgserver.expression.values import Value, text_to_double, text_to_int
from qgserver.project.layersource import open_layer
from qgserver.project.model import Project, VectorLayer
from qgserver.providers import Sources
from qgserver.providers.protocol import Query, Schema

log = logging.getLogger("qgserver")


@dataclass(frozen=True, slots=True)
class Related:
    """Access to the other layers of a project; ``context`` is what their expressions are evaluated in."""

    project: Project
    sources: Sources
    context: Context

    def find(self, layer_id: str, name: str = "") -> VectorLayer | None:
        """The vector layer of that id, else the first of that name (ids change when layers are added anew)."""
        layers = self.project.layers
        found = layers.get(layer_id) or next((layer for layer in layers.values() if name and layer.name == name), None)
        return found if isinstance(found, VectorLayer) else None

    def labels(
        self, layer: VectorLayer, key: str, label: Node, keys: Iterable[str], where: Node | None = None
    ) -> list[tuple[Value, Value]]:
        """(key, label) of the features whose ``key`` is among ``keys`` (texts), in the layer's order. A layer that
        can't be read, or has no such field, has none: it is not the layer that was asked about."""
        try:
            return self._labels(layer, key, label, keys, where)
        except QgServerError as error:
            log.warning("layer %s gives no labels: %s %s", layer.published, error.message, error.detail)
            return []

    def _labels(
        self, layer: VectorLayer, key: str, label: Node, keys: Iterable[str], where: Node | None
    ) -> list[tuple[Value, Value]]:
        provider = open_layer(self.project, layer, self.sources)
        schema = provider.schema()
        names = [field.name for field in schema.fields]
        real = resolve_field(key, names)
        if real is None:
            raise ExpressionError(f"there is no field {key}")
        items = _literals(schema, real, keys)
        if not items:
            return []
        needed = {real, *_columns(label, names)}
        query = Query(
            columns=tuple(name for name in names if name in needed),
            geometry=needs_geometry(label),
            where=all_of([In(FieldRef(real), items), *([] if where is None else [where])]),
            context=self.context,
        )
        pairs: list[tuple[Value, Value]] = []
        with closing(provider.read(query)) as batches:
            for batch in batches:
                labels = to_values(evaluate(label, batch, replace(self.context, layer=None)))
                pairs += zip(to_values(batch.columns[real]), labels, strict=True)
        return pairs


def _columns(node: Node, names: Sequence[str]) -> set[str]:
    used = used_fields(node)
    if used is None:
        return set(names)
    return {real for name in used if (real := resolve_field(name, names)) is not None}


def _literals(schema: Schema, name: str, keys: Iterable[str]) -> tuple[Literal, ...]:
    """The keys as values of the field; those that can be none of its type are left out."""
    field = schema.field(name)
    kind = field.type if field is not None else "string"
    convert = {"int": text_to_int, "int64": text_to_int, "double": text_to_double}.get(kind, str)
    values = (convert(key) for key in dict.fromkeys(keys))
    return tuple(Literal(value) for value in values if value is not None)
