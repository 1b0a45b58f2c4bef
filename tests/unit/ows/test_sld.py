"""Expressions as OGC filters and styles as Symbology Encoding; expected texts are those of QGIS Server 3.22 or the
standard's own words."""

from __future__ import annotations

import pytest

from qgserver.expression.parser import parse
from qgserver.ows.feswrite import write_filter
from qgserver.ows.sld import feature_type_style
from qgserver.project.model import ScaleRange, Style
from qgserver.symbology.layers.simpleline import SimpleLine
from qgserver.symbology.options import Length
from qgserver.symbology.renderer import Common
from qgserver.symbology.renderers.null import NullRenderer
from qgserver.symbology.renderers.rules import Rule, RuleRenderer
from qgserver.symbology.renderers.single import SingleRenderer
from qgserver.symbology.symbol import Symbol

NUM = "<ogc:PropertyName>num</ogc:PropertyName>"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('"num" > 49', f"<ogc:PropertyIsGreaterThan>{NUM}<ogc:Literal>49</ogc:Literal></ogc:PropertyIsGreaterThan>"),
        (
            "\"num\" in ('a','<b')",
            f"<ogc:Or><ogc:PropertyIsEqualTo>{NUM}<ogc:Literal>a</ogc:Literal></ogc:PropertyIsEqualTo>"
            f"<ogc:PropertyIsEqualTo>{NUM}<ogc:Literal>&lt;b</ogc:Literal></ogc:PropertyIsEqualTo></ogc:Or>",
        ),
        ('"num" IS NOT NULL', f"<ogc:Not><ogc:PropertyIsNull>{NUM}</ogc:PropertyIsNull></ogc:Not>"),
        (
            '"num" + 1 <= abs("num")',
            f"<ogc:PropertyIsLessThanOrEqualTo><ogc:Add>{NUM}<ogc:Literal>1</ogc:Literal></ogc:Add>"
            f'<ogc:Function name="abs">{NUM}</ogc:Function></ogc:PropertyIsLessThanOrEqualTo>',
        ),
    ],
)
def test_a_filter(text: str, expected: str) -> None:
    head = '<ogc:Filter xmlns:ogc="http://www.opengis.net/ogc">'
    assert write_filter(parse(text)) == f"{head}{expected}</ogc:Filter>"


@pytest.mark.parametrize("text", ['"num" % 2 = 0', "$area > 5", "@x = 1", '"secret" = 1', 'NOT ("num" || 1) = 2'])
def test_what_filters_cannot_or_must_not_say(text: str) -> None:
    assert write_filter(parse(text), frozenset({"secret"})) is None


LINE = Symbol("line", (SimpleLine(width=Length(0.1), offset=Length(-1.4), style="dash"),), opacity=0.5)


def test_a_line() -> None:
    assert feature_type_style(Style("", SingleRenderer(Common(), (LINE,))), frozenset()) == (
        "<se:FeatureTypeStyle><se:Rule><se:Name>Single symbol</se:Name><se:LineSymbolizer><se:Stroke>"
        '<se:SvgParameter name="stroke">#232323</se:SvgParameter>'
        '<se:SvgParameter name="stroke-opacity">0.5</se:SvgParameter>'
        '<se:SvgParameter name="stroke-width">1</se:SvgParameter>'
        '<se:SvgParameter name="stroke-linejoin">bevel</se:SvgParameter>'
        '<se:SvgParameter name="stroke-linecap">square</se:SvgParameter>'
        '<se:SvgParameter name="stroke-dasharray">4 2</se:SvgParameter>'
        "</se:Stroke><se:PerpendicularOffset>-5</se:PerpendicularOffset></se:LineSymbolizer></se:Rule>"
        "</se:FeatureTypeStyle>"
    )


def test_rules_inherit_conditions_and_scales() -> None:
    inner = Rule(0, filter=parse('"num" < 3'), max_scale=4000.0)
    outer = Rule(-1, (inner,), parse('"num" > 1'), min_scale=500.0, max_scale=9000.0)
    off = Rule(0, active=False)
    renderer = RuleRenderer(Common(), (LINE,), Rule(-1, (outer, off, Rule(0, is_else=True))))
    text = feature_type_style(Style("", renderer), frozenset())
    assert text.count("<se:Rule>") == 2
    assert text.index("<ogc:And>") < text.index("<se:MinScaleDenominator>500<") < text.index(">4000</se:MaxScaleDenom")
    assert text.count("<se:ElseFilter/>") == 1


