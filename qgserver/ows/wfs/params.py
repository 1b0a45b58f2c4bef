"""The table of the parameters of GetFeature and DescribeFeatureType, read into one frozen object."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import Field, dataclass, field, fields
from typing import Any, TypeVar

from qgserver.errors import OwsError
from qgserver.ows.kvp import filter_groups, groups
from qgserver.ows.parameters import Parameter, number, page, text
from qgserver.web.request import Request

T = TypeVar("T")
Named = tuple[str, Callable[[str], T]]
"""A name and how values are read."""

V2 = "2.0.0"

_WHOLE = re.compile(r"\+?[0-9]{1,18}")  # what a database takes as LIMIT


@dataclass(frozen=True, slots=True)
class SortKey:
    """One key of SORTBY."""

    property: str
    ascending: bool = True


@dataclass(frozen=True, slots=True)
class Bbox:
    """BBOX as sent: four numbers in the order written, and the CRS behind them ("" = none)."""

    numbers: tuple[float, float, float, float]
    crs: str = ""


@dataclass(frozen=True, slots=True)
class _Rows:
    """The rows of a parameter: ``newer`` is its name in WFS 2.0, where the older one goes on being understood."""

    older: Parameter[Any] | None
    newer: Parameter[Any] | None

    def rows(self, version: str) -> tuple[Parameter[Any], ...]:
        """Those that a version understands, the one that counts first."""
        known = (self.newer if version == V2 else None, self.older)
        return tuple(row for row in known if row is not None)


def parameter(
    name: str, read: Callable[[str], T], default: T, doc: str, *, vendor: bool = False, newer: Named[T] | None = None
) -> T:
    """A parameter as a dataclass field. ``newer``: what WFS 2.0 calls it, and reads it by."""
    older = Parameter((name,), read, default, doc, "vendor" if vendor else "")
    renamed = None if newer is None else Parameter((newer[0],), newer[1], default, f"{name} in WFS 2.0. {doc}", "2.0")
    return field(default=default, metadata={"rows": _Rows(older, renamed)})


def parameter_of_2(name: str, read: Callable[[str], T], default: T, doc: str) -> T:
    """A parameter that WFS 2.0 alone has, as a dataclass field."""
    return field(default=default, metadata={"rows": _Rows(None, Parameter((name,), read, default, doc, "2.0"))})


def words(value: str) -> tuple[str, ...]:
    """A list by commas, empty items dropped."""
    return tuple(item.strip() for item in value.split(",") if item.strip())


def names(value: str) -> tuple[str, ...]:
    """Type names: ``a,b``, or WFS 2.0's ``(a)(b)``."""
    return tuple(name for group in groups(value) for name in words(group))


def resolve(value: str) -> str:
    """What links are to be followed. There are none in our answers, so that none and local ones come to the same."""
    return choice("NONE", "LOCAL")(value)


def whole_or_all(value: str) -> int | None:
    """A number of levels, ``*`` for all."""
    return None if value.strip() == "*" else index(value)


_XMLNS = re.compile(r"xmlns\(\s*(?:([^(),=\s]*)\s*[,=]\s*)?([^()\s]*)\s*\)")


def namespaces(value: str) -> tuple[tuple[str, str], ...]:
    """Prefixes and addresses of ``xmlns(prefix,address),xmlns(address)``; "" is the prefix of names without one."""
    return tuple(_XMLNS.findall(value))


def count(value: str) -> int | None:
    """A number of features; -1 is QGIS's word for all."""
    return None if value.strip() == "-1" else index(value)


def index(value: str) -> int:
    """A position, from 0 on."""
    word = value.strip()
    if not _WHOLE.fullmatch(word):
        raise ValueError("it must be a whole number from 0 on")
    return int(word)


def choice(*allowed: str) -> Callable[[str], str]:
    """One of a few words in any case."""

    def read(value: str) -> str:
        word = value.strip().upper()
        if word not in allowed:
            raise ValueError(f"it must be one of {', '.join(allowed)}")
        return word

    return read


def bbox(value: str) -> Bbox:
    """``a,b,c,d[,crs]``; a CRS may hold commas itself."""
    parts = value.split(",", 4)
    numbers = [number(part) for part in parts[:4]]
    if len(numbers) != 4:
        raise ValueError("it must be four numbers")
    return Bbox((numbers[0], numbers[1], numbers[2], numbers[3]), parts[4].strip() if len(parts) > 4 else "")


_DIRECTIONS = {"": True, "A": True, "ASC": True, "D": False, "DESC": False}


