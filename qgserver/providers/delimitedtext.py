"""Delimited text (CSV and its kin): read whole, kept as columns.

The first pass over a file finds the columns, their types and the geometries; a column is read when it is first needed.
"""

from __future__ import annotations

import os
import stat
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from qgserver.errors import ExpressionError, ProviderError
from qgserver.expression.evaluate import select
from qgserver.expression.nodes import Node
from qgserver.expression.parser import parse
from qgserver.geo.crs import Crs
from qgserver.geo.extent import Extent
from qgserver.geo.geometry import NULL, GeometryArray
from qgserver.geo.wkb import concat, nulls
from qgserver.providers import columnstore, textgeometry
from qgserver.providers.batch import Batch, Column, concat_batches
from qgserver.providers.cache import ByteCache
from qgserver.providers.protocol import Field, FieldType, Query, Schema
from qgserver.providers.resources import Resources
from qgserver.providers.selection import needed_columns
from qgserver.providers.sqlitefile import Stamp, stamp
from qgserver.providers.stored import StoredProvider
from qgserver.providers.textnames import unique_names
from qgserver.providers.textrecords import Chunk, Deadline, Format, chunks, said, text_format
from qgserver.providers.textvalues import WORDS, Guess, csvt_types, to_column
from qgserver.providers.uri import DataSource

_FAMILIES = {"point": "POINT", "line": "LINESTRING", "polygon": "POLYGON"}
_SINGLE = {"POINT": "Point", "LINESTRING": "LineString", "POLYGON": "Polygon"}


@dataclass(frozen=True, slots=True)
class _Layout:
    """What the first pass found: the schema, and the place of each column in a record."""

    schema: Schema
    places: Mapping[str, int]


@dataclass(slots=True)
class _Scan:
    """The first pass over a file."""

    names: list[str]
    guesses: list[Guess] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    pieces: list[GeometryArray] = field(default_factory=list)
    family: str = ""


