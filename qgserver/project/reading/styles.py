"""What decides a layer's picture: the style of the layer itself and those of its style manager."""

from __future__ import annotations

from collections.abc import Mapping

from qgserver.errors import Problems
from qgserver.project.model import OptionValue, RasterStyle, ScaleRange, Simplify, Style
from qgserver.project.reading.elements import Element, flag, integer, number, text, xml_text
from qgserver.project.reading.options import custom_properties
from qgserver.rasters.reading import read_pipe
from qgserver.symbology.renderer import read_renderer

_DIAGRAM_TAGS = (
    "SingleCategoryDiagramRenderer",
    "LinearlyInterpolatedDiagramRenderer",
    "StackedDiagramRenderer",
    "DiagramLayerSettings",
)


def style_elements(layer: Element) -> tuple[str, dict[str, Element]]:
    """Name of the current style, and name -> element that holds the style: the layer itself for the current one (its
    own entry in the manager is empty), a ``<qgis>`` document for the others. There is always at least one. A style
    without a name (2.x) is called ``default``."""
    manager = layer.find("map-layer-style-manager")
    current = (manager.get("current") if manager is not None else None) or "default"
    elements = {current: layer}
    for entry in () if manager is None else manager.iterfind("map-layer-style"):
        name, document = entry.get("name") or "default", entry.find("qgis")
        if document is not None and name != current:
            elements[name] = document
    return current, elements


def read_vector_style(name: str, element: Element, layer_name: str, problems: Problems) -> Style:
    """One style of a vector layer, from ``<maplayer>`` or from a stored ``<qgis>`` document."""
    renderer = element.find("renderer-v2")
    properties = custom_properties(element)
    labels_enabled, labeling = _labeling(element, properties)
    map_tip = element.find("mapTip")
    return Style(
        name=name,
        renderer=read_renderer(renderer, layer_name, problems),
        opacity=_opacity(element),
        blend_mode=integer(text(element, "blendMode")),
        feature_blend_mode=integer(text(element, "featureBlendMode")),
        scale_range=read_scale_range(element),
        simplify=_simplify(element),
        reference_scale=number(
            None if renderer is None else renderer.get("referencescale"),
            number(element.get("symbologyReferenceScale"), -1.0),
        ),
        labels_enabled=labels_enabled,
        labeling=labeling,
        diagrams=_diagrams(element),
        map_tip=(map_tip.text or "") if map_tip is not None and flag(map_tip.get("enabled"), True) else "",
        display_expression=text(element, "previewExpression") or text(element, "displayfield"),
        rendering_order_above_labels=flag(str(properties.get("rendering/renderAboveLabels", ""))),
    )


def read_raster_style(name: str, element: Element, layer_name: str, problems: Problems) -> RasterStyle:
    """One style of a raster layer, from ``<maplayer>`` or from a stored ``<qgis>`` document."""
    return RasterStyle(
        name=name,
        pipe=read_pipe(element, layer_name, problems),
        blend_mode=integer(text(element, "blendMode")),
        scale_range=read_scale_range(element),
    )


def read_scale_range(element: Element) -> ScaleRange:
    """Scale limits as denominators. 2.x wrote ``minimumScale`` for the smaller denominator, 3.x writes ``maxScale``."""
    if not flag(element.get("hasScaleBasedVisibilityFlag")):
        return ScaleRange()
    return ScaleRange(
        min_scale=number(element.get("minScale", element.get("maximumScale"))),
        max_scale=number(element.get("maxScale", element.get("minimumScale"))),
    )


def _opacity(element: Element) -> float:
    """``layerOpacity`` 0..1; 2.x wrote ``layerTransparency``, percent transparent."""
    transparency = number(text(element, "layerTransparency"))
    return min(1.0, max(0.0, number(text(element, "layerOpacity"), 1.0 - transparency / 100)))


def _simplify(element: Element) -> Simplify:
    return Simplify(
        hints=integer(element.get("simplifyDrawingHints"), 1),
        tolerance=number(element.get("simplifyDrawingTol"), 1.0),
        algorithm=integer(element.get("simplifyAlgorithm"), 0),
        max_scale=number(element.get("simplifyMaxScale"), 1.0),
    )


def _labeling(element: Element, properties: Mapping[str, OptionValue]) -> tuple[bool, str]:
    """Whether labels are drawn, and the XML that describes them: ``<labeling>``, or the ``<customproperties>`` that
    2.x kept ``labeling/*`` in, the later ones with an empty ``<labeling>`` beside them. A missing ``labelsEnabled``
    means on (measured)."""
    labeling = element.find("labeling")
    if labeling is not None and len(labeling):
        return flag(element.get("labelsEnabled"), True), xml_text(labeling)
    custom = element.find("customproperties")
    if custom is not None and properties.get("labeling") == "pal":
        return flag(str(properties.get("labeling/enabled", ""))), xml_text(custom)
    return False, ""


def _diagrams(element: Element) -> str:
    """The diagram elements inside one ``<diagrams>``, "" when there are none or they are switched off."""
    parts = [part for tag in _DIAGRAM_TAGS if (part := element.find(tag)) is not None]
    renderers = [part for part in parts if part.tag != "DiagramLayerSettings"]
    if not any(flag(category.get("enabled"), True) for part in renderers for category in part.iter("DiagramCategory")):
        return ""
    return "<diagrams>" + "".join(map(xml_text, parts)) + "</diagrams>"
