"""The box of a GeoPackage's layer in ``gpkg_contents``, kept while features come and go."""

from __future__ import annotations

import json
from collections.abc import Sequence

from qgserver.providers.gpkgblob import Box, box
from qgserver.providers.gpkgschema import Relation, contents_extent
from qgserver.providers.sqlitefile import Reader, quoted

_WRITE = (
    "UPDATE gpkg_contents SET last_change = strftime('%Y-%m-%dT%H:%M:%fZ', 'now'),"
    " min_x = ?, min_y = ?, max_x = ?, max_y = ? WHERE lower(table_name) = lower(?)"
)


class LayerExtent:
    """What comes makes the box larger. What leaves makes it smaller only if it lay on its border: then it is asked anew
    of the spatial index (whose numbers are rounded outwards), as GDAL does."""

    def __init__(self, reader: Reader, name: str, relation: Relation) -> None:
        self._reader = reader
        self._name = name
        self._relation = relation
        self._grown: Box | None = None
        self._stale = False

    def coming(self, blob: bytes | None) -> None:
        """A geometry is written."""
        found = box(blob)
        if found is not None:
            self._grown = found if self._grown is None else _union(self._grown, found)

    def leaving(self, fids: Sequence[int | str]) -> None:
        """The geometries of these features are about to go."""
        if self._stale or not self._relation.geometry:
            return
        shape = quoted(self._relation.geometry)
        rows = self._reader.all(
            f"SELECT min(ST_MinX({shape})), min(ST_MinY({shape})), max(ST_MaxX({shape})), max(ST_MaxY({shape}))"  # noqa: S608
            f" FROM {self._relation.table} WHERE {quoted(self._relation.fid)} IN (SELECT value FROM json_each(?))",
            (json.dumps([int(fid) for fid in fids]),),
        )
        known = self._known()
        left = rows[0]
        if known is None or None in left:
            return
        self._stale = left[0] <= known[0] or left[1] <= known[1] or left[2] >= known[2] or left[3] >= known[3]

    def write(self) -> None:
        """Put the box and the time of the change into the file."""
        known = self._known()
        if self._relation.geometry and (self._stale or known is None):
            known = self._measured()
        elif known is not None and self._grown is not None:
            known = _union(known, self._grown)
        self._reader.all(_WRITE, (*(known or (None,) * 4), self._name))

    def _known(self) -> Box | None:
        extent = contents_extent(self._reader, self._name)
        known = None if extent is None else extent.as_tuple()
        return known if known is None or self._grown is None else _union(known, self._grown)

    def _measured(self) -> Box | None:
        relation = self._relation
        if relation.index:
            items, table = "min(minx), min(miny), max(maxx), max(maxy)", quoted(relation.index)
        else:
            shape = quoted(relation.geometry)
            items = f"min(ST_MinX({shape})), min(ST_MinY({shape})), max(ST_MaxX({shape})), max(ST_MaxY({shape}))"
            table = relation.table
        xmin, ymin, xmax, ymax = self._reader.all(f"SELECT {items} FROM {table}")[0]  # noqa: S608
        return None if xmin is None else (xmin, ymin, xmax, ymax)


def _union(a: Box, b: Box) -> Box:
    return min(a[0], b[0]), min(a[1], b[1]), max(a[2], b[2]), max(a[3], b[3])
