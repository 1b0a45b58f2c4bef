"""Symbol layers, one file a class, imported when a project has such a layer."""

from qgserver.symbology.symbol import layers

layers.locate(
    __name__,
    {
        "arrowline": "ArrowLine",
        "centroidfill": "CentroidFill",
        "ellipsemarker": "EllipseMarker",
        "filledline": "FilledLine",
        "filledmarker": "FilledMarker",
        "fontmarker": "FontMarker",
        "geometrygenerator": "GeometryGenerator",
        "gradientfill": "GradientFill",
        "hashline": "HashLine",
        "interpolatedline": "InterpolatedLine",
        "lineburstline": "Lineburst LineburstLine",
        "linepatternfill": "LinePatternFill",
        "markerline": "MarkerLine",
        "maskmarker": "MaskMarker",
        "pointpatternfill": "PointPatternFill",
        "randommarkerfill": "RandomMarkerFill",
        "rasterfill": "RasterFill",
        "rasterline": "RasterLine",
        "rastermarker": "RasterMarker AnimatedMarker",
        "shapeburstfill": "ShapeburstFill",
        "simplefill": "SimpleFill",
        "simpleline": "SimpleLine",
        "simplemarker": "SimpleMarker",
        "svgfill": "SVGFill",
        "svgmarker": "SvgMarker",
        "vectorfield": "VectorField",
    },
)
