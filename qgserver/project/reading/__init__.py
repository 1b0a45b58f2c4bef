"""A project file into the frozen model. No data source is opened, nothing is read but the bytes given.

One module per section of the file; this one calls them in order.
"""

from __future__ import annotations

import os.path
from itertools import chain
from typing import TYPE_CHECKING

from qgserver.errors import Problems
from qgserver.project.model import Project
from qgserver.project.reading.context import read_context
from qgserver.project.reading.crs import read_operations, read_project_crs
from qgserver.project.reading.document import parse_document, project_version
from qgserver.project.reading.elements import Element, text
from qgserver.project.reading.embedded import OpenProject, embed
from qgserver.project.reading.entries import Entries
from qgserver.project.reading.labels import read_engine
from qgserver.project.reading.layers import read_layers
from qgserver.project.reading.relations import read_relations
from qgserver.project.reading.services import read_color, read_service, read_variables, read_wfs, read_wms
from qgserver.project.reading.themes import read_themes
from qgserver.project.reading.tree import read_custom_order, read_tree
from qgserver.symbology.assets import Assets

if TYPE_CHECKING:
    from qgserver.project.model.layouts import Layout


def read_project(data: bytes, path: str, problems: Problems, open_project: OpenProject | None = None) -> Project:
    """Read the XML of a ``.qgs``. ``path`` is where it lies (relative data sources start from its folder), or "".

    ``open_project`` reads another project file, for groups and layers embedded from it; without it they are left out.
    What is not understood goes to ``problems`` (and ``Project.problems``). Raises ``ProjectError`` only when the
    bytes are no QGIS project at all.
    """
    root = parse_document(data)
    entries = Entries(root.find("properties"))
    folder = os.path.dirname(path)
    context = read_context(root, folder, entries, problems)
    tree, layers = embed(root, read_tree(root, context.names), read_layers(root, context), context, open_project)
    return Project(
        path=path,
        version=project_version(root),
        title=text(root, "title"),
        abstract=text(root, "projectMetadata/abstract"),
        crs=read_project_crs(root, entries),
        layers=layers,
        tree=tree,
        custom_order=read_custom_order(root),
        themes=read_themes(root, tree),
        relations=read_relations(root),
        service=read_service(entries),
        wms=read_wms(entries),
        wfs=read_wfs(entries),
        layouts=_layouts(root, problems),
        variables=read_variables(entries),
        ellipsoid=entries.text("Measure/Ellipsoid"),
        distance_units=entries.text("Measurement/DistanceUnits"),
        area_units=entries.text("Measurement/AreaUnits"),
        background=read_color(entries, "Gui/CanvasColor", (1.0, 1.0, 1.0, 1.0)),
        selection_color=read_color(entries, "Gui/SelectionColor", (1.0, 1.0, 0.0, 1.0)),
        operations=read_operations(root),
        labels=read_engine(entries),
        problems=tuple(problems.items),
        assets=Assets(folder),
    )


def _layouts(root: Element, problems: Problems) -> tuple[Layout, ...]:
    if next(chain(root.iterfind("Layouts/*"), root.iterfind("Composer")), None) is None:
        return ()
    from qgserver.project.reading.layouts import read_layouts  # a good part of the model, and no map needs it

    return read_layouts(root, problems)
