"""Entries of ``<properties>`` that WMS and WFS read."""

from __future__ import annotations

from qgserver.draw.color import Color
from qgserver.geo.extent import Extent
from qgserver.project.model import Contact, Inspire, ServiceInfo, WfsProperties, WmsProperties
from qgserver.project.reading.entries import Entries


def read_service(entries: Entries) -> ServiceInfo:
    """Texts of the capabilities."""
    return ServiceInfo(
        title=entries.text("WMSServiceTitle"),
        abstract=entries.text("WMSServiceAbstract"),
        keywords=entries.texts("WMSKeywordList"),
        online_resource=entries.text("WMSOnlineResource"),
        contact=Contact(
            person=entries.text("WMSContactPerson"),
            organization=entries.text("WMSContactOrganization"),
            position=entries.text("WMSContactPosition"),
            mail=entries.text("WMSContactMail"),
            phone=entries.text("WMSContactPhone"),
        ),
        fees=entries.text("WMSFees"),
        access_constraints=entries.text("WMSAccessConstraints"),
    )


def read_wms(entries: Entries) -> WmsProperties:
    """All ``WMS*`` entries but the service texts."""
    aliases = zip(
        entries.all_texts("WMSFeatureInfoAliasLayers/value"),
        entries.all_texts("WMSFeatureInfoLayerAliases/value"),
        strict=False,
    )
    return WmsProperties(
        root_name=entries.text("WMSRootName"),
        extent=_extent(entries),
        crs_list=_crs_list(entries),
        restricted=frozenset(entries.texts("WMSRestrictedLayers")),
        use_layer_ids=entries.flag("WMSUseLayerIDs"),
        url=entries.text("WMSUrl"),
        max_width=max(0, entries.integer("WMSMaxWidth", 0)),
        max_height=max(0, entries.integer("WMSMaxHeight", 0)),
        image_quality=entries.integer("WMSImageQuality", -1),
        tile_buffer=max(0, entries.integer("WMSTileBuffer", 0)),
        precision=entries.integer("WMSPrecision", 6),
        default_map_units_per_mm=entries.number("WMSDefaultMapUnitsPerMm", 1.0),
        max_atlas_features=entries.integer("WMSMaxAtlasFeatures", 1),
        add_geometry=entries.flag_text("WMSAddWktGeometry"),
        segmentize_geometry=entries.flag_text("WMSSegmentizeFeatureInfoGeometry"),
        use_attribute_form=entries.flag_text("WMSFeatureInfoUseAttributeFormSettings"),
        sia2045=entries.flag_text("WMSInfoFormatSIA2045"),
        add_legend_groups=entries.flag("WMSAddLayerGroupsLegendGraphic"),
        skip_name_for_group=entries.flag("WMSSkipNameForGroup"),
        info_document_element=entries.text("WMSFeatureInfoDocumentElement"),
        info_document_element_ns=entries.text("WMSFeatureInfoDocumentElementNS"),
        info_schema=entries.text("WMSFeatureInfoSchema"),
        info_layer_aliases=dict(aliases),
        inspire=_inspire(entries),
        restricted_layouts=frozenset(entries.texts("WMSRestrictedComposers")),
    )


def _extent(entries: Entries) -> Extent | None:
    sides = entries.numbers("WMSExtent")
    if len(sides) != 4:
        return None
    box = Extent(*sides)
    return None if box.is_empty else box


def _crs_list(entries: Entries) -> tuple[str, ...]:
    """``WMSCrsList``, else the numbers of ``WMSEpsgList`` (1.x)."""
    return entries.texts("WMSCrsList") or tuple(f"EPSG:{number}" for number in entries.texts("WMSEpsgList"))


def _inspire(entries: Entries) -> Inspire | None:
    if not entries.flag("WMSInspire/activated"):
        return None
    return Inspire(
        language=entries.text("WMSInspire/language"),
        metadata_url=entries.text("WMSInspire/metadataUrl"),
        metadata_url_type=entries.text("WMSInspire/metadataUrlType"),
        temporal_reference=entries.text("WMSInspire/temporalReference"),
        metadata_date=entries.text("WMSInspire/metadataDate"),
    )


def read_wfs(entries: Entries) -> WfsProperties:
    """Published and editable layers (by id) and their precision."""
    folder = "WFSLayersPrecision"
    return WfsProperties(
        layers=entries.texts("WFSLayers"),
        precision={layer: entries.integer(f"{folder}/{layer}", 6) for layer in entries.children(folder)},
        insertable=frozenset(entries.texts("WFSTLayers/Insert")),
        updatable=frozenset(entries.texts("WFSTLayers/Update")),
        deletable=frozenset(entries.texts("WFSTLayers/Delete")),
        url=entries.text("WFSUrl"),
    )


def read_color(entries: Entries, prefix: str, default: Color) -> Color:
    """A colour of four entries, e.g. ``Gui/CanvasColor`` + ``RedPart``; alpha is often absent."""
    parts = (("RedPart", default[0]), ("GreenPart", default[1]), ("BluePart", default[2]), ("AlphaPart", default[3]))
    red, green, blue, alpha = (
        min(255, max(0, entries.integer(prefix + name, round(value * 255)))) / 255 for name, value in parts
    )
    return red, green, blue, alpha


def read_variables(entries: Entries) -> dict[str, str]:
    """Project variables (``@name`` in expressions): two parallel lists whose items may be empty."""
    return dict(
        zip(entries.all_texts("Variables/variableNames"), entries.all_texts("Variables/variableValues"), strict=False)
    )