class DelimitedTextProvider(StoredProvider):
    """An open layer. The file is not kept open; what was read of it is in the cache, under the file's stamp."""

    def __init__(self, source: DataSource, crs: Crs | None, resources: Resources) -> None:
        self._source = source
        self._crs = crs
        self._cache: ByteCache = resources.cache
        self._seconds = resources.statement_timeout_ms / 1000
        self._format = text_format(source)
        self._point = source.params.get("decimalPoint", "").replace(".", "")
        self._lock = threading.Lock()
        self._found: tuple[Stamp, _Layout] | None = None
        self._where = _subset(source.subset)

    def schema(self) -> Schema:
        """See ``Provider``. Asked again when the file has changed."""
        return self._known()[1].schema

    def extent(self) -> Extent | None:
        """See ``Provider``."""
        return self._shown(self._every()).extent()

    # -- the cache ------------------------------------------------------------------------------------------------

    def _known(self) -> tuple[Stamp, _Layout]:
        """The file's stamp and what is in it."""
        moment = self._moment()
        with self._lock:
            if self._found is None or self._found[0] != moment:
                layout, shapes = self._scan()
                self._found = (moment, layout)
                self._keep(moment, ("",), shapes, shapes.size)
            return self._found

    def _moment(self) -> Stamp:
        path = self._source.path
        moment = stamp(path, _csvt(path))
        if not stat.S_ISREG(os.stat(path).st_mode):
            raise ProviderError("The layer's file can't be opened", detail=f"{path} is not a file")
        return moment

    def table(self, query: Query, names: Sequence[str]) -> tuple[columnstore.Shapes, Mapping[str, Column]]:
        """See ``StoredProvider``."""
        every = self._every()
        columns = self._columns(every, names)
        shown = self._shown(every)
        if shown is every:
            return every, columns
        places = np.searchsorted(every.fids, shown.fids)
        return shown, {name: columnstore.taken(column, places) for name, column in columns.items()}

    def _every(self) -> columnstore.Shapes:
        """All features of the file."""
        moment, _ = self._known()
        kept = self._cache.get(self._key(moment, ""), columnstore.Shapes)
        if kept is None:
            kept = self._scan()[1]
            self._keep(moment, ("",), kept, kept.size)
        return kept

    def _shown(self, every: columnstore.Shapes) -> columnstore.Shapes:
        """The features that the layer's own filter leaves."""
        if self._where is None:
            return every
        moment, layout = self._known()
        kept = self._cache.get(self._key(moment, "shown"), columnstore.Shapes)
        if kept is None:
            query = Query(columns=(), where=self._where)
            columns = self._columns(every, needed_columns(query, self._where, layout.places))
            mask = select(self._where, Batch(every.fids, columns, every.geometry), query.context)
            geometry = textgeometry.kept(every.geometry, mask)
            kept = columnstore.Shapes(every.fids[mask], geometry, every.boxes[:, mask])
            self._keep(moment, ("shown",), kept, kept.size)
        return kept

    def _columns(self, every: columnstore.Shapes, names: Sequence[str]) -> dict[str, Column]:
        """Columns of all features."""
        moment, layout = self._known()
        columns = {name: self._cache.get(self._key(moment, "column", name), Column) for name in names}
        missing = [name for name, kept in columns.items() if kept is None]
        if missing:
            for name, read in self._read_columns(every, layout, missing).items():
                columns[name] = read
                self._keep(moment, ("column", name), read, columnstore.column_bytes(read))
        return {name: kept for name, kept in columns.items() if kept is not None}

    def _key(self, moment: Stamp, *names: str) -> tuple[object, ...]:
        source = self._source
        return ("delimitedtext", source.path, moment, frozenset(source.params.items()), source.subset, *names)

    def _keep(self, moment: Stamp, names: tuple[str, ...], value: object, size: int) -> None:
        if moment.settled:
            self._cache.put(self._key(moment, *names), value, size)

    # -- reading --------------------------------------------------------------------------------------------------

    def _chunks(self) -> Iterator[Chunk]:
        return chunks(self._source.path, self._format, Deadline(self._seconds))

    def _scan(self) -> tuple[_Layout, columnstore.Shapes]:
        """The first pass."""
        scan: _Scan | None = None
        for chunk in self._chunks():
            if scan is None:
                scan, chunk = _begun(chunk, self._format)
                scan.family = _FAMILIES.get(self._source.params.get("geomType", "").lower(), "")
            self._look(scan, chunk)
        if scan is None or not scan.names:
            raise ProviderError("The layer's file is empty")
        geometry = concat(scan.pieces) if scan.pieces else nulls(0)
        layout = self._layout(scan, geometry)
        fids = np.array(scan.lines, np.int64)
        return layout, columnstore.Shapes(fids, geometry, np.ascontiguousarray(geometry.boxes().T))

    def _look(self, scan: _Scan, chunk: Chunk) -> None:
        """Take more records into account. Those that are no features do not say what a column's type is (measured)."""
        geometry, there = self._geometries(scan, chunk)
        chunk = chunk if there.all() else chunk.some(np.flatnonzero(there).tolist())
        scan.pieces.append(textgeometry.kept(geometry, there))
        scan.lines += chunk.lines
        scan.guesses += [Guess() for _ in range(max(map(len, chunk.records), default=0) - len(scan.guesses))]
        for place, guess in enumerate(scan.guesses):
            guess.see(chunk.column(place), self._point)

    def _geometries(self, scan: _Scan, chunk: Chunk) -> tuple[GeometryArray, textgeometry.Mask]:
        """The geometries of some records, and which of these are features."""
        params = self._source.params
        if params.get("wktField"):
            texts = chunk.column(_place(scan.names, params["wktField"]))
            geometry, there = textgeometry.from_texts(texts)
            scan.family = scan.family or textgeometry.family_of_first(geometry)
            return geometry, there & textgeometry.of_family(geometry, scan.family)
        if params.get("xField") and params.get("yField"):
            axes = [chunk.column(_place(scan.names, params[key])) for key in self._axes()]
            written = textgeometry.Coordinates(self._point, said(params, "xyDms", False))
            return textgeometry.points(axes, "zField" in self._axes(), "mField" in self._axes(), written)
        return nulls(len(chunk.lines)), np.ones(len(chunk.lines), np.bool_)

    def _axes(self) -> list[str]:
        return [key for key in ("xField", "yField", "zField", "mField") if self._source.params.get(key)]

    def _layout(self, scan: _Scan, geometry: GeometryArray) -> _Layout:
        names = unique_names(scan.names, len(scan.guesses))
        wkt = self._source.params.get("wktField", "")
        hidden = {_place(scan.names, wkt)} if wkt else set()
        types = self._types(scan)
        places = {name: place for place, name in enumerate(names) if place not in hidden}
        fields = tuple(Field(name, types[place], WORDS[types[place]]) for name, place in places.items())
        return _Layout(Schema(fields, self._geometry_type(scan, geometry), self._crs), places)

    def _types(self, scan: _Scan) -> list[FieldType]:
        """The types of the columns: what a ``.csvt`` beside the file says, else what the values look like."""
        detect = said(self._source.params, "detectTypes", True)
        said_types = _read_csvt(_csvt(self._source.path))
        said_types += [None] * (max(len(scan.names), len(scan.guesses)) - len(said_types))
        guessed: list[FieldType] = [guess.type if detect else "string" for guess in scan.guesses]
        guessed += ["string"] * (len(said_types) - len(guessed))
        return [told or guess for told, guess in zip(said_types, guessed, strict=False)]

    def _geometry_type(self, scan: _Scan, geometry: GeometryArray) -> str:
        params = self._source.params
        if params.get("wktField"):
            if not scan.family:
                return "NoGeometry"
            multi = (geometry.types[geometry.types != NULL] > textgeometry.LARGEST_SINGLE).any()
            return ("Multi" if multi else "") + _SINGLE[scan.family] + textgeometry.dimensions_of_first(geometry)
        axes = "".join(key[0].upper() for key in self._axes())
        return "Point" + axes[2:] if axes.startswith("XY") else "NoGeometry"

    def _read_columns(self, every: columnstore.Shapes, layout: _Layout, names: Sequence[str]) -> dict[str, Column]:
        """Columns of all features, by another pass."""
        types = {field.name: field.type for field in layout.schema.fields}
        batches: list[Batch] = []
        for chunk in self._chunks():
            lines = np.array(chunk.lines, np.int64)
            features = chunk.some(np.flatnonzero(np.isin(lines, every.fids, assume_unique=True)).tolist())
            columns = {
                name: to_column(features.column(layout.places[name]), types[name], self._point) for name in names
            }
            batches.append(Batch(np.array(features.lines, np.int64), columns, None))
        whole = concat_batches(batches)
        if not np.array_equal(whole.fids, every.fids):
            raise ProviderError("The layer's file changed while it was read")
        return dict(whole.columns)


