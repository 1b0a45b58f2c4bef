"""text/plain."""

from __future__ import annotations

from collections.abc import Iterator

from qgserver.ows.wms.infoformats import info_format
from qgserver.ows.wms.infoformats.answer import NO_DATA, Answer


@info_format("text/plain")
def plain(answer: Answer) -> Iterator[str]:
    """``name = 'value'`` lines, a blank line behind each layer."""
    yield "GetFeatureInfo results\n\n"
    for layer in answer.layers:
        yield f"Layer '{layer.name}'\n"
        for fid, row in zip(layer.fids, layer.rows(answer.precision), strict=True):
            yield f"Feature {fid}\n"
            yield from (f"{label} = '{text}'\n" for label, text in row)
        yield from (f"{name} = '{text}'\n" for name, text in layer.band_texts(NO_DATA))
        yield "\n"
