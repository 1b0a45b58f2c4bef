"""Writes symbols.gpkg and symbols.qgs into a folder: many features with the symbols that are work to draw.

Run with the Python that has PyQGIS: /usr/bin/python3 bench/make_symbols.py FOLDER
"""

import math
import os
import random
import sys
from pathlib import Path

from qgis.core import (
    QgsApplication,
    QgsCoordinateReferenceSystem,
    QgsFeature,
    QgsFillSymbol,
    QgsGeometry,
    QgsGradientFillSymbolLayer,
    QgsLinePatternFillSymbolLayer,
    QgsLineSymbol,
    QgsMarkerLineSymbolLayer,
    QgsMarkerSymbol,
    QgsPointPatternFillSymbolLayer,
    QgsPointXY,
    QgsProject,
    QgsSingleSymbolRenderer,
    QgsSvgMarkerSymbolLayer,
    QgsVectorFileWriter,
    QgsVectorLayer,
)
from qgis.PyQt.QtGui import QColor

SIDE = 10_000.0
"""Metres: the data fill a square from (0, 0)."""
SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 20 20"><circle cx="10" cy="10" r="8" fill="param(fill)" '
    'stroke="param(outline)" stroke-width="param(outline-width)"/><path d="M10 4v12M4 10h12" stroke="#fff" '
    'stroke-width="2"/></svg>'
)


def points(chance, count):
    for _ in range(count):
        yield QgsGeometry.fromPointXY(QgsPointXY(chance.uniform(0, SIDE), chance.uniform(0, SIDE)))


def lines(chance, count):
    for _ in range(count):
        x, y, way = chance.uniform(0, SIDE), chance.uniform(0, SIDE), chance.uniform(0, 2 * math.pi)
        line = []
        for _ in range(6):
            line.append(QgsPointXY(x, y))
            way += chance.uniform(-0.7, 0.7)
            x, y = x + 60 * math.cos(way), y + 60 * math.sin(way)
        yield QgsGeometry.fromPolylineXY(line)


def areas(chance, count):
    """Cells of a grid, a little smaller than they could be, with crooked sides."""
    across = math.ceil(math.sqrt(count))
    step = SIDE / across
    for number in range(count):
        x, y = (number % across + 0.5) * step, (number // across + 0.5) * step
        ring = []
        for corner in range(12):
            radius, angle = step * chance.uniform(0.3, 0.48), corner * math.pi / 6
            ring.append(QgsPointXY(x + radius * math.cos(angle), y + radius * math.sin(angle)))
        yield QgsGeometry.fromPolygonXY([[*ring, ring[0]]])


def symbol_of(symbol, layer):
    symbol.changeSymbolLayer(0, layer)
    return symbol


def svg_marker(folder):
    path = folder / "marker.svg"
    path.write_text(SVG)
    layer = QgsSvgMarkerSymbolLayer(str(path), 4)
    layer.setFillColor(QColor("#d62828"))
    layer.setStrokeColor(QColor("#333333"))
    return symbol_of(QgsMarkerSymbol(), layer)


def marker_line(_):
    layer = QgsMarkerLineSymbolLayer(True, 3)
    layer.setSubSymbol(QgsMarkerSymbol.createSimple({"name": "triangle", "size": "1.6", "color": "#2a9d8f"}))
    return symbol_of(QgsLineSymbol(), layer)


def gradient(_):
    return symbol_of(QgsFillSymbol(), QgsGradientFillSymbolLayer(QColor("#264653"), QColor("#e9c46a")))


def hatch(_):
    layer = QgsLinePatternFillSymbolLayer()
    layer.setLineAngle(30)
    layer.setDistance(1.5)
    layer.setSubSymbol(QgsLineSymbol.createSimple({"line_color": "#e76f51", "line_width": "0.3"}))
    return symbol_of(QgsFillSymbol(), layer)


def dotted(_):
    layer = QgsPointPatternFillSymbolLayer()
    layer.setDistanceX(2)
    layer.setDistanceY(2)
    layer.setSubSymbol(QgsMarkerSymbol.createSimple({"name": "circle", "size": "1", "color": "#6a4c93"}))
    return symbol_of(QgsFillSymbol(), layer)


LAYERS = [
    ("svg_markers", "Point", points, 20_000, svg_marker),
    ("marker_lines", "LineString", lines, 20_000, marker_line),
    ("gradient_fills", "Polygon", areas, 5_000, gradient),
    ("line_patterns", "Polygon", areas, 5_000, hatch),
    ("point_patterns", "Polygon", areas, 5_000, dotted),
]


def write_table(path, name, kind, shapes, first):
    memory = QgsVectorLayer(f"{kind}?crs=EPSG:3857&field=n:int", name, "memory")
    features = []
    for number, geometry in enumerate(shapes):
        feature = QgsFeature(memory.fields())
        feature.setGeometry(geometry)
        feature.setAttributes([number])
        features.append(feature)
    memory.dataProvider().addFeatures(features)
    options = QgsVectorFileWriter.SaveVectorOptions()
    options.driverName, options.layerName = "GPKG", name
    if not first:
        options.actionOnExistingFile = QgsVectorFileWriter.CreateOrOverwriteLayer
    QgsVectorFileWriter.writeAsVectorFormatV3(memory, str(path), QgsProject.instance().transformContext(), options)


def main(folder):
    folder.mkdir(parents=True, exist_ok=True)
    data = folder / "symbols.gpkg"
    data.unlink(missing_ok=True)
    project = QgsProject()
    project.setCrs(QgsCoordinateReferenceSystem("EPSG:3857"))
    for number, (name, kind, make, count, symbol) in enumerate(LAYERS):
        write_table(data, name, kind, make(random.Random(number), count), number == 0)
        layer = QgsVectorLayer(f"{data}|layername={name}", name, "ogr")
        layer.setRenderer(QgsSingleSymbolRenderer(symbol(folder)))
        project.addMapLayer(layer)
    if not project.write(str(folder / "symbols.qgs")):
        sys.exit("the project was not written")


if __name__ == "__main__":
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    app = QgsApplication([], False)
    app.initQgis()
    main(Path(sys.argv[1]).resolve())
    app.exitQgis()
