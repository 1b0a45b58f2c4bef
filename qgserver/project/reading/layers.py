"""``<projectlayers>``: each ``<maplayer>`` by its kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypedDict

from qgserver.geo.crs import Crs
from qgserver.geo.extent import Extent
from qgserver.project.model import (
    Dimension,
    Layer,
    Link,
    OptionValue,
    OtherLayer,
    RasterLayer,
    Temporal,
    VectorLayer,
)
from qgserver.project.reading.context import Context
from qgserver.project.reading.crs import read_crs
from qgserver.project.reading.elements import Element, extent, flag, integer, text
from qgserver.project.reading.fields import read_fields, read_joins, read_virtual_fields
from qgserver.project.reading.form import read_form
from qgserver.project.reading.options import custom_properties, variables
from qgserver.project.reading.styles import read_raster_style, read_vector_style, style_elements
from qgserver.providers.uri import DataSource, geometry_type_name, parse_datasource


class _Common(TypedDict):
    """The arguments that all kinds of layers share."""

    id: str
    name: str
    published: str
    source: DataSource
    crs: Crs | None
    short_name: str
    title: str
    abstract: str
    keywords: tuple[str, ...]
    extent: Extent | None
    wgs84_extent: Extent | None
    data_url: Link | None
    legend_url: Link | None
    attribution: Link | None
    metadata_urls: tuple[Link, ...]
    identifiable: bool
    searchable: bool
    private: bool
    read_only: bool
    variables: Mapping[str, str]
    custom_properties: Mapping[str, OptionValue]
    temporal: Temporal | None


def read_layers(root: Element, context: Context) -> dict[str, Layer]:
    """All layers by id, in file order. Layers embedded from other projects are not among them."""
    layers = (
        read_layer(element, context)
        for element in root.iterfind("projectlayers/maplayer")
        if not flag(element.get("embedded"))
    )
    return {layer.id: layer for layer in layers}


def read_layer(element: Element, context: Context) -> Layer:
    """One ``<maplayer>``."""
    kind = element.get("type", "vector")
    return _KINDS.get(kind, _read_other)(element, context)


def _read_common(element: Element, context: Context) -> _Common:
    layer_id, name, short_name = (text(element, tag) for tag in ("id", "layername", "shortname"))
    flags = element.find("flags")
    properties = custom_properties(element)
    provider = element.find("provider")
    return _Common(
        id=layer_id,
        name=name,
        published=context.published_name(layer_id, name, short_name),
        source=parse_datasource(
            "" if provider is None else provider.text or "",
            text(element, "datasource"),
            context.folder,
            "" if provider is None else provider.get("encoding", ""),
        ),
        crs=read_crs(element.find("srs")),
        short_name=short_name,
        title=text(element, "title"),
        abstract=text(element, "abstract"),
        keywords=_keywords(element),
        extent=extent(element.find("extent")),
        wgs84_extent=extent(element.find("wgs84extent")),
        data_url=_link(element, "dataUrl"),
        legend_url=_link(element, "legendUrl"),
        attribution=_attribution(element),
        metadata_urls=_metadata_urls(element),
        identifiable=flag(_flag_text(flags, "Identifiable"), True) and layer_id not in context.not_identifiable,
        searchable=flag(_flag_text(flags, "Searchable"), True),
        private=flag(_flag_text(flags, "Private")),
        read_only=flag(element.get("readOnly")),
        variables=variables(properties),
        custom_properties=properties,
        temporal=_temporal(element.find("temporal")),
    )


def _read_vector(element: Element, context: Context) -> VectorLayer:
    common = _read_common(element, context)
    current, styles = style_elements(element)
    return VectorLayer(
        **common,
        geometry_type=_geometry_type(element, common["source"]),
        geometry_known=bool(geometry_type_name(element.get("wkbType", ""))),
        styles={
            name: read_vector_style(name, style, common["name"], context.problems) for name, style in styles.items()
        },
        style_name=current,
        fields=read_fields(element),
        virtual_fields=read_virtual_fields(element),
        joins=read_joins(element, context),
        dimensions=_dimensions(element),
        form=read_form(element),
    )


def _read_raster(element: Element, context: Context) -> RasterLayer:
    common = _read_common(element, context)
    current, styles = style_elements(element)
    return RasterLayer(
        **common,
        styles={
            name: read_raster_style(name, style, common["name"], context.problems) for name, style in styles.items()
        },
        style_name=current,
    )


def _read_other(element: Element, context: Context) -> OtherLayer:
    common = _read_common(element, context)
    kind = element.get("type", "")
    context.problems.add(common["name"], "maplayer", f"layers of type {kind!r} are not supported")
    return OtherLayer(**common, kind=kind)


_KINDS: Mapping[str, Callable[[Element, Context], Layer]] = {"vector": _read_vector, "raster": _read_raster}


def _flag_text(flags: Element | None, name: str) -> str | None:
    return None if flags is None else flags.findtext(name)


def _keywords(element: Element) -> tuple[str, ...]:
    values = (value.text or "" for value in element.iterfind("keywordList/value"))
    return tuple(word.strip() for value in values for word in value.split(",") if word.strip())


def _link(element: Element, tag: str) -> Link | None:
    found = element.find(tag)
    if found is None or not (found.text or "").strip():
        return None
    return Link((found.text or "").strip(), found.get("format", ""), found.get("type", ""))


def _attribution(element: Element) -> Link | None:
    found = element.find("attribution")
    if found is None or not (found.text or found.get("href")):
        return None
    return Link(url=found.get("href", ""), title=found.text or "")


def _metadata_urls(element: Element) -> tuple[Link, ...]:
    """A list since 3.22, one element before."""
    found = element.findall("metadataUrls/metadataUrl") or element.findall("metadataUrl")
    texts = ((url, (url.text or "").strip()) for url in found)
    return tuple(Link(address, url.get("format", ""), url.get("type", "")) for url, address in texts if address)


def _geometry_type(element: Element, source: DataSource) -> str:
    """``wkbType`` (3.x); without it what the data source's text pins, else the family (``Point``, ``LineString``,
    ``Polygon``) of the attribute ``geometry``."""
    written = geometry_type_name(element.get("wkbType", ""))
    return written or source.geometry_type or geometry_type_name(element.get("geometry", ""))


def _temporal(element: Element | None) -> Temporal | None:
    if element is None or not flag(element.get("enabled")):
        return None
    return Temporal(
        mode=integer(element.get("mode")),
        start_field=element.get("startField", ""),
        end_field=element.get("endField", ""),
        begin=text(element, "fixedRange/start"),
        end=text(element, "fixedRange/end"),
    )


def _dimensions(element: Element) -> tuple[Dimension, ...]:
    return tuple(
        Dimension(
            name=item.get("name", ""),
            field=item.get("fieldName", ""),
            end_field=item.get("endFieldName", ""),
            units=item.get("units", ""),
            unit_symbol=item.get("unitSymbol", ""),
            default_display=integer(item.get("defaultDisplayType")),
            reference_value=item.get("referenceValue", ""),
        )
        for item in element.iterfind("wmsDimensions/dimension")
    )
