"""Data source texts of a project (``<datasource>``), taken apart per provider."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class DataSource:
    """One data source: ``provider`` is QGIS's key (``postgres``, ``ogr``, ``memory``, ...).

    ``path`` is an absolute file path, or "" for databases; ``params`` the connection or option values as written
    (``host``, ``dbname``, ``layername``, ...; passwords too: never log this object, use ``str()``, which hides them);
    ``schema``, ``table``, ``geometry_column``, ``key``, ``subset``, ``srid``, ``geometry_type`` what the text says.
    ``query`` is the inner SELECT of a query layer.
    """

    provider: str
    path: str = ""
    params: Mapping[str, str] = field(default_factory=dict, repr=False)
    schema: str = ""
    table: str = ""
    query: str = field(default="", repr=False)
    geometry_column: str = ""
    key: tuple[str, ...] = ()
    subset: str = ""
    srid: int = 0
    geometry_type: str = ""
    encoding: str = ""
    estimated_metadata: bool = False
