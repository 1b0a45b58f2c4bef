"""A layer's features as the project sees them: the provider's columns, those of joined layers, virtual fields."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import closing
from dataclasses import dataclass, replace

from qgserver.errors import ProviderError
from qgserver.expression.context import Context
from qgserver.expression.nodes import Node, all_of, needs_geometry, resolve_field, used_fields
from qgserver.expression.sql import split_and
from qgserver.geo.extent import Extent
from qgserver.project.joins import Lookup, joined_columns
from qgserver.project.layeraccess import ProjectLayers
from qgserver.project.model import Join, Project, VectorLayer, VirtualField
from qgserver.project.virtualfields import compute, parsed, rounded
from qgserver.providers import Sources
from qgserver.providers.absent import AbsentProvider
from qgserver.providers.batch import Batch, concat_batches, take_batch
from qgserver.providers.columnstore import sort_order
from qgserver.providers.protocol import Field, FieldType, Provider, Query, Schema
from qgserver.providers.selection import Batches, filtered, finish, wanted_columns
from qgserver.rasters.open import open_raster

AUTHOR = Context()
MAX_JOIN_DEPTH = 4
"""Joined layers may have joins themselves; a ring of them ends here."""
MAX_VIRTUAL_DEPTH = 3
"""Virtual layers may ask virtual layers; a ring of them ends here."""


def open_layer(project: Project, layer: VectorLayer, sources: Sources) -> Provider:
    """The provider of a layer: the bare one when the layer has neither joins nor virtual fields. Nothing is read yet.

    Raises ProviderError when the source is of no kind we know.
    """
    return _open(project, layer, sources, 0)


def _open(project: Project, layer: VectorLayer, sources: Sources, depth: int) -> Provider:
    provider = sources.open(layer.source, layer.crs)
    if isinstance(provider, AbsentProvider):
        provider = AbsentProvider(layer.crs, layer.geometry_type if layer.geometry_known else "NoGeometry")
    if layer.source.provider == "virtual":
        provider = _virtual(provider, project, sources, depth)
    joins = []
    for join in layer.joins if depth < MAX_JOIN_DEPTH else ():
        other = project.layers.get(join.layer_id)
        if isinstance(other, VectorLayer):
            joins.append((join, _open(project, other, sources, depth + 1)))
    if not joins and not layer.virtual_fields:
        return provider
    layers = ProjectLayers(
        project, lambda other: open_layer(project, other, sources), lambda source: open_raster(source, sources)
    )
    return LayerSource(provider, joins, layer.virtual_fields, Context(layer=layers.view(layer), layers=layers))


def _virtual(provider: Provider, project: Project, sources: Sources, depth: int) -> Provider:
    """A virtual layer that finds the layers its query names: those of the project, by id or name."""
    from qgserver.providers.virtual import VirtualProvider

    def find(name: str) -> Provider | None:
        by_name = (layer for layer in project.layers.values() if layer.name == name)
        other = project.layers.get(name) or next(by_name, None)
        if depth >= MAX_VIRTUAL_DEPTH:
            raise ProviderError("Virtual layers refer to one another too deeply")
        return _open(project, other, sources, depth + 1) if isinstance(other, VectorLayer) else None

    assert isinstance(provider, VirtualProvider)
    return provider.over(find, lambda source: sources.open(source, None))


@dataclass(frozen=True, slots=True)
class _Plan:
    """How a query is answered: what is asked of the provider, which columns are then added to its batches, what is left
    of the filter, and whether order and page are made here."""

    base: Query
    joined: tuple[str, ...]
    virtual: tuple[str, ...]
    rest: Node | None
    sort_here: bool


class LayerSource:
    """A provider with columns added. Filters, orders and pages that need only the provider's own columns go there."""

    def __init__(
        self,
        provider: Provider,
        joins: Sequence[tuple[Join, Provider]],
        virtual: Sequence[VirtualField],
        author: Context = AUTHOR,
    ) -> None:
        """``author`` is what virtual fields see besides the context of a query: the layer and the others."""
        self._provider = provider
        self._author = author
        self._joins = joins
        self._virtual = {field.name: field for field in virtual}
        self._expressions = {field.name: parsed(field) for field in virtual}

    def schema(self) -> Schema:
        """See ``Provider``. Joined columns follow the provider's, then come the virtual fields."""
        schema = self._provider.schema()
        fields = {field.name: field for field in schema.fields}
        for name, joined in joined_columns(self._joins).items():
            fields.setdefault(name, replace(joined.field, name=name, nullable=True, default=""))
        for name, spec in self._virtual.items():
            fields.setdefault(name, Field(name, _type(spec), spec.type_name, spec.length, spec.precision))
        return replace(schema, fields=tuple(fields.values()))

    def extent(self) -> Extent | None:
        """See ``Provider``."""
        return self._provider.extent()

    def count(self, query: Query) -> int:
        """See ``Provider``."""
        query = replace(query, columns=(), geometry=False, order_by=())
        plan = self._plan(query, self.schema())
        return self._provider.count(plan.base) if plan.rest is None else sum(map(len, self.read(query)))

    def read(self, query: Query) -> Batches:
        """See ``Provider``."""
        schema = self.schema()
        plan = self._plan(query, schema)
        names = wanted_columns(query, [field.name for field in schema.fields])
        batches = self._extended(plan, query.context)
        if plan.sort_here:
            batches = _sorted(batches, plan.rest, query)
            yield from finish(batches, query, None, names)
        else:
            done = plan.rest is None
            yield from finish(batches, replace(query, limit=None, offset=0) if done else query, plan.rest, names)

    def close(self) -> None:
        """See ``Provider``."""
        self._provider.close()

    def _plan(self, query: Query, schema: Schema) -> _Plan:
        every = [field.name for field in schema.fields]
        own = {field.name for field in self._provider.schema().fields}
        parts = split_and(query.where) if query.where is not None else ()
        pushed = tuple(part for part in parts if _columns(part, every) <= own)
        rest = all_of(part for part in parts if part not in pushed)
        sort_here = any(key.column not in own for key in query.order_by)
        needed = {*wanted_columns(query, every), *(() if rest is None else _columns(rest, every))}
        needed |= {key.column for key in query.order_by} if sort_here else set()
        virtual = self._in_order(needed - own, every)
        needed |= {name for field in virtual for name in _columns(self._expressions[field], every)}
        joins = joined_columns(self._joins)
        joined = tuple(name for name in joins if name in needed and name not in own)
        needed |= {joins[name].join.target_field for name in joined}
        shape_used = any(
            needs_geometry(node) for node in (rest, *(self._expressions[name] for name in virtual)) if node
        )
        here = rest is not None or sort_here
        base = replace(
            query,
            columns=tuple(name for name in every if name in needed and name in own),
            geometry=query.geometry or shape_used,
            where=all_of(pushed),
            order_by=() if sort_here else query.order_by,
            limit=None if here else query.limit,
            offset=0 if here else query.offset,
            # What is computed from a geometry must not depend on the scale of a map.
            simplify=0.0 if shape_used else query.simplify,
        )
        return _Plan(base, joined, virtual, rest, sort_here)

    def _in_order(self, names: Collection[str], every: Sequence[str]) -> tuple[str, ...]:
        """The virtual fields among ``names`` and those they are computed from, each after what it needs."""
        seen: set[str] = set()
        out: list[str] = []

        def visit(name: str) -> None:
            if name in self._virtual and name not in seen:
                seen.add(name)
                for other in sorted(_columns(self._expressions[name], every)):
                    visit(other)
                out.append(name)

        for name in sorted(names):
            visit(name)
        return tuple(out)

    def _extended(self, plan: _Plan, context: Context) -> Batches:
        """The provider's batches with the columns of the plan added."""
        joins = {name: joined for name, joined in joined_columns(self._joins).items() if name in plan.joined}
        lookups = {
            join: Lookup([joined for joined in joins.values() if joined.join is join], context)
            for join in {joined.join for joined in joins.values()}
        }
        # Virtual fields are the author's: what a client may not use is open to them.
        layers = context.layers or self._author.layers
        author = replace(context, closed_world=False, layer=self._author.layer, layers=layers, cache={})
        with closing(self._provider.read(plan.base)) as batches:
            for batch in batches:
                columns = dict(batch.columns)
                for name, joined in joins.items():
                    keys = columns[joined.join.target_field]
                    columns[name] = lookups[joined.join].add(keys, joined.field.name)
                for name in plan.virtual:
                    known = Batch(batch.fids, columns, batch.geometry)
                    spec = self._virtual[name]
                    made = compute(self._expressions[name], _type(spec), known, author)
                    columns[name] = rounded(made, spec.precision)
                yield Batch(batch.fids, columns, batch.geometry)


def _sorted(batches: Batches, where: Node | None, query: Query) -> Batches:
    kept = list(batches if where is None else filtered(batches, where, query.context))
    if kept:
        whole = concat_batches(kept)
        yield take_batch(whole, sort_order(whole.columns, query.order_by))


def _columns(node: Node, every: Sequence[str]) -> set[str]:
    """The columns of the layer that an expression may read."""
    used = used_fields(node)
    if used is None:
        return set(every)
    return {real for name in used if (real := resolve_field(name, every)) is not None}


def _type(spec: VirtualField) -> FieldType:
    kind: FieldType = spec.type  # type: ignore[assignment]  # the project reader writes field types
    return kind
