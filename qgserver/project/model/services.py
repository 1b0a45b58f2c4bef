"""What the project says of its services."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from qgserver.geo.extent import Extent


@dataclass(frozen=True, slots=True)
class Contact:
    person: str = ""
    organization: str = ""
    position: str = ""
    mail: str = ""
    phone: str = ""


@dataclass(frozen=True, slots=True)
class ServiceInfo:
    """The ``WMSService*`` entries: texts shown in the capabilities of every service. ``WMSServiceCapabilities``
    makes no difference: QGIS Server shows them when it is off too (measured)."""

    title: str = ""
    abstract: str = ""
    keywords: tuple[str, ...] = ()
    online_resource: str = ""
    contact: Contact = Contact()
    fees: str = ""
    access_constraints: str = ""


@dataclass(frozen=True, slots=True)
class Inspire:
    """``WMSInspire/*`` when activated."""

    language: str = ""
    metadata_url: str = ""
    metadata_url_type: str = ""
    temporal_reference: str = ""
    metadata_date: str = ""


@dataclass(frozen=True, slots=True)
class WmsProperties:
    """Entries of ``<properties>`` that WMS reads (names in ``reference``: the same words in CamelCase)."""

    root_name: str = ""
    extent: Extent | None = None
    crs_list: tuple[str, ...] = ()
    """authids in project order; empty = the default list."""
    restricted: frozenset[str] = frozenset()
    """Names of hidden layers and groups."""
    use_layer_ids: bool = False
    url: str = ""
    max_width: int = 0
    max_height: int = 0
    image_quality: int = -1
    tile_buffer: int = 0
    precision: int = 6
    default_map_units_per_mm: float = 1.0
    max_atlas_features: int = 1
    add_geometry: bool = False
    segmentize_geometry: bool = False
    use_attribute_form: bool = False
    sia2045: bool = False
    add_legend_groups: bool = False
    skip_name_for_group: bool = False
    info_document_element: str = ""
    info_document_element_ns: str = ""
    info_schema: str = ""
    info_layer_aliases: Mapping[str, str] = field(default_factory=dict)
    inspire: Inspire | None = None
    restricted_layouts: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class WfsProperties:
    """Entries that WFS reads. Ids of layers."""

    layers: tuple[str, ...] = ()
    precision: Mapping[str, int] = field(default_factory=dict)
    insertable: frozenset[str] = frozenset()
    updatable: frozenset[str] = frozenset()
    deletable: frozenset[str] = frozenset()
    url: str = ""
