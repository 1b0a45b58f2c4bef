"""Feature collections of WFS 2.0, in GML 3.2.1."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

import numpy as np

from qgserver.ows.gml import box_texts
from qgserver.ows.wfs.answer import Answer, Features, Total
from qgserver.ows.wfs.gmlfeatures import GML32, collection_attributes, feature_writer, style_of, timestamp
from qgserver.ows.wfs.outputformat import wfs_format

_AROUND = ("<wfs:member>\n", "</wfs:member>\n")
_END = b"</wfs:FeatureCollection>\n"


@wfs_format(
    "GML32",
    "text/xml; subtype=gml/3.2",
    "text/xml; subtype=gml/3.2.1",
    "application/gml+xml; version=3.2.1",
    mime="application/gml+xml; version=3.2",
    versions=("2.0.0",),
    counted=True,
)
def gml32(answer: Answer) -> Iterator[bytes]:
    """A ``wfs:FeatureCollection`` of WFS 2.0: one for each query inside when there are several (clause 11.3.3); the
    feature alone for ``GetFeatureById``."""
    if answer.single and answer.count is None:
        return _single(answer)
    if len(answer.totals) > 1 and answer.count is None:
        return _nested(answer)
    return _plain(answer)


def _start(answer: Answer, total: Total) -> bytes:
    links = [(name, link) for name, link in (("next", answer.next), ("previous", answer.previous)) if link]
    return f"<wfs:FeatureCollection{collection_attributes(answer, total, links)}>\n".encode()


def _whole(answer: Answer) -> Total:
    returned = 0 if answer.count is not None else sum(total.returned for total in answer.totals)
    return Total(sum(total.matched for total in answer.totals), returned)


def _plain(answer: Answer) -> Iterator[bytes]:
    waiting = _start(answer, _whole(answer)) + _bounded(answer)
    for _, batches in groupby(answer.features, lambda features: features.member):
        for text in _members(batches):
            # The head goes out with the first features: a source that fails at once still makes an exception.
            yield waiting + text
            waiting = b""
    yield waiting + _END


def _members(batches: Iterator[Features]) -> Iterator[bytes]:
    write = None
    for features in batches:
        write = write or feature_writer(features.member, GML32, _AROUND)
        yield write(features)


def _nested(answer: Answer) -> Iterator[bytes]:
    waiting = _start(answer, _whole(answer)) + _bounded(answer)
    opened = -1
    for number, batches in groupby(answer.features, lambda features: features.member.query):
        waiting += _between(answer, opened, number)
        opened = number
        for text in _members(batches):
            yield waiting + text
            waiting = b""
    yield waiting + _between(answer, opened, len(answer.totals)) + _END


def _between(answer: Answer, opened: int, number: int) -> bytes:
    """The end of one query's collection (-1 = none), those of queries without features, and the start of the next."""
    end = _END + b"</wfs:member>\n"
    out = end if opened >= 0 else b""
    for at in range(opened + 1, min(number + 1, len(answer.totals))):
        total, now = answer.totals[at], timestamp()
        counts = f'timeStamp="{now}" numberMatched="{total.matched}" numberReturned="{total.returned}"'
        out += f"<wfs:member>\n<wfs:FeatureCollection {counts}>\n".encode() + (end if at < number else b"")
    return out


def _single(answer: Answer) -> Iterator[bytes]:
    for features in answer.features:
        yield feature_writer(features.member, GML32, ("", ""), collection_attributes(answer, None))(features)


def _bounded(answer: Answer) -> bytes:
    if answer.box is None:
        return b""
    style = style_of(answer.frame, GML32)
    return b"<wfs:boundedBy>" + box_texts(np.array([answer.box.as_tuple()]), style)[0] + b"</wfs:boundedBy>\n"
