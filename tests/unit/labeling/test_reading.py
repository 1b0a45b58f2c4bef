"""Reading of ``<labeling>`` and of what QGIS 2.x wrote instead."""

from __future__ import annotations

import pytest

from qgserver.errors import Problem
from qgserver.expression.nodes import FieldRef
from qgserver.labeling.model import Mode
from qgserver.labeling.reading import read_labeling
from qgserver.labeling.settings import LabelSettings

SIMPLE = (
    '<labeling type="simple"><settings><text-style fieldName="{field}" isExpression="{expression}"/>'
    "<placement {placement}/><rendering {rendering}/>{rest}</settings></labeling>"
)


def simple(
    field: str = "name", expression: str = "0", placement: str = "", rendering: str = "", rest: str = ""
) -> tuple[LabelSettings | None, tuple[Problem, ...]]:
    text = SIMPLE.format(field=field, expression=expression, placement=placement, rendering=rendering, rest=rest)
    labeling, problems = read_labeling(text, "layer")
    return labeling.root.children[0].settings, problems


def test_defaults() -> None:
    settings, problems = simple()
    assert settings is not None and not problems
    assert settings.wording.node == FieldRef("name")
    assert settings.placement.mode == Mode.AROUND_POINT
    assert settings.rendering.obstacle and settings.rendering.priority == 5
    assert settings.used_fields() == {"name"}


@pytest.mark.parametrize(
    "given",
    [
        {"field": "1 +", "expression": "1"},
        {"placement": 'placement="42"'},
        {"placement": 'dist="NaN"'},
        {"placement": 'xOffset="wide"'},
        {"placement": 'geometryGeneratorEnabled="1" geometryGenerator="buffer("'},
    ],
)
def test_what_cannot_be_read_leaves_the_layer_without_labels(given: dict[str, str]) -> None:
    settings, problems = simple(**given)
    assert settings is None
    assert problems


def test_renamed_data_defined_properties() -> None:
    option = (
        '<dd_properties><Option type="Map"><Option name="properties" type="Map"><Option name="{}" type="Map">'
        '<Option name="active" value="true"/><Option name="type" value="2"/><Option name="field" value="a"/>'
        "</Option></Option></Option></dd_properties>"
    )
    settings, _ = simple(rest=option.format("Rotation"))
    assert settings is not None and set(settings.properties.items) == {"LabelRotation"}
    settings, _ = simple(rest=option.format("MinScale"))
    assert settings is not None and set(settings.properties.items) == {"MaximumScale"}


def test_rules_are_read_as_a_tree_and_broken_filters_leave_rules_out() -> None:
    text = (
        '<labeling type="rule-based"><rules><rule filter="a = 1" scalemindenom="10" scalemaxdenom="100"><settings/>'
        '<rule filter="ELSE" active="0"/></rule><rule filter="("/></rules></labeling>'
    )
    labeling, problems = read_labeling(text, "layer")
    (rule,) = labeling.root.children
    assert rule.scales.contains(10) and rule.scales.contains(100) and not rule.scales.contains(101)
    assert rule.children[0].is_else and not rule.children[0].active
    assert [problem.element for problem in problems] == ["labeling rule filter"]


def test_labels_of_2_x() -> None:
    text = (
        '<customproperties><property key="labeling" value="pal"/><property key="labeling/fieldName" value="name"/>'
        '<property key="labeling/placement" value="2"/><property key="labeling/dist" value="3"/>'
        '<property key="labeling/distInMapUnits" value="true"/><property key="labeling/repeatDistance" value="4"/>'
        '<property key="labeling/repeatDistanceUnit" value="1"/><property key="labeling/textColorR" value="255"/>'
        '<property key="labeling/textColorG" value="0"/><property key="labeling/textColorB" value="0"/>'
        '<property key="labeling/dataDefined/Size" value="1~~0~~~~size"/>'
        '<property key="labeling/dataDefined/Bold" value="0~~0~~~~bold"/></customproperties>'
    )
    labeling, problems = read_labeling(text, "layer")
    settings = labeling.root.children[0].settings
    assert settings is not None and not problems
    assert settings.placement.mode == Mode.LINE
    assert (settings.placement.distance.value, settings.placement.distance.unit) == (3, "MapUnit")
    assert settings.placement.repeat.unit == "MM"
    assert settings.format.color == (1.0, 0.0, 0.0, 1.0)
    assert set(settings.properties.items) == {"Size"}


def test_no_xml() -> None:
    labeling, problems = read_labeling("<labeling", "layer")
    assert labeling.root.children == () and len(problems) == 1
