"""GeoPackages (OGC 12-128r18): a layer for each type, with the ids of the features where they are numbers."""

from __future__ import annotations

from collections.abc import Iterator

from qgserver.ows.wfs.answer import Answer
from qgserver.ows.wfs.answerfile import gathered, sent
from qgserver.ows.wfs.outputformat import wfs_format


@wfs_format(
    *("gpkg", "geopackage", "application/x-sqlite3"),
    "application/geopackage sqlite3",  # a "+" that was not escaped
    mime="application/geopackage+sqlite3",
    extension=".gpkg",
)
def geopackage(answer: Answer) -> Iterator[bytes]:
    """A GeoPackage with a spatial index."""
    with gathered(answer, ids=True) as made:
        file = made.path.open("rb")
    yield from sent(file)
