"""The parameters of GetFeature and DescribeFeatureType: one row each, read into one frozen object."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, TypeVar

from qgserver.errors import OwsError
from qgserver.ows.kvp import filter_groups, groups
from qgserver.web.request import Request

T = TypeVar("T")

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


def parameter(name: str, read: Callable[[str], T], default: T, doc: str, *, vendor: bool = False, new: str = "") -> T:
    """One row of the table, as a dataclass field. ``read`` raises ``ValueError`` for what it does not understand.
    ``new`` is what WFS 2.0 calls the parameter, where the old name goes on being understood; a row with ``new`` equal
    to ``name`` is one of WFS 2.0 alone."""
    metadata = {"name": name, "read": read, "doc": doc, "vendor": vendor, "new": new}
    return field(default=default, metadata=metadata)


def text(value: str) -> str:
    """The value without surrounding blanks."""
    return value.strip()


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
        raise ValueError("must be a whole number from 0 on")
    return int(word)


def choice(*allowed: str) -> Callable[[str], str]:
    """One of a few words in any case."""

    def read(value: str) -> str:
        word = value.strip().upper()
        if word not in allowed:
            raise ValueError(f"must be one of {', '.join(allowed)}")
        return word

    return read


def bbox(value: str) -> Bbox:
    """``a,b,c,d[,crs]``; a CRS may hold commas itself."""
    parts = value.split(",", 4)
    numbers = [float(part) for part in parts[:4]]
    if len(numbers) != 4 or not all(map(math.isfinite, numbers)):
        raise ValueError("must be four numbers")
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
        "TYPENAME", names, (), "Feature types, separated by commas; in 2.0 each in brackets.", new="TYPENAMES"
    )
    output_format: str = parameter("OUTPUTFORMAT", text, "", "Format of the answer.")
    feature_ids: tuple[str, ...] = parameter(
        "FEATUREID", words, (), "Ids of features, `type.key`, by commas.", new="RESOURCEID"
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
    max_features: int | None = parameter("MAXFEATURES", count, None, "The most features to answer with.", new="COUNT")
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
    namespaces: tuple[tuple[str, str], ...] = parameter(
        "NAMESPACES", namespaces, (), "Prefixes of names: `xmlns(prefix,address)`.", new="NAMESPACES"
    )
    stored_query: str = parameter("STOREDQUERY_ID", text, "", "A stored query to carry out.", new="STOREDQUERY_ID")
    value_reference: str = parameter(
        "VALUEREFERENCE", text, "", "GetPropertyValue: the property whose values are wanted.", new="VALUEREFERENCE"
    )
    resolve: str = parameter("RESOLVE", resolve, "NONE", "`local` or `none`: answers hold no links.", new="RESOLVE")
    resolve_depth: int | None = parameter(
        "RESOLVEDEPTH", whole_or_all, None, "How far links would be followed.", new="RESOLVEDEPTH"
    )
    resolve_timeout: int = parameter(
        "RESOLVETIMEOUT", index, 0, "How many seconds following links might take.", new="RESOLVETIMEOUT"
    )


def read_parameters(params: Mapping[str, str], version: str = V2) -> Parameters:
    """The parameters out of a request's map. Empty values count as absent. Raises ``OwsError`` (locator: the name)."""
    values: dict[str, Any] = {}
    for spec in fields(Parameters):
        old, new = spec.metadata["name"], spec.metadata["new"]
        if old == new and version != V2:
            continue
        name = new if new in params and version == V2 else old
        raw = params.get(name, "")
        if raw.strip():
            try:
                values[spec.name] = _NEW_READERS.get(name, spec.metadata["read"])(raw)
            except ValueError:
                raise OwsError(
                    "InvalidParameterValue", f"{name} has the invalid value {raw[:80]!r}.", locator=name
                ) from None
    return Parameters(**values)


_NEW_READERS: Mapping[str, Callable[[str], object]] = {"TYPENAMES": groups}
"""Parameters whose new name goes with another grammar: in 2.0 ``(a)(b)`` are two queries, ``a,b`` would be a join."""


def require_version(request: Request) -> None:
    """Raise ``OwsError`` when a request by KVP does not say its VERSION: only GetCapabilities may do without (WFS 1.1.0
    clause 14.7; the OGC test suite asks for this). Documents have a default in their schema."""
    if not request.is_xml and not request.get("VERSION").strip():
        raise OwsError("MissingParameterValue", "The VERSION parameter is missing.", locator="version")


def document() -> str:
    """``docs/wfs-parameters.md``."""
    lines = [
        "# Parameters of WFS\n",
        "Names in any case; in a document they are the attributes of the same name. Where a name is given for WFS 2.0,",
        "2.0 understands both.",
        "This page is made by `qgserver.ows.wfs.params.document`.\n",
        "| parameter | | meaning |\n| --- | --- | --- |",
    ]
    for spec in fields(Parameters):
        row = spec.metadata
        new = {"": "", row["name"]: "2.0"}.get(row["new"], f"2.0: {row['new']}")
        lines.append(f"| {row['name']} | {'vendor' if row['vendor'] else new} | {row['doc']} |")
    return "\n".join(lines) + "\n"