def test_a_renderer_without_equivalent_is_a_comment() -> None:
    assert "<!--" in feature_type_style(Style("", NullRenderer()), frozenset())


def test_the_scales_of_a_layer_bound_those_of_its_rules() -> None:
    renderer = RuleRenderer(Common(), (LINE,), Rule(-1, (Rule(0, max_scale=9000.0), Rule(0))))
    text = feature_type_style(Style("", renderer, scale_range=ScaleRange(min_scale=5e4)), frozenset())
    bounds = "<se:MinScaleDenominator>0</se:MinScaleDenominator><se:MaxScaleDenominator>{}</se:MaxScaleDenominator>"
    assert text.index(bounds.format(9000)) < text.index(bounds.format(50000))


SETTINGS = """<settings><text-style fieldName="{field}" isExpression="{expression}" fontFamily="Sans" fontSize="10"
 fontSizeUnit="Point" textColor="0,0,0,255" fontWeight="{weight}"><text-buffer bufferDraw="1" bufferSize="1"
 bufferSizeUnits="MM" bufferColor="255,255,255,255"/></text-style>
 <placement placement="{mode}" quadOffset="{quadrant}" dist="2" distUnits="MM" xOffset="5" yOffset="0"
 offsetUnits="MM"/><rendering scaleVisibility="1" scaleMin="1" scaleMax="50000001"/></settings>"""


def labels(**values: object) -> str:
    defaults = {"field": "name", "expression": 0, "weight": 50, "mode": 0, "quadrant": 4}
    xml = f'<labeling type="simple">{SETTINGS.format_map(defaults | values)}</labeling>'
    return feature_type_style(Style("", NullRenderer(), labels_enabled=True, labeling=xml), frozenset({"secret"}))


def test_labels_are_rules_with_text() -> None:
    text = labels()
    assert "<se:Label><ogc:PropertyName>name</ogc:PropertyName></se:Label>" in text
    assert '<se:SvgParameter name="font-size">13</se:SvgParameter></se:Font>' in text
    assert '<se:Halo><se:Radius>2</se:Radius><se:Fill><se:SvgParameter name="fill">#ffffff' in text
    assert "<se:MinScaleDenominator>1</se:MinScaleDenominator><se:MaxScaleDenominator>50000001</se" in text
    assert '<se:SvgParameter name="font-weight">bold</se:SvgParameter></se:Font>' in labels(weight=75)


@pytest.mark.parametrize(
    ("mode", "quadrant", "expected"),
    [
        (0, 4, "X>0</se:AnchorPointX><se:AnchorPointY>0.5</se:AnchorPointY></se:AnchorPoint><se:Displacement>"
         "<se:DisplacementX>4.95</se:DisplacementX><se:DisplacementY>4.95<"),
        (1, 2, "X>0</se:AnchorPointX><se:AnchorPointY>0</se:AnchorPointY></se:AnchorPoint><se:Displacement>"
         "<se:DisplacementX>18</se:DisplacementX><se:DisplacementY>0<"),
        (4, 4, "X>0.5</se:AnchorPointX><se:AnchorPointY>0.5</se:AnchorPointY></se:AnchorPoint></se:PointPlacement>"),
        (2, 4, "<se:LinePlacement><se:PerpendicularOffset>7</se:PerpendicularOffset><se:GeneralizeLine>true<"),
    ],
)  # fmt: skip
def test_places_of_labels(mode: int, quadrant: int, expected: str) -> None:
    assert expected in labels(mode=mode, quadrant=quadrant)


@pytest.mark.parametrize(
    ("field", "expression"), [("secret", 0), ("\"name\" || 'x'", 1), ("upper(&quot;secret&quot;)", 1)]
)
def test_labels_that_cannot_or_must_not_be_told(field: str, expression: int) -> None:
    text = labels(field=field.replace('"', "&quot;"), expression=expression)
    assert "TextSymbolizer" not in text and "secret" not in text
