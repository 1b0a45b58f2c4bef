"""The project as frozen data: built once when a file is read, shared by all requests, never edited.

Nothing here was asked of a data source: names, widgets, geometry types and extents are those written in the project
file. ``dataclasses.replace`` makes the variant a request wants.
"""

from __future__ import annotations

from qgserver.project.model.layers import (
    Dimension,
    FieldConfig,
    FormContainer,
    Join,
    Layer,
    Link,
    OptionValue,
    OtherLayer,
    RasterLayer,
    RasterStyle,
    ScaleRange,
    Simplify,
    Style,
    Temporal,
    VectorLayer,
    VirtualField,
    Widget,
)
from qgserver.project.model.project import CoordinateOperation, Project
from qgserver.project.model.services import (
    Contact,
    Inspire,
    ServiceInfo,
    WfsProperties,
    WmsProperties,
)
from qgserver.project.model.tree import (
    Group,
    Relation,
    Theme,
    ThemeLayer,
    TreeLayer,
)

__all__ = [
    "Contact",
    "CoordinateOperation",
    "Dimension",
    "FieldConfig",
    "FormContainer",
    "Group",
    "Inspire",
    "Join",
    "Layer",
    "Link",
    "OptionValue",
    "OtherLayer",
    "Project",
    "RasterLayer",
    "RasterStyle",
    "Relation",
    "ScaleRange",
    "ServiceInfo",
    "Simplify",
    "Style",
    "Temporal",
    "Theme",
    "ThemeLayer",
    "TreeLayer",
    "VectorLayer",
    "VirtualField",
    "WfsProperties",
    "Widget",
    "WmsProperties",
]
