"""Expression contexts of a map: project, map and layer scopes."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from qgserver.expression.context import Context, ProjectInfo
from qgserver.expression.scopes import map_scope, project_scope
from qgserver.project.layeraccess import ProjectLayers
from qgserver.project.layersource import open_layer
from qgserver.project.model import Layer, Project, VectorLayer
from qgserver.project.model.derived import once
from qgserver.providers import Sources
from qgserver.rasters.open import open_raster
from qgserver.render.view import View


def project_context(project: Project, sources: Sources | None = None) -> Context:
    """The scope of the project: its own variables and the standard ``@project_*`` ones; with ``sources`` also its
    layers, which expressions of the project's author reach."""
    info, scope = _scope(project)
    if sources is None:
        return Context(variables=scope, project=info)
    layers = ProjectLayers(
        project, lambda other: open_layer(project, other, sources), lambda source: open_raster(source, sources)
    )
    return Context(variables=scope, project=info, layers=layers)


@once
def _scope(project: Project) -> tuple[ProjectInfo, Mapping[str, object]]:
    info = ProjectInfo(
        project.crs.authid if project.crs else "",
        project.ellipsoid,
        project.distance_units or "meters",
        project.area_units or "square meters",
    )
    scope = {
        "qgis_version": "3.22.16",
        "qgis_version_no": 32216,
        "project_abstract": project.abstract,
        **project_scope(info, project.path, project.title, project.variables),
    }
    return info, MappingProxyType(scope)


def map_context(project: Project, view: View, sources: Sources | None = None) -> Context:
    """The project's scope and the map settings of a view."""
    scope = map_scope(view.crs.authid, view.extent, view.denominator)
    return project_context(project, sources).with_scope({**scope, "is_tile": False})


def layer_context(context: Context, layer: Layer) -> Context:
    """The scope of a layer inside ``context``; with the project's layers in it, expressions reach this one, too."""
    view = None
    if isinstance(context.layers, ProjectLayers) and isinstance(layer, VectorLayer):
        view = context.layers.view(layer)
    scope: dict[str, object] = {
        "layer_name": layer.name,
        "layer_id": layer.id,
        "layer": layer.id,
        "layer_crs": layer.crs.authid if layer.crs else "",
        **layer.variables,
    }
    return context.with_layer(view, scope)
