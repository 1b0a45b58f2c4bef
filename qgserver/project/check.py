"""What of a project is not served or not drawn: the list behind ``qgserver check``."""

from __future__ import annotations

from collections.abc import Iterator

from qgserver.diagrams.reading import read_diagrams
from qgserver.errors import Problem, ProviderError
from qgserver.labeling.reading import read_labeling
from qgserver.project.layersource import open_layer
from qgserver.project.model import Group, Layer, OtherLayer, Project, RasterLayer, VectorLayer
from qgserver.providers import Sources


def report(project: Project, sources: Sources | None = None) -> list[Problem]:
    """All problems, those of the project as a whole first, then layer by layer in file order, each once.

    With ``sources`` every vector layer's data source is opened and asked for its fields, so that files and tables that
    are gone are listed too; without, only kinds of sources that are not supported are.
    """
    found = [*project.problems, *_project_problems(project)]
    opener = sources or Sources()
    for layer in project.layers.values():
        found += _layer_problems(layer, project)
        if isinstance(layer, VectorLayer):
            found += _source_problems(project, layer, opener, sources is not None)
    order = {layer.name: index for index, layer in enumerate(project.layers.values())}
    return sorted(dict.fromkeys(found), key=lambda problem: order.get(problem.layer, -1))


def _project_problems(project: Project) -> Iterator[Problem]:
    if project.crs is None and not project.wms.crs_list:
        yield Problem("", "projectCrs", "the project has no CRS: WMS offers EPSG:4326 and EPSG:3857 only")
    if project.layouts:
        yield Problem("", "Layouts", "print layouts are listed, but GetPrint is not served")
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
    if isinstance(layer, RasterLayer):
        yield Problem(name, "maplayer", "raster layers are not drawn")
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


def _source_problems(project: Project, layer: VectorLayer, sources: Sources, ask: bool) -> Iterator[Problem]:
    """A provider that is not supported, or a source that does not open. The message holds no path or password."""
    try:
        provider = open_layer(project, layer, sources)
        if ask:
            provider.schema()
    except ProviderError as error:
        yield Problem(layer.name, "datasource", error.message)
