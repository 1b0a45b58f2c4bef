"""What a GetFeature answer is made of, once everything is settled: handed from ``getfeature`` to ``formats``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from qgserver.geo.crs import Crs
from qgserver.geo.extent import Extent
from qgserver.geo.geometry import GeometryArray
from qgserver.ows.wfs.featuretype import FeatureType, Property
from qgserver.providers.batch import Batch


@dataclass(frozen=True, slots=True)
class Frame:
    """How coordinates are to be written: their CRS (None = unknown), the name the client gave it ("" = none), and the
    number of decimals."""

    crs: Crs | None = None
    srs_name: str = ""
    precision: int = 6


@dataclass(frozen=True, slots=True)
class Member:
    """One type of an answer. ``properties`` in the order to write; ``multi``: the layer is declared multi. ``shape`` is
    QGIS's name of the type of the geometries written (``MultiPolygonZ``, ``Unknown``), "" when none are. ``query`` is
    the number of the query that asked for it, from 0 on."""

    type: FeatureType
    properties: tuple[Property, ...]
    frame: Frame = Frame()
    multi: bool = False
    shape: str = ""
    query: int = 0


@dataclass(frozen=True, slots=True)
class Features:
    """A batch to write, never empty: ``batch.geometry`` is in the CRS of the answer and may stand for the ``real`` one
    (GEOMETRYNAME), which ``gml:boundedBy`` goes around; both None when no geometry is wanted."""

    member: Member
    batch: Batch
    real: GeometryArray | None


@dataclass(frozen=True, slots=True)
class Total:
    """How many features meet a query, and how many of them are in the answer (its page)."""

    matched: int
    returned: int


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer. ``features`` are read while they are written, type after type. ``count`` is the number of
    features when only that was asked (hits). ``box`` holds all features, x before y, to be written in ``frame``; None
    when there is none (no geometry, or no features). ``members`` are those of ``features`` and those that turn out to
    have none; ``max_file_bytes`` is what a format may keep on the disk while it makes a file (0 = any). ``totals`` are
    those of each query, for formats that are ``counted``; ``next`` and ``previous`` the addresses of other pages, ""
    when there are none. ``single``: the one feature is wanted by itself, not in a collection."""

    service_url: str
    type_names: tuple[str, ...]
    features: Iterator[Features] = iter(())
    count: int | None = None
    box: Extent | None = None
    frame: Frame = Frame()
    members: tuple[Member, ...] = ()
    max_file_bytes: int = 0
    totals: tuple[Total, ...] = ()
    next: str = ""
    previous: str = ""
    single: bool = False
