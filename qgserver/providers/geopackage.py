"""Layers in GeoPackages.

A query goes to SQLite and its R-tree, unless the layer has been read into memory: that happens at the second query
that reads much of a layer, if there is room in the cache.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from qgserver.expression.nodes import Node
from qgserver.expression.sql import Sql, push_down
from qgserver.geo.crs import Crs
from qgserver.geo.extent import Extent
from qgserver.geo.wkb import decode
from qgserver.providers import columnstore, gpkgschema, gpkgsql
from qgserver.providers.batch import Batch, take_batch
from qgserver.providers.cache import ByteCache
from qgserver.providers.columns import column
from qgserver.providers.gpkgmemory import LayerMemory
from qgserver.providers.protocol import FieldType, Query, Schema
from qgserver.providers.resources import Resources
from qgserver.providers.selection import (
    Batches,
    finish,
    geometry_needed,
    integer,
    needed_columns,
    paged_count,
    wanted_columns,
)
from qgserver.providers.sqlitefile import Reader, SqliteFile, Stamp
from qgserver.providers.uri import DataSource

HEAVY_BYTES = 1 << 20
"""A query that reads more geometry than this makes the layer worth keeping in memory."""
ROW_BYTES = 200
"""What a row costs beside its coordinates, as if it had so many bytes more."""


class GeoPackageProvider:
    """An open layer. Holds no connection: each call borrows one of the file's."""

    def __init__(self, source: DataSource, crs: Crs | None, file: SqliteFile, cache: ByteCache) -> None:
        self._source = source
        self._crs = crs
        self._file = file
        self._memory = LayerMemory(file, cache)
        self._inspected: tuple[object, Schema, gpkgschema.Relation] | None = None
        self._current: Stamp | None = None
        self._contents: tuple[Stamp | None, Extent | None] = (None, None)
        self._heavy = False

    def schema(self) -> Schema:
        """See ``Provider``. Asked again when the file has changed."""
        current, known = self._current, self._inspected
        if known is not None and current is not None and current == self._file.moment():
            return known[1]
        with self._file.read() as reader:
            return self._known(reader)[0]

    def extent(self) -> Extent | None:
        """See ``Provider``. Without a subset it is what the file says."""
        with self._file.read() as reader:
            relation = self._known(reader)[1]
            if not relation.geometry:
                return None
            if not self._source.subset:
                return self._whole(reader)
        boxes = [b.geometry.boxes().T for b in self.read(Query(columns=())) if b.geometry is not None]
        return columnstore.extent_of(np.concatenate([np.empty((4, 0)), *boxes], axis=1))

    def count(self, query: Query) -> int:
        """See ``Provider``."""
        with self._file.read() as reader:
            schema, relation = self._known(reader)
            pushed, rest = self._pushed(query, schema)
            if not _local(query, rest, relation):
                selection = gpkgsql.Selection(fids=_integers(query.fids), where=pushed)
                statement = gpkgsql.aggregate(relation, "count(*)", selection)
                return paged_count(int(reader.all(statement.text, statement.params)[0][0]), query)
        return sum(map(len, self.read(replace(query, columns=(), geometry=False))))

    def read(self, query: Query) -> Batches:
        """See ``Provider``."""
        with self._file.read() as reader:
            schema, relation = self._known(reader)
            if query.extent is not None and (query.extent.is_empty or not relation.geometry):
                return
            names = wanted_columns(query, [field.name for field in schema.fields])
            cached = self._cached(reader, query, schema, relation)
            if cached is not None:
                yield from cached
                return
            pushed, rest = self._pushed(query, schema)
            local = _local(query, rest, relation)
            selection = self._selection(reader, query, relation, pushed)
            if not local:
                selection = replace(selection, limit=query.limit, offset=query.offset)
                query = replace(query, limit=None, offset=0)
            yield from finish(self._selected(reader, query, selection, rest), query, rest, names)

    def close(self) -> None:
        """See ``Provider``. The file's connections belong to all its layers and stay."""

    def _known(self, reader: Reader) -> tuple[Schema, gpkgschema.Relation]:
        """The layer's schema and table; nothing is asked of a file that has not been written since."""
        known, moment = self._inspected, reader.moment
        if known is None or moment != self._current:
            version = (moment.inode, reader.all("PRAGMA schema_version"))
            if known is None or known[0] != version:
                known = self._inspected = (version, *gpkgschema.inspect(reader, self._source, self._crs))
            self._current = moment if moment.settled else None
        return known[1], known[2]

    def _pushed(self, query: Query, schema: Schema) -> tuple[Sql | None, Node | None]:
        """What SQLite filters, and what is left to do."""
        if query.where is None:
            return None, None
        return push_down(query.where, "sqlite", {field.name: field.type for field in schema.fields})

    def _kinds(self, query: Query, rest: Node | None, schema: Schema) -> dict[str, FieldType]:
        """The columns to read and their types."""
        types = {field.name: field.type for field in schema.fields}
        return {name: types[name] for name in needed_columns(query, rest, types)}

    def _selection(
        self, reader: Reader, query: Query, relation: gpkgschema.Relation, pushed: Sql | None
    ) -> gpkgsql.Selection:
        box = query.extent
        if box is not None and relation.index:
            whole = self._whole(reader)
            # GDAL leaves the index aside for a view of everything, and then the order is another one.
            box = None if query.order_by or (whole is not None and box.contains(whole)) else box
        return gpkgsql.Selection(box, _integers(query.fids), pushed, query.order_by, key_order=query.key_order)

    def _selected(self, reader: Reader, query: Query, selection: gpkgsql.Selection, rest: Node | None) -> Batches:
        """The rows by SQL, with all columns that ``rest`` of the filter needs."""
        schema, relation = self._known(reader)
        kinds = self._kinds(query, rest, schema)
        geometry = relation.geometry if _local(query, None, relation) or geometry_needed(query, rest) else ""
        items = [name for name in (relation.fid, geometry) if name]
        statement = gpkgsql.select(relation, [*items, *kinds], selection)
        number = bytes_read = 0
        first = min(query.first_batch, query.batch_size)
        for rows in reader.batches(statement.text, statement.params, first, query.batch_size):
            values: list[Sequence[Any]] = list(zip(*rows, strict=True))
            fids = np.array(values.pop(0), np.int64) if relation.fid else np.arange(number, number + len(rows))
            number += len(rows)
            blobs = values.pop(0) if geometry else None
            columns = {name: column(v, kinds[name]) for name, v in zip(kinds, values, strict=True)}
            batch = Batch(fids, columns, None if blobs is None else decode(blobs))
            bytes_read += 0 if batch.geometry is None else batch.geometry.coords.nbytes + ROW_BYTES * len(batch)
            yield _within(batch, query, relation)
        self._heavy = self._heavy or bytes_read > HEAVY_BYTES

    def _whole(self, reader: Reader) -> Extent | None:
        """The layer's box in the table of contents; nothing is asked of a file that has not been written since."""
        moment, box = self._contents
        if moment != reader.moment:
            box = gpkgschema.contents_extent(reader, gpkgschema.layer_name(reader, self._source))
            self._contents = (reader.moment if reader.moment.settled else None, box)
        return box

    def _cached(self, reader: Reader, query: Query, schema: Schema, relation: gpkgschema.Relation) -> Batches | None:
        """The batches out of memory, if the layer is there or should be."""
        if query.extent is None or query.order_by or query.fids is not None or not relation.fid:
            return None
        if query.brief and relation.index:  # which finds a few sooner than a look at all boxes
            return None
        kinds = self._kinds(query, query.where, schema)
        found = self._memory.find(reader, relation, kinds, build=self._heavy)
        if found is None:
            return None
        shapes, columns = found
        names = wanted_columns(query, [field.name for field in schema.fields])
        return columnstore.read(shapes, columns, query, names, self._whole(reader))


