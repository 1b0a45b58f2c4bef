"""What of a project is not served or not drawn: the list behind ``qgserver check``."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, is_dataclass

from qgserver.diagrams.reading import read_diagrams
from qgserver.errors import Problem, ProviderError
from qgserver.expression.nodes import Call, Node, walk
from qgserver.expression.template import split_template
from qgserver.labeling.reading import read_labeling
from qgserver.project.layersource import open_layer
from qgserver.project.model import Group, Layer, OtherLayer, Project, RasterLayer, VectorLayer
from qgserver.project.virtualfields import parsed
from qgserver.providers import Sources
from qgserver.rasters.open import open_raster


def report(project: Project, sources: Sources | None = None) -> list[Problem]:
    """All problems, those of the project as a whole first, then layer by layer in file order, each once.

    With ``sources`` every layer's data source is opened and asked for its fields or bands, so that files and tables
    that are gone are listed too; without, only kinds of sources that are not supported are.
    """
    found = [*project.problems, *_project_problems(project)]
    opener = sources or Sources()
    for layer in project.layers.values():
        found += _layer_problems(layer, project)
        if isinstance(layer, VectorLayer | RasterLayer):
            found += _source_problems(project, layer, opener, sources is not None)
    order = {layer.name: index for index, layer in enumerate(project.layers.values())}
    return sorted(dict.fromkeys(found), key=lambda problem: order.get(problem.layer, -1))


def _project_problems(project: Project) -> Iterator[Problem]:
    if project.crs is None and not project.wms.crs_list:
        yield Problem("", "projectCrs", "the project has no CRS: WMS offers EPSG:4326 and EPSG:3857 only")
    for what in dict.fromkeys(what for layout in project.layouts for what in layout.not_drawn):
        yield Problem("", "Layouts", f"{what} of print layouts are not drawn")
    for leaf in project.tree.leaves():
        if leaf.layer_id not in project.layers:
            yield Problem(leaf.name, "layer-tree-layer", "the project does not have this layer of its tree")
    for group in _groups(project.tree):
        if group.layer_id:
            yield Problem(group.name, "layer-tree-group", "the group is drawn layer by layer, not as one image")


def _groups(group: Group) -> Iterator[Group]:
    for child in group.children:
        if isinstance(child, Group):
            yield child
            yield from _groups(child)


def _layer_problems(layer: Layer, project: Project) -> Iterator[Problem]:
    name = layer.name
    if isinstance(layer, OtherLayer):
        return
    if all(leaf.layer_id != layer.id for leaf in project.tree.leaves()):
        yield Problem(name, "layer-tree-group", "WMS does not publish the layer: it is not in the layer tree")
    if layer.crs is None and not (isinstance(layer, VectorLayer) and not layer.has_geometry):
        yield Problem(name, "srs", "the layer has no CRS: it is drawn without reprojection")
    if layer.source.params.get("authcfg"):
        yield Problem(name, "datasource", "authcfg: credentials kept by QGIS itself cannot be read")
    if layer.source.path.startswith("localized:"):
        yield Problem(name, "datasource", "localized data paths are not known")
    if isinstance(layer, VectorLayer):
        yield from _vector_problems(layer, project)


def _vector_problems(layer: VectorLayer, project: Project) -> Iterator[Problem]:
    if layer.source.provider == "memory":
        yield Problem(layer.name, "datasource", "the layer is empty: features in memory are not kept in the project")
    for join in layer.joins:
        if join.layer_id not in project.layers:
            yield Problem(layer.name, "vectorjoins", "a joined layer is not in the project: its columns are left out")
    for style in layer.styles.values():
        if style.labels_enabled and style.labeling:
            yield from read_labeling(style.labeling, layer.name)[1]
        yield from read_diagrams(style.diagrams, layer.name)[1]
    for name in sorted(set(_null_functions(layer))):
        yield Problem(layer.name, "expression", f"{name}() is NULL on a server")


NULL_FUNCTIONS = frozenset({
    "current_parent_value", "current_value", "exif_geotag", "load_layer", "map_credits", "parameter",
    "raster_attributes", "sqlite_fetch_and_increment",
})  # fmt: skip
"""Functions that need a desktop, an open form or a running algorithm."""


def _null_functions(layer: VectorLayer) -> Iterator[str]:
    """Those of ``NULL_FUNCTIONS`` that the layer's expressions call."""
    texts = [style.map_tip for style in layer.styles.values()]
    for thing in (*layer.styles.values(), *map(split_template, texts), *map(parsed, layer.virtual_fields)):
        for node in _expressions(thing):
            yield from (part.name for part in walk(node) if isinstance(part, Call) and part.name in NULL_FUNCTIONS)


def _expressions(thing: object) -> Iterator[Node]:
    """The expressions in a style, wherever in its symbols they stand."""
    if isinstance(thing, Node):
        yield thing
    elif is_dataclass(thing):
        for field in fields(thing):
            yield from _expressions(getattr(thing, field.name))
    elif isinstance(thing, Mapping):
        for value in thing.values():
            yield from _expressions(value)
    elif isinstance(thing, tuple | list):
        for value in thing:
            yield from _expressions(value)


def _source_problems(
    project: Project, layer: VectorLayer | RasterLayer, sources: Sources, ask: bool
) -> Iterator[Problem]:
    """A provider that is not supported, or a source that does not open. The message holds no path or password."""
    try:
        if isinstance(layer, RasterLayer):
            known: Callable[[], object] = open_raster(layer.source, sources).info
        else:
            known = open_layer(project, layer, sources).schema
        if ask:
            known()
    except ProviderError as error:
        yield Problem(layer.name, "datasource", error.message)
