"""From what a client asks of one type to what is asked of its source."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

import shapely

from qgserver.errors import OwsError
from qgserver.expression.context import Context
from qgserver.expression.nodes import Call, Literal, Node, all_of
from qgserver.geo.crs import Crs
from qgserver.geo.extent import Extent
from qgserver.geo.transform import Transform, get_transform
from qgserver.ows import fes
from qgserver.ows.closedworld import checked, read_expression
from qgserver.ows.crs import find_crs, read_swapped
from qgserver.ows.names import GEOMETRY, key_of
from qgserver.ows.wfs.featuretype import FeatureType, Property, geometry_type, is_multi, properties
from qgserver.ows.wfs.params import V2, Bbox, SortKey
from qgserver.ows.wfs.query import Query
from qgserver.providers import protocol


@dataclass(frozen=True, slots=True)
class Selection:
    """One type with its source opened. ``source`` is the question to the provider, without limit and offset, None when
    no feature can match; ``properties`` are those to write, in order; ``crs`` is that of the answer (None for a layer
    without geometry), ``srs_name`` what the client called it, ``transform`` leads there from the layer's.
    ``shape`` is QGIS's name of the type of the geometries wanted, "" when none are."""

    type: FeatureType
    provider: protocol.Provider
    source: protocol.Query | None
    properties: tuple[Property, ...]
    crs: Crs | None
    srs_name: str = ""
    transform: Transform | None = None
    shape: str = ""

    @property
    def multi(self) -> bool:
        """Single geometries are to be written as multi ones."""
        return is_multi(self.shape)


def select(
    query: Query,
    kind: FeatureType,
    provider: protocol.Provider,
    context: Context,
    fixed_crs: str = "",
    known: Collection[str] = (),
) -> Selection:
    """The selection a query means. ``context`` is what the layer's own expressions (virtual fields) are evaluated in;
    ``fixed_crs`` the CRS that the output format insists on, "" = none; ``known`` the names of all types, for ids that
    must not be of another one (WFS 2.0). Raises ``OwsError`` for unknown properties and whatever is wrong with the
    filters."""
    schema = provider.schema()
    published = properties(kind.layer, schema)
    hides = len(published) < len(schema.fields)
    wanted, with_geometry = _wanted(query.properties, published, mandatory=query.version == V2)
    has_geometry = kind.layer.has_geometry
    layer_crs = kind.layer.crs if has_geometry else None
    conditions: list[Node] = []
    extent: Extent | None = None
    fids = query.fids
    possible = True
    srs_given = _srs_given(query, layer_crs)
    if query.filter is not None:
        key = _key_reader(kind, query.version)
        scope = fes.Scope(published, _geometry_names(kind), layer_crs, srs_given, key, kind.name)
        found = fes.read_filter(query.filter, scope)
        extent, fids = found.extent, found.fids if found.fids is not None else fids
        if found.where is not None:
            conditions.append(checked(found.where, published, hides=hides, locator="filter"))
    if query.bbox is not None:
        extent = _bbox_extent(query.bbox, srs_given, layer_crs)
        possible = has_geometry
        if not schema.geometry_type.startswith("Point"):  # the box of a point is the point
            conditions.append(Call("intersects", (Call("$geometry"), Literal(shapely.box(*extent.as_tuple())))))
    if query.expression:
        conditions.append(read_expression(query.expression, published, hides=hides, locator="EXP_FILTER"))
    keys = None if fids is None else _keys(fids, _key_reader(kind, query.version), known)
    source = protocol.Query(
        columns=tuple(item.field for item in wanted),
        geometry=with_geometry and has_geometry,
        extent=extent,
        where=all_of(conditions),
        fids=keys,
        order_by=_order(query.sort_by, published),
        # Measured: QGIS counts MAXFEATURES and STARTINDEX over the rows as they lie in their table.
        table_order=query.version != V2,
        context=context.for_clients(),
    )
    srs_name = fixed_crs or query.srs_name
    crs = find_crs(srs_name, "SRSNAME") if srs_name and has_geometry else layer_crs
    return Selection(
        kind,
        provider,
        source if possible and keys != [] else None,
        wanted,
        crs,
        srs_name,
        get_transform(layer_crs, crs),
        geometry_type(kind.layer, schema) or "Unknown" if with_geometry and has_geometry else "",
    )


