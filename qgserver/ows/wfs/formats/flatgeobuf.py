"""FlatGeobuf: one type, its features in the order of their spatial index."""

from __future__ import annotations

from collections.abc import Iterator

from qgserver.ows.wfs.answer import Answer
from qgserver.ows.wfs.answerfile import convert, gathered, sent, single
from qgserver.ows.wfs.outputformat import wfs_format
from qgserver.providers.gpkgnew import NAMES
from qgserver.providers.sqlitefile import quoted

MOST_INDEXED = 1_000_000
"""GDAL keeps the boxes of all features in memory to make the index: files of more do without."""


@wfs_format("fgb", "flatgeobuf", mime="application/flatgeobuf", extension=".fgb")
def flatgeobuf(answer: Answer) -> Iterator[bytes]:
    """A FlatGeobuf file, with a spatial index unless features without geometry or their number forbid it."""
    with gathered(answer, ids=False) as made:
        found = single(made, "A FlatGeobuf file")
        layer, written = found.layer, found.written
        names = [*([layer.geometry] if layer.geometry else ()), *layer.columns] or [layer.fid]
        made.require_room(made.path.stat().st_size)
        shape = NAMES[layer.kind] if layer.kind and written.kinds <= {layer.kind} else "Unknown"
        indexed = bool(layer.geometry) and written.features <= MOST_INDEXED and 0 not in written.kinds
        heights = " Z" if written.heights and shape != "Unknown" else ""
        target = made.folder / f"{layer.name}.fgb"
        convert(
            made,
            found,
            f"SELECT {', '.join(map(quoted, names))} FROM {quoted(layer.name)}",  # noqa: S608
            target,
            shape + heights if layer.geometry else "",
            "FlatGeobuf",
            SPATIAL_INDEX="YES" if indexed and written.features else "NO",
        )
        file = target.open("rb")
    yield from sent(file)
