"""Layers of GeoPackages in memory: read whole once, per state of the file, while requests go on from the file."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping

import numpy as np

from qgserver.errors import ProviderError
from qgserver.geo.wkb import concat, decode, nulls
from qgserver.providers import columnstore, gpkgsql
from qgserver.providers.batch import Column
from qgserver.providers.cache import ByteCache
from qgserver.providers.columns import column
from qgserver.providers.gpkgschema import Relation
from qgserver.providers.protocol import FieldType
from qgserver.providers.sqlitefile import Reader, SqliteFile, Stamp, quoted

log = logging.getLogger("qgserver")

FETCH = 5000
_ROW_BYTES = 24
"""What a feature takes here (id, box, offsets, place in the drawing order) beyond what its blob's headers take."""
_VALUE_BYTES = 16
_RETRY_SECONDS = 10.0

Found = tuple[columnstore.Shapes, Mapping[str, Column]]


def in_background(work: Callable[[], None]) -> None:
    """Do something while others go on; it is given up when the process ends."""
    threading.Thread(target=work, daemon=True, name="qgserver-geopackage").start()


class LayerMemory:
    """What is kept of one layer. The cache is the process's; nothing is kept here."""

    def __init__(self, file: SqliteFile, cache: ByteCache) -> None:
        self._file = file
        self._cache = cache
        self._building = threading.Lock()
        self._refused_until = 0.0

    def find(self, reader: Reader, relation: Relation, kinds: Mapping[str, FieldType], *, build: bool) -> Found | None:
        """The layer and its columns (name -> type), None when they are not in memory. With ``build`` they begin to be
        read in, if there is room and nobody is at it: a large layer takes longer than its map."""
        if not reader.moment.settled:
            return None
        key = (self._file.path, reader.moment, relation)
        found = self._kept(key, kinds)
        if found is not None or not build or time.monotonic() < self._refused_until:
            return found
        if not self._building.acquire(blocking=False):
            return None
        try:
            in_background(lambda: self._build(relation, reader.moment, kinds))
        except RuntimeError as error:  # no more threads
            self._building.release()
            log.warning("a layer is not kept in memory: %s", error)
        return self._kept(key, kinds)

    def _build(self, relation: Relation, moment: Stamp, kinds: Mapping[str, FieldType]) -> None:
        """Read the layer in by a connection of its own, unless the file has another state by now."""
        try:
            with self._file.read() as reader:
                if reader.moment == moment and self._read(reader, relation, kinds):
                    return
            self._refused_until = time.monotonic() + _RETRY_SECONDS
        except ProviderError as error:
            self._refused_until = time.monotonic() + _RETRY_SECONDS
            log.info("a layer is not kept in memory: %s (%s)", error.message, error.detail)
        finally:
            self._building.release()

    def _kept(self, key: tuple[object, ...], kinds: Mapping[str, FieldType]) -> Found | None:
        shapes = self._cache.get(key, columnstore.Shapes)
        columns = {name: self._cache.get((*key, name), Column) for name in kinds}
        there = {name: kept for name, kept in columns.items() if kept is not None}
        return (shapes, there) if shapes is not None and len(there) == len(kinds) else None

    def _read(self, reader: Reader, relation: Relation, kinds: Mapping[str, FieldType]) -> bool:
        """Read what is missing; False when there is no room for it. All rows of one state of the file have one order,
        so columns fit each other."""
        key = (self._file.path, reader.moment, relation)
        shapes = self._cache.get(key, columnstore.Shapes)
        if shapes is None:
            statement = gpkgsql.aggregate(relation, f"sum(length({quoted(relation.geometry)})), count(*)", _ALL)
            ((size, count),) = reader.all(statement.text, statement.params)
            if (size or 0) + count * (_ROW_BYTES + _VALUE_BYTES * len(kinds)) > self._cache.room():
                return False
            shapes = _shapes(reader, relation)
            self._cache.put(key, shapes, shapes.size)
        missing = {name: kind for name, kind in kinds.items() if self._cache.get((*key, name), Column) is None}
        if missing:
            if len(shapes.fids) * _VALUE_BYTES * len(missing) > self._cache.room():
                return False
            for name, read in _columns(reader, relation, missing).items():
                self._cache.put((*key, name), read, columnstore.column_bytes(read))
        return True


_ALL = gpkgsql.Selection()


def _shapes(reader: Reader, relation: Relation) -> columnstore.Shapes:
    statement = gpkgsql.select(relation, (relation.fid, relation.geometry), _ALL)
    fids, pieces = [np.empty(0, np.int64)], [nulls(0)]
    for rows in reader.batches(statement.text, statement.params, FETCH, FETCH):
        numbers, blobs = zip(*rows, strict=True)
        fids.append(np.array(numbers, np.int64))
        pieces.append(decode(blobs))
    geometry = concat(pieces)
    pieces.clear()
    every = np.concatenate(fids)
    boxes = np.ascontiguousarray(geometry.boxes().T)
    return columnstore.Shapes(every, geometry, boxes, _drawing(reader, relation, every))


def _drawing(reader: Reader, relation: Relation, fids: columnstore.Numbers) -> columnstore.Numbers | None:
    """Places of the features in the order in which a walk through the whole R-tree meets them; a walk through a part
    of it meets them in the same order."""
    if not relation.index:
        return None
    walk = np.array(reader.all(f"SELECT id FROM {quoted(relation.index)}"), np.int64).reshape(-1)  # noqa: S608
    if not len(fids):
        return walk[:0]
    places = np.minimum(np.searchsorted(fids, walk), len(fids) - 1)
    found: columnstore.Numbers = places[fids[places] == walk]
    return found


def _columns(reader: Reader, relation: Relation, kinds: Mapping[str, FieldType]) -> dict[str, Column]:
    statement = gpkgsql.select(relation, tuple(kinds), _ALL)
    texts: dict[object, object] = {}
    rows = reader.all(statement.text, statement.params)
    values = zip(*rows, strict=True) if rows else (() for _ in kinds)
    out = {}
    for (name, kind), column_values in zip(kinds.items(), values, strict=True):
        # Categories repeat: one object for each distinct text.
        shared = [texts.setdefault(v, v) for v in column_values] if kind == "string" else column_values
        out[name] = column(shared, kind)
    return out
