"""Layers: source, CRS, texts, fields, styles."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from qgserver.geo.crs import Crs
from qgserver.geo.extent import Extent
from qgserver.project.model.derived import Known, once
from qgserver.providers.uri import DataSource
from qgserver.rasters.pipe import Pipe
from qgserver.symbology.renderer import Renderer

OptionValue = str | int | float | bool | None | list["OptionValue"] | dict[str, "OptionValue"]
"""A QVariant of the file (``<Option>`` tree) as plain Python."""


@dataclass(frozen=True, slots=True)
class ScaleRange:
    """Visible when ``max_scale <= denominator < min_scale`` (min_scale is the larger denominator; 0 = no bound)."""

    min_scale: float = 0.0
    max_scale: float = 0.0

    def contains(self, denominator: float) -> bool:
        return (not self.max_scale or self.max_scale <= denominator) and (
            not self.min_scale or denominator < self.min_scale
        )


@dataclass(frozen=True, slots=True)
class Simplify:
    """``simplifyDrawing*`` of a layer: ``hints`` bit 1 geometry, 2 antialiasing; ``tolerance`` in pixels;
    ``algorithm`` 0 distance, 1 snap to grid, 2 Visvalingam, 3 snapped to the global grid; from ``max_scale`` on."""

    hints: int = 1
    tolerance: float = 1.0
    algorithm: int = 0
    max_scale: float = 1.0


@dataclass(frozen=True, slots=True)
class Widget:
    """The editor widget of a field: ``type`` (``ValueMap``, ``TextEdit``, ...) and its options."""

    type: str = ""
    config: Mapping[str, OptionValue] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FieldConfig:
    """What the project says of a field. The field's type is not in the file: it comes from the provider."""

    name: str
    alias: str = ""
    hidden_wms: bool = False
    hidden_wfs: bool = False
    widget: Widget = Widget()
    default: str = ""
    apply_default_on_update: bool = False
    not_null: bool = False
    unique: bool = False
    constraint: str = ""
    editable: bool = True
    soft: tuple[str, ...] = ()
    """Constraints that only warn, of ``not_null``, ``unique``, ``constraint``."""


@dataclass(frozen=True, slots=True)
class FormContainer:
    """A tab or group of a layer's form: names of fields, and containers in it, in order."""

    name: str
    children: tuple[FormContainer | str, ...] = ()

    def fields(self) -> Iterator[str]:
        """Names of all fields below."""
        for child in self.children:
            if isinstance(child, FormContainer):
                yield from child.fields()
            else:
                yield child


@dataclass(frozen=True, slots=True)
class VirtualField:
    """``expressionfields/field``: computed per feature."""

    name: str
    expression: str
    type: str
    type_name: str = ""
    length: int = 0
    precision: int = 0


@dataclass(frozen=True, slots=True)
class Join:
    """``vectorjoins/join``: columns of another layer by equal keys (left join, first match wins)."""

    layer_id: str
    target_field: str
    join_field: str
    prefix: str
    fields: tuple[str, ...] | None = None
    """The subset of columns, None = all but the key."""


@dataclass(frozen=True, slots=True)
class Style:
    """One style of a vector layer: all that decides its picture.

    ``labeling`` is the XML text of ``<labeling>`` (of ``<customproperties>``, where 2.x keeps ``labeling/*``),
    ``diagrams`` that of the diagram renderer and ``<DiagramLayerSettings>`` inside one ``<diagrams>``; both are "" when
    there is nothing, and are read when first drawn. ``display_expression`` is a field name or an expression."""

    name: str
    renderer: Renderer
    opacity: float = 1.0
    blend_mode: int = 0
    feature_blend_mode: int = 0
    scale_range: ScaleRange = ScaleRange()
    simplify: Simplify = Simplify()
    reference_scale: float = -1.0
    labels_enabled: bool = False
    labeling: str = ""
    diagrams: str = ""
    map_tip: str = ""
    display_expression: str = ""
    rendering_order_above_labels: bool = False
    derived: Known = field(default_factory=dict, init=False, repr=False, compare=False)

    @once
    def used_fields(self) -> frozenset[str] | None:
        """Fields that the renderer reads; None = all."""
        return self.renderer.used_fields()