def _srs_given(query: Query, layer_crs: Crs | None) -> str:
    """The CRS of coordinates without the name of one: SRSNAME, in WFS 2.0 else that of the capabilities, which is a
    URN."""
    return query.srs_name or (layer_crs.urn if query.version == V2 and layer_crs is not None else "")


def _bbox_extent(bbox: Bbox, srs_name: str, layer_crs: Crs | None) -> Extent:
    """The box of a request in the layer's CRS. Its own CRS is the one behind it, else SRSNAME, else the layer's."""
    name = bbox.crs or srs_name
    crs = find_crs(name, "BBOX") if name else layer_crs
    a, b, c, d = bbox.numbers
    if read_swapped(name, crs):
        a, b, c, d = b, a, d, c
    extent = Extent(min(a, c), min(b, d), max(a, c), max(b, d))  # QGIS takes any two opposite corners
    transform = get_transform(crs, layer_crs)
    moved = extent if transform is None else transform.extent(extent)
    if moved is None:
        raise OwsError("InvalidParameterValue", "BBOX lies outside the layer's CRS.", locator="BBOX")
    return moved


def _geometry_names(kind: FeatureType) -> frozenset[str]:
    return frozenset((GEOMETRY, kind.layer.source.geometry_column or GEOMETRY))


def _wanted(
    names: Sequence[str] | None, published: Sequence[Property], *, mandatory: bool
) -> tuple[tuple[Property, ...], bool]:
    """The properties to write and whether geometry is among them. A property is known by its XML name and by that of
    its field. ``mandatory``: those that no feature may lack come too (WFS 2.0 clause 7.9.2.4.6)."""
    if names is None:
        return tuple(published), True
    by_name = {item.field: item for item in published} | {item.name: item for item in published}
    unknown = [name for name in names if name not in by_name and name != GEOMETRY]
    if unknown:
        raise OwsError("InvalidParameterValue", f"There is no property {unknown[0][:80]}.", locator="propertyname")
    found = dict.fromkeys(by_name[name] for name in names if name in by_name)
    if mandatory:
        found |= dict.fromkeys(item for item in published if not item.nillable)
        found = dict.fromkeys(item for item in published if item in found)  # as the schema has them
    return tuple(found), GEOMETRY in names


def _keys(fids: Sequence[str], key: Callable[[str], str], known: Collection[str]) -> list[int | str]:
    """The keys of ids that belong to the type. Raises ``OwsError`` for one of another type that is ``known`` (WFS 2.0
    clause 7.9.2.4.1)."""
    found = {fid: key(fid) for fid in fids}
    for fid, part in found.items():
        if not part and any(fid.startswith(f"{name}.") for name in known):
            raise OwsError("InvalidParameterValue", f"The feature {fid[:80]} is of another type.", locator="RESOURCEID")
    return list(dict.fromkeys(part for part in found.values() if part))


def _key_reader(kind: FeatureType, version: str) -> Callable[[str], str]:
    """The function that gives the key of an id, "" for one of another type."""
    starts = tuple(dict.fromkeys((f"{kind.name}.", f"{kind.alias}.")))

    def read(fid: str) -> str:
        key = next((fid[len(start) :] for start in starts if fid.startswith(start)), "")
        return key_of(key) if version == V2 else key

    return read


def _order(keys: Sequence[SortKey], published: Sequence[Property]) -> tuple[protocol.OrderBy, ...]:
    by_name = {item.field: item for item in published} | {item.name: item for item in published}
    out = []
    for key in keys:
        item = by_name.get(key.property)
        if item is None:
            raise OwsError("InvalidParameterValue", f"There is no property {key.property[:80]}.", locator="sortby")
        # Measured: NULL comes last with ASC, first with DESC.
        out.append(protocol.OrderBy(item.field, key.ascending, nulls_first=not key.ascending))
    return tuple(out)
