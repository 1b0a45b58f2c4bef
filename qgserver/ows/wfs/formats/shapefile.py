"""Zipped Shapefiles. What the format can't hold is told or documented: names of fields are cut to 10 bytes, texts to
254, times and instants are texts, a layer of mixed geometries becomes several files."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from qgserver.errors import OwsError
from qgserver.geo.geometry import (
    COLLECTION,
    LINESTRING,
    MULTILINESTRING,
    MULTIPOINT,
    MULTIPOLYGON,
    POINT,
    POLYGON,
)
from qgserver.ows.wfs.answer import Answer
from qgserver.ows.wfs.answerfile import Gathered, GatheredLayer, convert, gathered, sent, unique_names
from qgserver.ows.wfs.outputformat import wfs_format
from qgserver.providers.gpkgnew import NAMES
from qgserver.providers.sqlitefile import quoted

NAME_BYTES, TEXT_BYTES, NUMBER_BYTES = 10, 254, 24
"""dBASE's longest name and text, and what GDAL gives a number."""
MOST_BYTES = 2**31 - 1
"""Each file of a Shapefile may be so large that all programs read it."""

_FILES: Mapping[tuple[int, ...], tuple[str, str]] = {
    (POINT,): ("Point", "point"),
    (MULTIPOINT,): ("MultiPoint", "multipoint"),
    (LINESTRING, MULTILINESTRING): ("LineString", "line"),
    (POLYGON, MULTIPOLYGON): ("Polygon", "polygon"),
}
"""Kinds of geometry that one Shapefile holds -> its type, and what is added to its name where there are several."""


@wfs_format("shape-zip", "shapezip", mime="application/zip", extension=".zip")
def shapefile(answer: Answer) -> Iterator[bytes]:
    """A ZIP archive with the files of each type, in UTF-8."""
    with gathered(answer, ids=False) as made:
        folder = made.folder / "shapes"
        folder.mkdir()
        for found in made.layers:
            _write(made, found, folder)
        target = made.folder / "shapes.zip"
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            for path in sorted(folder.iterdir()):
                archive.write(path, path.name)
                path.unlink()
        file = target.open("rb")
    yield from sent(file)


def _write(made: Gathered, found: GatheredLayer, folder: Path) -> None:
    layer, kinds = found.layer, found.written.kinds
    if COLLECTION in kinds:
        raise OwsError(
            "InvalidParameterValue", "A Shapefile can't hold collections of geometries.", locator="outputFormat"
        )
    _require_room(made, found)
    columns = _columns(found)
    if not layer.geometry:
        sql = f"SELECT {columns} FROM {quoted(layer.name)}"  # noqa: S608
        return convert(made, found, sql, folder / f"{layer.name}.dbf", "", "ESRI Shapefile", encoding="UTF-8")
    parts = [(group, *names) for group, names in _FILES.items() if kinds & {*group}]
    parts = parts or [(group, *names) for group, names in _FILES.items() if layer.kind in group]
    parts = parts or [((POINT,), "Point", "point")]
    heights = " Z" if found.written.heights else ""
    for number, (group, shape, end) in enumerate(parts):
        words = ", ".join(f"'{NAMES[kind].upper()}'" for kind in group)
        shape_of = f"ST_GeometryType({quoted(layer.geometry)})"
        # Features without geometry, which any Shapefile can hold, go with the first.
        nothing = f" OR {quoted(layer.geometry)} IS NULL OR ST_IsEmpty({quoted(layer.geometry)})" if not number else ""
        where = "" if len(parts) == 1 else f" WHERE {shape_of} IN ({words}){nothing}"
        sql = f"SELECT {quoted(layer.geometry)}, {columns} FROM {quoted(layer.name)}{where}"  # noqa: S608
        name = layer.name if len(parts) == 1 else f"{layer.name}_{end}"
        convert(made, found, sql, folder / f"{name}.shp", shape + heights, "ESRI Shapefile", encoding="UTF-8")


def _columns(found: GatheredLayer) -> str:
    """The columns under names that dBASE can hold; instants as text (they would lose their time)."""
    columns = found.layer.columns
    names = unique_names(list(columns), longest=NAME_BYTES)
    items = [
        (f"CAST({quoted(name)} AS TEXT)" if kind == "datetime" else quoted(name)) + f" AS {quoted(short)}"
        for (name, kind), short in zip(columns.items(), names, strict=True)
    ]
    return ", ".join(items) or quoted(found.layer.fid)


def _require_room(made: Gathered, found: GatheredLayer) -> None:
    """Raise ``OwsError`` when the table, whose texts are all as wide as the longest, would be too large."""
    import sqlite3
    from contextlib import closing

    layer = found.layer
    texts = [name for name, kind in layer.columns.items() if kind in ("string", "list", "map", "binary")]
    longest = ", ".join(f"coalesce(max(length(CAST({quoted(name)} AS BLOB))), 0)" for name in texts) or "0"
    with closing(sqlite3.connect(made.path)) as connection:
        found_widths = connection.execute(f"SELECT {longest} FROM {quoted(layer.name)}").fetchone()  # noqa: S608
    width = sum(min(max(80, size), TEXT_BYTES) for size in found_widths) + NUMBER_BYTES * len(layer.columns)
    size = width * found.written.features
    if size > MOST_BYTES:
        raise OwsError(
            "OperationProcessingFailed",
            "The features are too many for a Shapefile: ask for fewer, or for a GeoPackage.",
            locator="outputFormat",
            status=413,
        )
    made.require_room(2 * size)
