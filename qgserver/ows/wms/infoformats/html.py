"""text/html: tables, in QGIS Server's own markup."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from qgserver.ows.wms.infoformats import info_format
from qgserver.ows.wms.infoformats.answer import MAP_TIP, NO_DATA, Answer


@info_format("text/html")
def html(answer: Answer) -> Iterator[str]:
    """A table per layer, one inside it per feature. Values are escaped (QGIS Server's are not): data must not become
    markup. A map tip is markup by its author's will."""
    yield "<HEAD>\n<TITLE> GetFeatureInfo results </TITLE>\n"
    yield '<META http-equiv="Content-Type" content="text/html;charset=utf-8"/>\n</HEAD>\n<BODY>\n'
    for layer in answer.layers:
        yield f"<TABLE border=1 width=100%>\n<TR><TH width=25%>Layer</TH><TD>{escape(layer.name)}</TD></TR>\n</BR>"
        tips = layer.tips is not None
        for fid, row in zip(layer.fids, layer.rows(answer.precision), strict=True):
            yield f"<TABLE border=1 width=100%>\n<TR><TH>Feature</TH><TD>{escape(fid)}</TD></TR>\n"
            for place, (label, text) in enumerate(row):
                markup = tips and place == len(layer.shown) and label == MAP_TIP
                yield f"<TR><TH>{escape(label)}</TH><TD>{text if markup else escape(text)}</TD></TR>\n"
            yield "</TABLE>\n</BR>\n"
        for name, text in layer.band_texts(NO_DATA):
            yield f"<TR><TH>{escape(name)}</TH><TD>{escape(text)}</TD></TR>\n"
        yield "</TABLE>\n<BR></BR>\n"
    yield "</BODY>\n"
