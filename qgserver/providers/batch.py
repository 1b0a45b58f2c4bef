"""What flows from providers to everything else: batches of columns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qgserver.geo.geometry import GeometryArray


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
    in the order asked, and geometry (None when not asked for or the layer has none)."""

    fids: NDArray[Any]
    columns: Mapping[str, Column]
    geometry: GeometryArray | None

    def __len__(self) -> int:
        return len(self.fids)
