"""What a GetFeatureInfo answer is made of once everything is settled; handed from ``getfeatureinfo`` to the formats."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from qgserver.expression.columns import to_values
from qgserver.expression.geometries import number_format, wkt
from qgserver.geo.crs import Crs
from qgserver.geo.extent import Extent
from qgserver.geo.geometry import Floats, GeometryArray
from qgserver.geo.wkb import to_shapely
from qgserver.project.model import FormContainer, WmsProperties
from qgserver.project.represent import Display
from qgserver.providers.batch import Column
from qgserver.providers.protocol import Field

NO_DATA = "no data"
"""What people read where a raster has no value."""
NULL = "NULL"
"""The feature id of a raster's values in GML."""
MAP_TIP, GEOMETRY = "maptip", "geometry"
"""Names of the two attributes that are none of the layer's."""


@dataclass(frozen=True, slots=True)
class Attribute:
    """A column to show: ``label`` is the alias or the field's name."""

    field: Field
    label: str
    column: Column
    display: Display

    def texts(self) -> list[str]:
        """What a form would show for each feature."""
        return self.display.texts(self.field, to_values(self.column))

    def labels(self) -> list[str | None] | None:
        """What stands for the values in a format that has types (None: the values themselves)."""
        return self.display.labels(self.field, to_values(self.column))


@dataclass(frozen=True, slots=True)
class LayerInfo:
    """A layer of the answer, perhaps without features. ``name`` is shown to people, ``type_name`` the WMS name.
    ``geometry`` and ``boxes`` (float64[n, 4]) are in the CRS asked for, None when they are not to be shown. ``form``
    nests the attributes in tabs and groups; None = a plain list. ``bands``: names and values of a raster layer (None is
    no value), outside of it none; None = not a raster layer."""

    name: str
    type_name: str
    fids: tuple[str, ...] = ()
    attributes: tuple[Attribute, ...] = ()
    tips: tuple[str, ...] | None = None
    boxes: Floats | None = None
    geometry: GeometryArray | None = None
    form: FormContainer | None = None
    bands: tuple[tuple[str, float | None], ...] | None = None

    @property
    def shown(self) -> tuple[Attribute, ...]:
        """The attributes to show: those of the form in its order, else all."""
        if self.form is None:
            return self.attributes
        by_name = {item.field.name: item for item in self.attributes}
        return tuple(by_name[name] for name in self.form.fields() if name in by_name)

    def band_texts(self, nothing: str) -> list[tuple[str, str]]:
        """(name, text) pairs of a raster's bands, six digits as in QGIS."""
        return [(name, nothing if value is None else f"{value:.6g}") for name, value in self.bands or ()]

    def wkt(self, precision: int) -> list[str] | None:
        """The geometries as QGIS writes WKT."""
        if self.geometry is None:
            return None
        return ["" if shape is None else wkt(shape, precision) for shape in to_shapely(self.geometry)]

    def rows(self, precision: int) -> list[list[tuple[str, str]]]:
        """(label, text) pairs of each feature: attributes, map tip, geometry."""
        columns = [(attribute.label, attribute.texts()) for attribute in self.shown]
        columns += [(MAP_TIP, list(self.tips))] if self.tips is not None else []
        shapes = self.wkt(precision)
        columns += [(GEOMETRY, shapes)] if shapes is not None else []
        return [[(label, texts[row]) for label, texts in columns] for row in range(len(self.fids))]


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer. ``box`` holds all features (of a request by filter only); ``precision`` is that of coordinates;
    ``project`` the names and forms its author wants."""

    version: str
    crs: Crs
    layers: tuple[LayerInfo, ...]
    precision: int
    project: WmsProperties
    box: Extent | None = None


def box_numbers(box: Sequence[float], precision: int) -> tuple[str, ...] | None:
    """minx, miny, maxx, maxy as text; None for no box."""
    write: Callable[[float], str] = number_format(precision)
    return None if bool(np.isnan(box[0])) else tuple(write(float(value)) for value in box)
