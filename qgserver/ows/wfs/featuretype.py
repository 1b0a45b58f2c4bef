"""What WFS publishes: feature types, their names, their properties and XML types."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from qgserver.errors import OwsError
from qgserver.ows.closedworld import PublishedField
from qgserver.ows.names import STANDARD_FIELDS, xml_name
from qgserver.project.model import FieldConfig, Project, VectorLayer, Widget
from qgserver.providers.protocol import Field, Schema

DEFAULT_PRECISION = 6

_XML_TYPES = {
    "bool": "boolean",
    "int": "int",
    "int64": "long",
    "double": "decimal",
    "date": "date",
    "time": "time",
    "datetime": "dateTime",
}
"""``Field.type`` -> XML Schema type; every other one is a string."""

_ZONED = ("timestamptz", "timestamp with time zone")


@dataclass(frozen=True, slots=True, kw_only=True)
class Property(PublishedField):
    """A published attribute as it is declared and written."""

    xml_type: str
    nillable: bool = True
    zone: bool = False
    """Instants with a time zone: written in UTC with a ``Z``."""
    decimals: int | None = None
    """GML writes a number with so many decimals (widget Range)."""
    pattern: str = ""
    """GML writes a date or time by this pattern of Qt's (widget DateTime)."""
    standard: str = ""
    """The property of GML itself that GML 3.2 writes it as, and as nothing else (``name``)."""


@dataclass(frozen=True, slots=True)
class FeatureType:
    """A published vector layer. ``operations`` are what WFS-T allows, in the order of the capabilities. ``alias`` is
    what QGIS Server calls the type: the same unless the layer's name holds what no XML name can."""

    name: str
    alias: str
    layer: VectorLayer
    precision: int
    operations: tuple[str, ...] = ()


def feature_types(project: Project) -> Mapping[str, FeatureType]:
    """The published types by name, in the project's order. Of two layers with one name the last counts (measured)."""
    found: dict[str, FeatureType] = {}
    for layer_id in project.wfs.layers:
        layer = project.layers.get(layer_id)
        if isinstance(layer, VectorLayer):
            alias = (layer.short_name or layer.name).replace(" ", "_").replace(":", "-")
            name = xml_name(alias)
            precision = project.wfs.precision.get(layer_id, DEFAULT_PRECISION)
            found[name] = FeatureType(name, alias, layer, precision, _operations(project, layer))
    return found


def find_type(project: Project, name: str) -> FeatureType:
    """The published type of that name. Raises ``OwsError``; a type that is not published is as good as none."""
    types = feature_types(project)
    found = types.get(name) or next((kind for kind in types.values() if kind.alias == name), None)
    if found is None:
        raise OwsError("InvalidParameterValue", f"TypeName '{name[:80]}' could not be found.", locator="typename")
    return found


def _operations(project: Project, layer: VectorLayer) -> tuple[str, ...]:
    wfs = project.wfs
    allowed = (("Insert", wfs.insertable), ("Update", wfs.updatable), ("Delete", wfs.deletable))
    return () if layer.read_only else tuple(name for name, ids in allowed if layer.id in ids)


def properties(layer: VectorLayer, schema: Schema) -> tuple[Property, ...]:
    """The published attributes of a layer, in its order: all fields that are not hidden from WFS."""
    return tuple(_property(field, config) for field, config in _visible(layer, schema))


def _visible(layer: VectorLayer, schema: Schema) -> Iterator[tuple[Field, FieldConfig]]:
    configs = {config.name: config for config in layer.fields}
    for field in schema.fields:
        config = configs.get(field.name) or FieldConfig(field.name)
        if not config.hidden_wfs and field.type != "geometry":
            yield field, config


def _property(field: Field, config: FieldConfig) -> Property:
    pattern = _pattern(field, config.widget)
    return Property(
        name=xml_name(field.name),
        field=field.name,
        type=field.type,
        xml_type=_PATTERN_TYPES.get(pattern, "dateTime") if pattern else _xml_type(field),
        nillable=field.nullable and not config.not_null,
        alias=config.alias,
        zone=field.type_name.lower() in _ZONED,
        decimals=_decimals(field, config.widget),
        pattern=pattern,
        standard=STANDARD_FIELDS.get(field.name, "") if field.type == "string" else "",
    )


_DEFAULT_PATTERNS = {"date": "yyyy-MM-dd", "time": "HH:mm:ss", "datetime": "yyyy-MM-dd HH:mm:ss"}
_PATTERN_TYPES = {"yyyy-MM-dd": "date", "HH:mm:ss": "time"}


def _pattern(field: Field, widget: Widget) -> str:
    """Measured: a DateTime widget makes GML use its field format; the type follows that format too."""
    if widget.type != "DateTime" or field.type not in _DEFAULT_PATTERNS:
        return ""
    return str(widget.config.get("field_format") or _DEFAULT_PATTERNS[field.type])


def _decimals(field: Field, widget: Widget) -> int | None:
    """Measured: a Range widget makes GML write numbers with its precision."""
    precision = widget.config.get("Precision") if widget.type == "Range" and field.type == "double" else None
    try:
        return None if precision is None else min(max(int(str(precision)), 0), 17)
    except ValueError:
        return None


def _xml_type(field: Field) -> str:
    if field.type == "double" and field.length > 0 and field.precision == 0:
        return "integer"  # numeric(10, 0), dbf N(10)
    return _XML_TYPES.get(field.type, "string")


_GEOMETRY_TYPES = {
    "Point": ("Point", "Point", "Point"),
    "LineString": ("LineString", "LineString", "Curve"),
    "Polygon": ("Polygon", "Polygon", "Surface"),
    "MultiPoint": ("MultiPoint", "MultiPoint", "MultiPoint"),
    "MultiLineString": ("MultiLineString", "MultiCurve", "MultiCurve"),
    "MultiPolygon": ("MultiPolygon", "MultiSurface", "MultiSurface"),
}
"""QGIS's name of a geometry type -> property types of GML 2, GML 3.1 and GML 3.2."""
_COLUMNS = {2: 0, 3: 1, 32: 2}


def geometry_type(layer: VectorLayer, schema: Schema) -> str:
    """QGIS's name of the layer's geometry type: the source knows better than the project file, unless it does not."""
    if not layer.has_geometry:
        return layer.geometry_type
    return schema.geometry_type if schema.geometry_type not in ("", "Unknown") else layer.geometry_type


def geometry_property_type(wkb_name: str, gml: int) -> str:
    """Type of the geometry property in GML 2, 3 or 3.2 (32), "" for a layer without geometry."""
    if wkb_name in ("NoGeometry", "No geometry"):
        return ""
    # Measured: anything with Z, M or curves, and what is not known, is the general type.
    names = _GEOMETRY_TYPES.get(wkb_name)
    return f"{names[_COLUMNS[gml]] if names else 'Geometry'}PropertyType"


def is_multi(wkb_name: str) -> bool:
    """Whether single geometries of the layer are written as multi ones."""
    return wkb_name.startswith("Multi")
