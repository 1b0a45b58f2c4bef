"""Layers whose file is not there, for servers that are told to ignore bad layers: QGIS publishes such a layer as it is
in the project, without fields and features (measured)."""

from __future__ import annotations

from qgserver.geo.crs import Crs
from qgserver.geo.extent import Extent
from qgserver.providers.protocol import Query, Schema
from qgserver.providers.selection import Batches


class AbsentProvider:
    """A layer of which nothing is left but what its project says."""

    def __init__(self, crs: Crs | None, geometry_type: str = "Unknown") -> None:
        self._schema = Schema((), geometry_type, crs)

    def schema(self) -> Schema:
        """See ``Provider``."""
        return self._schema

    def extent(self) -> Extent | None:
        """See ``Provider``."""
        return None

    def count(self, query: Query) -> int:
        """See ``Provider``."""
        return 0

    def read(self, query: Query) -> Batches:
        """See ``Provider``."""
        yield from ()

    def close(self) -> None:
        """See ``Provider``."""