def sort_keys(value: str) -> tuple[SortKey, ...]:
    """``name``, ``name A``, ``name DESC`` and so on by commas; a ``+`` counts as a blank."""
    keys = []
    for item in words(value.replace("+", " ").strip("()")):
        name, _, direction = item.rpartition(" ")
        if not name or direction.upper() not in _DIRECTIONS:
            name, direction = item, ""
        keys.append(SortKey(name.strip(), _DIRECTIONS[direction.upper()]))
    return tuple(keys)


@dataclass(frozen=True, slots=True)
class Parameters:
    """What GetFeature (and, of these, DescribeFeatureType) is asked by KVP, or by the attributes of a document."""

    type_names: tuple[str, ...] = parameter(
        "TYPENAME",
        names,
        (),
        "Types, by commas (before 2.0) or each in brackets.",
        newer=("TYPENAMES", groups),
    )
    output_format: str = parameter("OUTPUTFORMAT", text, "", "Format of the answer.")
    feature_ids: tuple[str, ...] = parameter(
        "FEATUREID", words, (), "Ids of features, `type.key`, by commas.", newer=("RESOURCEID", words)
    )
    filters: tuple[str, ...] = parameter(
        "FILTER", filter_groups, (), "OGC filter; for several types one in brackets each."
    )
    bbox: Bbox | None = parameter("BBOX", bbox, None, "Box that the features intersect: four numbers[,CRS].")
    property_names: tuple[str, ...] = parameter(
        "PROPERTYNAME", groups, (), "Properties wanted, by commas; `*` for all; for several types in brackets each."
    )
    srs_name: str = parameter("SRSNAME", text, "", "CRS of the answer.")
    sort_by: tuple[SortKey, ...] = parameter("SORTBY", sort_keys, (), "Properties to sort by, each with `A` or `D`.")
    max_features: int | None = parameter(
        "MAXFEATURES", count, None, "The most features to answer with.", newer=("COUNT", count)
    )
    start_index: int = parameter(
        "STARTINDEX", index, 0, "How many features to pass over first (before 2.0 a vendor's parameter).", vendor=True
    )
    result_type: str = parameter("RESULTTYPE", choice("RESULTS", "HITS"), "RESULTS", "`hits`: only their number.")
    expression: str = parameter(
        "EXP_FILTER", text, "", "A filter as a QGIS expression; for several types in brackets each.", vendor=True
    )
    geometry_name: str = parameter(
        "GEOMETRYNAME",
        choice("NONE", "EXTENT", "CENTROID", "GEOMETRY"),
        "GEOMETRY",
        "`NONE`, `EXTENT` or `CENTROID` instead of the geometry.",
        vendor=True,
    )
    namespaces: tuple[tuple[str, str], ...] = parameter_of_2(
        "NAMESPACES", namespaces, (), "Prefixes of names: `xmlns(prefix,address)`."
    )
    stored_query: str = parameter_of_2("STOREDQUERY_ID", text, "", "A stored query to carry out.")
    value_reference: str = parameter_of_2(
        "VALUEREFERENCE", text, "", "GetPropertyValue: the property whose values are wanted."
    )
    resolve: str = parameter_of_2("RESOLVE", resolve, "NONE", "`local` or `none`: answers hold no links.")
    resolve_depth: int | None = parameter_of_2("RESOLVEDEPTH", whole_or_all, None, "How far links would be followed.")
    resolve_timeout: int = parameter_of_2("RESOLVETIMEOUT", index, 0, "How many seconds following links might take.")


def read_parameters(params: Mapping[str, str], version: str = V2) -> Parameters:
    """The parameters out of a request's map. Empty values count as absent. Raises ``OwsError`` (locator: the name)."""
    values: dict[str, object] = {}
    for spec in fields(Parameters):
        sent = (row for row in _rows(spec).rows(version) if row.text(params))
        if (row := next(sent, None)) is not None:
            values[spec.name] = row.of(params)
    return Parameters(**values)  # type: ignore[arg-type]


def _rows(spec: Field[Any]) -> _Rows:
    rows: _Rows = spec.metadata["rows"]
    return rows


def require_version(request: Request) -> None:
    """Raise ``OwsError`` when a request by KVP does not say its VERSION: only GetCapabilities may do without (WFS 1.1.0
    clause 14.7; the OGC test suite asks for this). Documents have a default in their schema."""
    if not request.is_xml and not request.get("VERSION").strip():
        raise OwsError("MissingParameterValue", "The VERSION parameter is missing.", locator="version")


def document() -> str:
    """``docs/wfs-parameters.md``."""
    notes = "In a document they are the attributes of the same name. WFS 2.0 understands older names too.\n"
    rows = (row for spec in fields(Parameters) for row in reversed(_rows(spec).rows(V2)))
    return page("WFS", __name__, notes, rows)
