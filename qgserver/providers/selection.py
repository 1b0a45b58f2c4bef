"""What a source could not do by itself, done on its batches: filter, cut out a page, leave out columns."""

from __future__ import annotations

import re
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import closing

import numpy as np

from qgserver.expression.context import Context
from qgserver.expression.evaluate import select
from qgserver.expression.nodes import Node, needs_geometry, resolve_field, used_fields
from qgserver.providers.batch import Batch, take_batch
from qgserver.providers.protocol import Query

Batches = Generator[Batch, None, None]


def wanted_columns(query: Query, known: Iterable[str]) -> tuple[str, ...]:
    """The columns asked for, in the order asked; a source never has others than those ``known``."""
    names = tuple(known)
    return names if query.columns is None else tuple(name for name in query.columns if name in names)


def needed_columns(query: Query, rest: Node | None, known: Iterable[str]) -> tuple[str, ...]:
    """The columns asked for, then those that only the filter ``rest`` needs."""
    known = tuple(known)
    wanted = wanted_columns(query, known)
    if rest is None:
        return wanted
    used = used_fields(rest)
    if used is None:
        more: Iterable[str] = known
    else:
        more = (real for name in sorted(used) if (real := resolve_field(name, known)) is not None)
    return tuple(dict.fromkeys((*wanted, *more)))


def geometry_needed(query: Query, rest: Node | None) -> bool:
    """Whether geometry must be read: asked for, or used by the filter ``rest``."""
    return query.geometry or (rest is not None and needs_geometry(rest))


INT64 = range(-(2**63), 2**63)
_INTEGER = re.compile(r"-?[0-9]{1,19}")


def integer(fid: int | str) -> int | None:
    """A feature id as a 64-bit integer, None when it is none."""
    if isinstance(fid, str):
        if not _INTEGER.fullmatch(fid):
            return None
        fid = int(fid)
    return fid if fid in INT64 else None


def paged_count(total: int, query: Query) -> int:
    """How many of ``total`` features are on the page that ``limit`` and ``offset`` cut out."""
    left = max(0, total - query.offset)
    return left if query.limit is None else min(left, query.limit)


def finish(batches: Batches, query: Query, rest: Node | None, names: Sequence[str]) -> Batches:
    """The batches as the query wants them: ``rest`` of the filter, ``offset``, ``limit``, columns ``names``."""
    with closing(batches):
        kept = batches if rest is None else filtered(batches, rest, query.context)
        for batch in page(kept, query.offset, query.limit):
            yield narrowed(batch, names, query.geometry)


def filtered(batches: Iterable[Batch], where: Node, context: Context) -> Batches:
    """The features for which a filter is true."""
    for batch in batches:
        mask = select(where, batch, context)
        yield batch if mask.all() else take_batch(batch, np.flatnonzero(mask))


def page(batches: Iterable[Batch], offset: int, limit: int | None) -> Iterator[Batch]:
    """``limit`` features (None: all) after the first ``offset``; empty batches are left out."""
    skip, left = offset, limit
    for batch in batches:
        count = len(batch)
        start = min(skip, count)
        end = count if left is None else min(count, start + left)
        skip -= start
        if end > start:
            yield batch if (start, end) == (0, count) else take_batch(batch, np.arange(start, end))
        if left is not None:
            left -= end - start
            if left <= 0:
                return


def narrowed(batch: Batch, names: Sequence[str], geometry: bool) -> Batch:
    """The batch with no more than those columns, and without geometry unless asked for."""
    if tuple(batch.columns) == tuple(names) and (geometry or batch.geometry is None):
        return batch
    return Batch(batch.fids, {n: batch.columns[n] for n in names}, batch.geometry if geometry else None)
