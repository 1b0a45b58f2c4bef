"""What every data source can do, and how it is asked."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from qgserver.expression.context import Context
from qgserver.expression.nodes import Node
from qgserver.geo.crs import Crs
from qgserver.geo.extent import Extent
from qgserver.providers.batch import Batch

FieldType = Literal[
    "bool", "int", "int64", "double", "string", "date", "time", "datetime", "binary", "list", "map", "geometry"
]


@dataclass(frozen=True, slots=True)
class Field:
    """An attribute as the source declares it. ``type_name`` is the provider's own word (``int4``, ``String``);
    ``length`` 0 (of PostgreSQL -1, as QGIS has it) = no limit."""

    name: str
    type: FieldType
    type_name: str = ""
    length: int = 0
    precision: int = 0
    nullable: bool = True
    comment: str = ""
    default: str = ""


@dataclass(frozen=True, slots=True)
class Schema:
    """Columns and geometry of a source. ``geometry_type`` is QGIS's WKB name (``MultiPolygonZ``, ``NoGeometry``,
    ``Unknown``); ``key`` names the columns that make the feature id (empty = the source's own row number)."""

    fields: tuple[Field, ...]
    geometry_type: str
    crs: Crs | None
    key: tuple[str, ...] = ()

    def field(self, name: str) -> Field | None:
        """The field of exactly that name, or None."""
        return next((f for f in self.fields if f.name == name), None)


@dataclass(frozen=True, slots=True)
class OrderBy:
    """One sort key: a column of the source."""

    column: str
    ascending: bool = True
    nulls_first: bool = False


@dataclass(frozen=True, slots=True)
class Query:
    """What to read. ``columns=None`` means all. ``extent`` (layer CRS) keeps features whose box meets it.
    ``where`` is any expression over the source's columns: what cannot become SQL is evaluated on the columns with
    ``context``, so the rows that come out are exactly those for which it is true. ``simplify`` > 0 (layer units)
    allows the source to drop vertices closer than that, if it expects more than ``simplify_above`` features and can do
    it cheaply (``Batch.simplified`` says that it did). ``key_order`` asks for key order where the source's own order
    would depend on its spatial index. ``table_order``: ``limit`` and ``offset`` may count the rows of a small
    table of a database as they lie there, not by key. ``fids`` are as in ``Batch.fids``, or their text. ``first_batch``
    is small, for an answer that begins soon. ``brief``: no more than a batch is expected, so the source may ask for all
    in one go (and once more if there is more)."""

    columns: tuple[str, ...] | None = None
    geometry: bool = True
    extent: Extent | None = None
    where: Node | None = None
    fids: Sequence[int | str] | None = None
    order_by: tuple[OrderBy, ...] = ()
    limit: int | None = None
    offset: int = 0
    key_order: bool = False
    table_order: bool = False
    simplify: float = 0.0
    simplify_above: int = 0
    first_batch: int = 500
    batch_size: int = 2000
    brief: bool = False
    context: Context = Context()


class Provider(Protocol):
    """An open data source. Safe to use from several threads; every method may raise ``ProviderError``."""

    def schema(self) -> Schema:
        """Fields, geometry type, key. Asked of the source once, then remembered."""

    def extent(self) -> Extent | None:
        """Box of all features in the layer's CRS, None when there are none."""

    def count(self, query: Query) -> int:
        """How many features ``read`` would give, ``limit`` and ``offset`` included."""

    def read(self, query: Query) -> Generator[Batch, None, None]:
        """The features, in the source's order (key order) unless ``order_by`` says otherwise. The iterator holds a
        connection: close it (``contextlib.closing``) when you stop early."""

    def close(self) -> None:
        """Give everything back."""
