"""What flows from providers to everything else: batches of columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qgserver.geo.geometry import GeometryArray
from qgserver.geo.wkb import concat as concat_geometries
from qgserver.geo.wkb import take as take_geometry


@dataclass(frozen=True, slots=True)
class Column:
    """One attribute of n features.

    ``values``: int32, int64, float64, bool, ``datetime64[D]``/``datetime64[ms]``, or object (str, bytes,
    ``datetime.time``, list, dict). Where ``nulls`` is True the value is meaningless (0, NaT, "" or None).
    ``nulls`` is None when nothing is null.
    """

    values: NDArray[Any]
    nulls: NDArray[np.bool_] | None = None

    def __len__(self) -> int:
        return len(self.values)


@dataclass(frozen=True, slots=True)
class Batch:
    """n features: ``fids`` (int64, or object of str ``"a@@b"`` for text and composite keys), the columns asked for
    in the order asked, and geometry (None when not asked for or the layer has none). ``simplified``: the source has
    dropped vertices as ``Query.simplify`` allowed."""

    fids: NDArray[Any]
    columns: Mapping[str, Column]
    geometry: GeometryArray | None
    simplified: bool = False

    def __len__(self) -> int:
        return len(self.fids)


def take_batch(batch: Batch, rows: NDArray[Any]) -> Batch:
    """The features of these numbers (or of this mask), in this order."""
    indices = np.flatnonzero(rows) if rows.dtype == np.bool_ else rows
    columns = {
        name: Column(column.values[indices], None if column.nulls is None else column.nulls[indices])
        for name, column in batch.columns.items()
    }
    geometry = None if batch.geometry is None else take_geometry(batch.geometry, indices)
    return Batch(batch.fids[indices], columns, geometry, batch.simplified)


def concat_batches(batches: Sequence[Batch]) -> Batch:
    """All features of one or more batches of the same columns as one batch."""
    if len(batches) == 1:
        return batches[0]
    columns = {name: _concat_columns([batch.columns[name] for batch in batches]) for name in batches[0].columns}
    pieces = [batch.geometry for batch in batches if batch.geometry is not None]
    geometry = concat_geometries(pieces) if len(pieces) == len(batches) else None
    return Batch(np.concatenate([batch.fids for batch in batches]), columns, geometry, batches[0].simplified)


def _concat_columns(columns: Sequence[Column]) -> Column:
    values = np.concatenate([column.values for column in columns])
    if all(column.nulls is None for column in columns):
        return Column(values)
    masks = [np.zeros(len(c), dtype=np.bool_) if c.nulls is None else c.nulls for c in columns]
    return Column(values, np.concatenate(masks))