def _local(query: Query, rest: Node | None, relation: gpkgschema.Relation) -> bool:
    """Whether rows are left out after SQLite has given them, so that it must not cut out the page."""
    return query.extent is not None or rest is not None or bool(relation.types)


def _within(batch: Batch, query: Query, relation: gpkgschema.Relation) -> Batch:
    """The features whose box meets the extent (the R-tree rounds outwards) and whose type the layer shows."""
    if batch.geometry is None or (query.extent is None and not relation.types):
        return batch
    mask = np.ones(len(batch), bool)
    if query.extent is not None:
        mask &= columnstore.meets(batch.geometry.boxes().T, query.extent)
    if relation.types:
        mask &= np.isin(batch.geometry.types, relation.types)
    return batch if mask.all() else take_batch(batch, mask)


def _integers(fids: Sequence[int | str] | None) -> list[int] | None:
    """Feature ids as integers; a text that is none is the id of no feature."""
    return None if fids is None else [number for fid in fids if (number := integer(fid)) is not None]


def open_layer(source: DataSource, crs: Crs | None, resources: Resources) -> GeoPackageProvider:
    """The provider of a layer in a GeoPackage. The file is opened at first use."""
    seconds = resources.statement_timeout_ms / 1000
    path = source.path
    file = resources.once(SqliteFile, path, lambda: SqliteFile(path, seconds, resources.connect_timeout_s))
    return GeoPackageProvider(source, crs, file, resources.cache)