@dataclass(frozen=True, slots=True)
class Link:
    """An online resource: DataURL, MetadataURL, LegendURL, Attribution. ``type`` is MetadataURL's type."""

    url: str
    format: str = ""
    type: str = ""
    title: str = ""


@dataclass(frozen=True, slots=True)
class Dimension:
    """``wmsDimensions/dimension``; ``default_display`` 0 all values, 1 minimum, 2 maximum, 3 reference value."""

    name: str
    field: str
    end_field: str = ""
    units: str = ""
    unit_symbol: str = ""
    default_display: int = 0
    reference_value: str = ""


@dataclass(frozen=True, slots=True)
class Temporal:
    """``temporal`` of a layer when active (3.14+): ``mode`` 0 fixed range, 1 start field, 2 start and end field, ..."""

    mode: int
    start_field: str = ""
    end_field: str = ""
    begin: str = ""
    end: str = ""


@dataclass(frozen=True, slots=True)
class Layer:
    """What all layers have. ``name`` is the layer's own name, ``published`` its WMS name (id, short name or name).
    ``extent`` is in layer CRS, ``wgs84_extent`` in lon/lat, each None when the file has none."""

    id: str
    name: str
    published: str
    source: DataSource
    crs: Crs | None
    short_name: str = ""
    title: str = ""
    abstract: str = ""
    keywords: tuple[str, ...] = ()
    extent: Extent | None = None
    wgs84_extent: Extent | None = None
    data_url: Link | None = None
    legend_url: Link | None = None
    attribution: Link | None = None
    metadata_urls: tuple[Link, ...] = ()
    identifiable: bool = True
    searchable: bool = True
    private: bool = False
    read_only: bool = False
    variables: Mapping[str, str] = field(default_factory=dict)
    custom_properties: Mapping[str, OptionValue] = field(default_factory=dict)
    temporal: Temporal | None = None
    derived: Known = field(default_factory=dict, init=False, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class VectorLayer(Layer):
    """A vector layer. ``styles`` holds every style by name, ``style_name`` names the current one.
    ``geometry_type`` is the WKB name of the file (``MultiPolygonZ``, ``NoGeometry``, ``Unknown``), "" when it has
    none; projects before 3.10 tell but the family (``Point``, ``LineString``, ``Polygon``), the provider the rest.
    ``fields`` are those the project speaks of: the source may have lost some since. ``form`` is the layout of a form
    with tabs made by drag and drop, None for a generated one."""

    geometry_type: str = ""
    geometry_known: bool = False
    """Whether the file has the whole name itself (``wkbType``): it is true then even when the source is gone."""
    styles: Mapping[str, Style] = field(default_factory=dict)
    style_name: str = "default"
    fields: tuple[FieldConfig, ...] = ()
    virtual_fields: tuple[VirtualField, ...] = ()
    joins: tuple[Join, ...] = ()
    dimensions: tuple[Dimension, ...] = ()
    form: FormContainer | None = None

    @property
    def style(self) -> Style:
        return self.styles[self.style_name]

    @property
    def has_geometry(self) -> bool:
        return self.geometry_type not in ("NoGeometry", "No geometry")

    def field_config(self, name: str) -> FieldConfig:
        """The project's word on a field; a plain one when it has none."""
        return self._configs().get(name) or FieldConfig(name)

    @once
    def _configs(self) -> Mapping[str, FieldConfig]:
        return {config.name: config for config in reversed(self.fields)}  # the first of a name counts


@dataclass(frozen=True, slots=True)
class RasterStyle:
    """One style of a raster layer: all that decides its picture."""

    name: str
    pipe: Pipe = Pipe()
    blend_mode: int = 0
    scale_range: ScaleRange = ScaleRange()

    @property
    def opacity(self) -> float:
        return self.pipe.opacity


@dataclass(frozen=True, slots=True)
class RasterLayer(Layer):
    """A raster layer (files, WMS, XYZ). ``styles`` holds every style by name, ``style_name`` names the current one."""

    styles: Mapping[str, RasterStyle] = field(default_factory=dict)
    style_name: str = "default"

    @property
    def style(self) -> RasterStyle:
        return self.styles[self.style_name]


@dataclass(frozen=True, slots=True)
class OtherLayer(Layer):
    """A layer of a kind we can't draw (mesh, point cloud, plugin, ...): listed by ``qgserver check``, never published.
    ``kind`` is the ``type`` attribute."""

    kind: str = ""