def _begun(chunk: Chunk, form: Format) -> tuple[_Scan, Chunk]:
    """The names in the first record, if it is a header, and the records behind it."""
    if not form.header:
        width = max(map(len, chunk.records), default=0)
        return _Scan([f"field_{place + 1}" for place in range(width)]), chunk
    header = [(name or "").strip() for name in (chunk.records[0] if chunk.records else [])]
    scan = _Scan(unique_names(header, len(header)))
    scan.guesses = [Guess() for _ in header]
    return scan, Chunk(chunk.lines[1:], chunk.records[1:])


def _place(names: Sequence[str], name: str) -> int:
    """The place of a column; letters' case does not matter."""
    folded = [other.casefold() for other in names]
    if name.casefold() not in folded:
        raise ProviderError("A column that holds the layer's geometry does not exist in its file")
    return folded.index(name.casefold())


def _subset(text: str) -> Node | None:
    """The layer's own filter. One that is no expression stops the layer: to show what it should hide would be worse."""
    try:
        return parse(text) if text.strip() else None
    except ExpressionError as error:
        raise ProviderError("The layer's filter is not understood", detail=error.message) from error


def _csvt(path: str) -> str:
    return os.path.splitext(path)[0] + ".csvt"


def _read_csvt(path: str) -> list[FieldType | None]:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return csvt_types(file.readline(1 << 16))
    except OSError:
        return []


def open_layer(source: DataSource, crs: Crs | None, resources: Resources) -> DelimitedTextProvider:
    """The provider of a file. Nothing is read yet."""
    return DelimitedTextProvider(source, crs, resources)
