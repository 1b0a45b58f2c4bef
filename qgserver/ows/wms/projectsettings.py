"""GetProjectSettings: capabilities of 1.3.0 and what QGIS Web clients want to know beyond them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import chain
from urllib.parse import quote

from qgserver.errors import ProviderError
from qgserver.ows.documents import fill
from qgserver.ows.operations import OperationContext, operation
from qgserver.ows.wms.capabilities import exceptions_and_symbolization, requests, root_element, service
from qgserver.ows.wms.capabilitieslayers import LayerWriter
from qgserver.ows.wms.published import Branch, Leaf, Published, drawing_order, published_tree
from qgserver.ows.xmlio import DECLARATION, attributes, element, optional
from qgserver.project.layersource import open_layer
from qgserver.project.model import Group, Project, RasterLayer, VectorLayer
from qgserver.project.model.layouts import Layout
from qgserver.providers import Sources, file_is_missing
from qgserver.providers.protocol import Field, FieldType, Schema
from qgserver.web.response import Response, document

VERSION = "1.3.0"
PRINT = {"GetPrint": "GetPrint"}
"""What is listed here only, as QGIS does."""
QT_TYPES: Mapping[FieldType, str] = {
    "bool": "bool",
    "int": "int",
    "int64": "qlonglong",
    "double": "double",
    "string": "QString",
    "date": "QDate",
    "time": "QTime",
    "datetime": "QDateTime",
    "binary": "QByteArray",
    "list": "QStringList",
    "map": "QVariantMap",
    "geometry": "QString",
}
NUMBER_LISTS = frozenset({"_int2", "_int4", "_int8", "_float4", "_float8", "_numeric"})
FRIENDLY = ("name", "title", "heibt", "desc", "nom", "street", "road", "label")
"""Parts of field names that QGIS takes for a feature's name, best first."""

BACKGROUND, PUBLISH, PRINT_LAYER = "WMSBackgroundLayer", "WMSPublishDataSourceUrl", "WMSPrintLayer"
TRUE_WORDS = ("1", "true")
SECRET = re.compile("username$|password$|authcfg$|http-header:")
WAY_IN = re.compile("//[^/?#]*@")
KEPT = "/:?=,;@ "
"""What stands in a value of a data source as it is."""

QUOTED = re.compile(r'"((?:[^"]|"")+)"')
"""An expression that is nothing but the name of a field."""


@operation("WMS", "GetProjectSettings")
def get_project_settings(context: OperationContext) -> Response:
    """The document, always in version 1.3.0. Not kept: the fields come from sources that may be down just now."""
    pieces = write_settings(context)
    return document(fill("\n".join(filter(None, pieces)), context.service_url))


def write_settings(context: OperationContext) -> Iterator[str]:
    """The document, with placeholders for the address."""
    project = context.project
    yield DECLARATION.rstrip()
    yield from root_element(project, VERSION)
    yield from service(project, VERSION, context.settings)
    yield "<Capability>"
    yield from requests(VERSION, {} if context.settings.disable_getprint else PRINT)
    yield from exceptions_and_symbolization(project, VERSION)
    yield from templates(project)
    yield from wfs_layers(project)
    extras = SettingsExtras(project, context.sources)
    yield from LayerWriter(project, VERSION, context.sources, extras).root()
    order = drawing_order(project, published_tree(project))
    yield optional("LayerDrawingOrder", ",".join(layer.published for layer in order if extras.is_drawn(layer)))
    yield "</Capability>"
    yield "</WMS_Capabilities>"


def templates(project: Project) -> Iterator[str]:
    """``ComposerTemplates``: the print layouts that are not restricted."""
    shown = [layout for layout in project.layouts if layout.name not in project.wms.restricted_layouts]
    if not shown:
        return
    yield "<ComposerTemplates>"
    for layout in shown:
        yield from _template(layout, project)
    yield "</ComposerTemplates>"


def _template(layout: Layout, project: Project) -> Iterator[str]:
    values = {"name": layout.name, "width": f"{layout.width:.17g}", "height": f"{layout.height:.17g}"}
    if layout.atlas_layer is not None:
        coverage = project.layers.get(layout.atlas_layer)
        values |= {"atlasEnabled": "1", "atlasCoverageLayer": coverage.published if coverage else ""}
    yield f"<ComposerTemplate{attributes(values)}>"
    for item in layout.maps:
        size = {"width": f"{item.width:.17g}", "height": f"{item.height:.17g}"}
        yield f"<ComposerMap{attributes({'name': item.name} | size)}/>"
    for name, ids in (("ComposerLabel", layout.labels), ("ComposerHtml", layout.htmls)):
        for item_id in ids:
            yield f"<{name}{attributes({'name': item_id})}/>"
    yield "</ComposerTemplate>"


def wfs_layers(project: Project) -> Iterator[str]:
    """``WFSLayers``: names (not short names; ids where the project says so) of layers that WFS publishes, in the order
    of the list that publishes them; empty when none of the list is there any more (measured)."""
    published = [project.layers[found] for found in project.wfs.layers if found in project.layers]
    names = [layer.id if project.wms.use_layer_ids else layer.name for layer in published]
    if project.wfs.layers:
        yield "<WFSLayers>" + "".join(f"<WFSLayer{attributes({'name': name})}/>" for name in names) + "</WFSLayers>"


class SettingsExtras:
    """What GetProjectSettings tells of each layer and group. Fields are asked of the sources; a source that fails is
    asked once, and its layers come without fields."""

    def __init__(self, project: Project, sources: Sources) -> None:
        self.project = project
        self.sources = sources
        self._failed: set[tuple[object, ...]] = set()
        self._visible: dict[int, bool] = dict(_visibility(published_tree(project), True))

    def attributes(self, node: Branch | Leaf) -> Mapping[str, str]:
        """State in the layer tree; of layers their geometry, opacity and display field."""
        place = node.group if isinstance(node, Branch) else node.node
        if place is self.project.tree:
            return {}
        values = {
            "visible": _flag(self._visible[id(place)]),
            "visibilityChecked": _flag(place.checked),
            "expanded": _flag(place.expanded),
        }
        if isinstance(place, Group):
            return values | {"mutuallyExclusive": _flag(place.mutually_exclusive)}
        assert isinstance(node, Leaf)
        layer = node.layer
        if isinstance(layer, RasterLayer):
            return values | {"opacity": f"{layer.style.opacity:g}"}
        return values | _vector_attributes(layer, self._schema(layer))

    def children(self, node: Branch | Leaf) -> Iterator[str]:
        """TreeName; of layers their key and fields, or what a background map is made of."""
        if isinstance(node, Branch):
            is_root = node.group is self.project.tree
            yield element("TreeName", self.project.title if is_root else node.group.name)
            return
        yield element("TreeName", node.node.name)
        if isinstance(node.layer, VectorLayer):
            schema = self._schema(node.layer)
            yield from ("<Attributes/>",) if schema is None else _fields(node.layer, schema)
        elif node.layer.source.provider == "wms":
            yield from _remote(node.layer)

    def is_drawn(self, layer: Published) -> bool:
        """False for tables, and for layers of which neither source nor project can tell that they are none."""
        if not isinstance(layer, VectorLayer):
            return True
        return layer.has_geometry and (layer.geometry_known or self._schema(layer) is not None)

    def _schema(self, layer: VectorLayer) -> Schema | None:
        source = layer.source
        where = (source.provider, source.path, tuple(sorted(source.params.items())))
        if where in self._failed:
            return None
        try:
            schema = open_layer(self.project, layer, self.sources).schema()
            return schema if schema.fields or not file_is_missing(source) else None
        except ProviderError:
            self._failed.add(where)
            return None


def _remote(layer: RasterLayer) -> Iterator[str]:
    """Of layers of other servers: whether they are a background, what to ask instead of us where the author lets that
    be known, and what to ask for prints. Names and passwords stay with us."""
    chosen = {name: str(layer.custom_properties.get(name, "")) for name in (BACKGROUND, PUBLISH, PRINT_LAYER)}
    yield element(BACKGROUND, _flag(chosen[BACKGROUND].lower() in TRUE_WORDS))
    if chosen[PUBLISH].lower() in TRUE_WORDS:
        pairs = ((name, value) for name in layer.source.params for value in layer.source.values(name))
        open_pairs = ((name, WAY_IN.sub("//", value)) for name, value in pairs if not SECRET.match(name))
        known = (f"{name}={quote(value, safe=KEPT)}" for name, value in open_pairs)
        yield element("WMSDataSource", "&".join(known))
    yield optional(PRINT_LAYER, chosen[PRINT_LAYER])


def _visibility(branch: Branch, visible: bool) -> Iterator[tuple[int, bool]]:
    """For the identity of each node: whether it and all groups around it are checked."""
    for child in branch.children:
        place = child.group if isinstance(child, Branch) else child.node
        shown = visible and place.checked
        yield id(place), shown
        if isinstance(child, Branch):
            yield from _visibility(child, shown)


def _vector_attributes(layer: VectorLayer, schema: Schema | None) -> dict[str, str]:
    """Of a layer whose source is down there is but the word of the project file (measured)."""
    known = "NoGeometry" if not layer.has_geometry else (schema.geometry_type if schema else "") or layer.geometry_type
    return {
        "geometryType": "Unknown" if schema is None and not layer.geometry_known else known,
        "opacity": f"{layer.style.opacity:g}",
        "displayField": _display_field(layer, schema),
    }


def _display_field(layer: VectorLayer, schema: Schema | None) -> str:
    """The alias of the field that names features, be it gone; ``maptip`` when an expression does. Without a word of
    the author's QGIS guesses by the field's name, and takes the first text else, or the first field (measured)."""
    text = layer.style.display_expression.strip()
    names = [field.name for field in schema.fields] if schema else [known.name for known in layer.fields]
    if not text and schema is not None:
        friendly = (name for part in FRIENDLY for name in names if part in name.lower())
        texts = (field.name for field in schema.fields if field.type == "string")
        text = next(chain(friendly, texts, names), "")
    quoted = QUOTED.fullmatch(text)
    name = quoted[1].replace('""', '"') if quoted else text
    return (layer.field_config(name).alias or name) if quoted or name in names else "maptip"


def _fields(layer: VectorLayer, schema: Schema) -> Iterator[str]:
    """``PrimaryKey`` and ``Attributes``; fields that the project hides from WMS are left out."""
    if schema.key:
        key = "".join(element("PrimaryKeyAttribute", name) for name in schema.key)
        yield f"<PrimaryKey>{key}</PrimaryKey>"
    yield "<Attributes>"
    for field in schema.fields:
        if not layer.field_config(field.name).hidden_wms:
            yield f"<Attribute{attributes(_field(layer, field))}/>"
    yield "</Attributes>"


def _field(layer: VectorLayer, field: Field) -> dict[str, str]:
    config = layer.field_config(field.name)
    values = {
        "name": field.name,
        "type": "QVariantList" if field.type_name in NUMBER_LISTS else QT_TYPES[field.type],
        "typeName": field.type_name,
        "editType": config.widget.type,
        "comment": field.comment,
        "length": str(field.length),
        "precision": str(field.precision),
    }
    return values | ({"alias": config.alias} if config.alias else {})


def _flag(value: bool) -> str:
    return "1" if value else "0"
