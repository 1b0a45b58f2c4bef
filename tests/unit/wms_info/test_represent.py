"""What widgets show, as measured on QGIS Server 3.22."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path

import pytest

from qgserver.errors import Problems
from qgserver.expression.context import Context
from qgserver.expression.values import Value
from qgserver.project.model import FieldConfig, OptionValue, Project, Relation, VectorLayer, Widget
from qgserver.project.reading import read_project
from qgserver.project.related import Related
from qgserver.project.represent import Display, display_text, fixed
from qgserver.providers import Sources
from qgserver.providers.protocol import Field, FieldType

FIXTURES = Path(__file__).parents[3] / "fixtures"
LABELS: list[OptionValue] = [{"One <1>": "1"}, {"none": "{2839923C-8B7D-419E-B84B-CA2FE9B80EC7}"}]
STATES: dict[str, OptionValue] = {"CheckedState": "yes", "UncheckedState": "no"}
NOON = dt.datetime(2021, 3, 4, 5, 6, 7, 89_000)


@pytest.fixture(scope="module")
def project() -> Project:
    file = FIXTURES / "projects/featureinfo.qgs"
    return read_project(file.read_bytes(), str(file), Problems())


def display(project: Project, sources: Sources, kind: str, config: dict[str, OptionValue]) -> Display:
    layer = project.layers["pts_layer_000"]
    assert isinstance(layer, VectorLayer)
    layer = replace(layer, fields=(FieldConfig("f", widget=Widget(kind, config)),))
    return Display(layer, Related(project, sources, Context()))


@pytest.mark.parametrize(
    ("kind", "config", "type_", "value", "text"),
    [
        ("", {}, "string", None, "NULL"),
        ("", {}, "double", 1e20, "1e+20"),
        ("", {}, "bool", True, "true"),
        ("ValueMap", {"map": LABELS}, "int", 1, "One <1>"),
        ("ValueMap", {"map": LABELS}, "int", 2, "(2)"),
        ("ValueMap", {"map": LABELS}, "int", None, "none"),
        ("ValueMap", {"map": LABELS[:1]}, "int", None, "(NULL)"),
        ("DateTime", {"display_format": "d. MMMM yy"}, "date", dt.date(2021, 3, 4), "4. March 21"),
        ("DateTime", {}, "datetime", NOON, "2021-03-04 05:06:07 (UTC)"),
        ("DateTime", {"display_format": "dd/MM/yyyy hh:mm"}, "datetime", NOON, "04/03/2021 05:06"),
        ("DateTime", {"display_format": "HH-mm", "field_format": "HH:mm:ss"}, "string", "05:06:07", "05-06"),
        ("DateTime", {"display_format": "HH-mm", "field_format": "HH:mm:ss"}, "string", "junk", "junk"),
        ("DateTime", {}, "date", None, "NULL"),
        ("Range", {"Precision": 2}, "double", 1234.5678, "1234.57"),
        ("Range", {"Precision": 0}, "double", -0.000123, "-0"),
        ("Range", {}, "double", 1234567.891, "1234567.891"),
        ("Range", {"Precision": 1}, "double", None, "NULL"),
        ("CheckBox", STATES, "bool", None, "false"),
        ("CheckBox", STATES, "string", "yes", "true"),
        ("CheckBox", STATES | {"TextDisplayMethod": 1}, "string", "yes", "yes"),
        ("CheckBox", STATES, "string", "Q", "(Q)"),
        ("KeyValue", {}, "map", {"b": 1, "a": "x"}, "a: x, b: 1"),
        ("KeyValue", {}, "string", '{"a":1}', ""),
        ("List", {}, "list", ["a", "b"], "a, b"),
    ],
)
def test_texts(
    project: Project,
    sources: Sources,
    kind: str,
    config: dict[str, OptionValue],
    type_: FieldType,
    value: Value,
    text: str,
) -> None:
    assert display(project, sources, kind, config).texts(Field("f", type_), [value]) == [text]


def test_labels_are_for_codes(project: Project, sources: Sources) -> None:
    field = Field("f", "int")
    assert display(project, sources, "ValueMap", {"map": LABELS}).labels(field, [1, 9]) == ["One <1>", "(9)"]
    assert display(project, sources, "DateTime", {}).labels(field, [1]) is None
    assert display(project, sources, "KeyValue", {}).labels(field, ["text", None]) == [None, "NULL"]


RELATION: dict[str, OptionValue] = {"Layer": "parents_layer_002", "Key": "code", "Value": "label"}


def test_value_relation(project: Project, sources: Sources) -> None:
    field = Field("f", "string")
    shown = display(project, sources, "ValueRelation", RELATION)
    assert shown.texts(field, ["school", "no such", None]) == ["Label of school", "(no such)", "NULL"]
    filtered = display(project, sources, "ValueRelation", RELATION | {"FilterExpression": "\"code\" <> 'school'"})
    assert filtered.texts(field, ["school", "park"]) == ["(school)", "Label of park"]
    form = display(project, sources, "ValueRelation", RELATION | {"FilterExpression": "@current_geometry is null"})
    assert form.texts(field, ["school"]) == ["Label of school"]


def test_value_relation_with_many(project: Project, sources: Sources) -> None:
    field = Field("f", "string")
    shown = display(project, sources, "ValueRelation", RELATION | {"AllowMulti": True})
    values = ["{school,park}", '{"school","zz"}', ["park"], '["school"]', "school", None]
    both = "Label of park, Label of school"
    assert shown.texts(field, values) == [both, "Label of school", "Label of park", "Label of school", "", ""]
    assert shown.labels(field, values[:1]) == ["{" + both + "}"]


def test_relation_reference(project: Project, sources: Sources) -> None:
    parents = project.layers["parents_layer_002"]
    assert isinstance(parents, VectorLayer)
    style = replace(parents.style, display_expression="'P: ' || \"label\"")
    parents = replace(parents, styles={**parents.styles, parents.style_name: style})
    relation = Relation("r", "r", "pts_layer_000", parents.id, (("f", "code"),))
    changed = replace(project, layers={**project.layers, parents.id: parents}, relations=(relation,))
    shown = display(changed, sources, "RelationReference", {"Relation": "r"})
    assert shown.texts(Field("f", "string"), ["school", "zz", None]) == ["P: Label of school", "zz", "NULL"]


def test_broken_related_layer(project: Project, sources: Sources) -> None:
    parents = project.layers["parents_layer_002"]
    assert isinstance(parents, VectorLayer)
    gone = replace(parents, source=replace(parents.source, path="/nowhere/at-all.gpkg"))
    changed = replace(project, layers={**project.layers, parents.id: gone})
    assert display(changed, sources, "ValueRelation", RELATION).texts(Field("f", "string"), ["park"]) == ["(park)"]


@pytest.mark.parametrize(
    ("value", "precision", "text"),
    [(0.00123, 5, "0.00123"), (1234.5, 5, "1234.50000"), (-0.999, 2, "-1"), (0.0, 2, "0"), (12.345, 2, "12.35")],
)
def test_declared_decimals(value: float, precision: int, text: str) -> None:
    assert display_text(Field("f", "double", precision=precision), value) == text


def test_halves_go_away_from_zero() -> None:
    assert [fixed(-0.25, 1), fixed(0.25, 1), fixed(1.005, 2), fixed(-0.001, 2)] == ["-0.3", "0.3", "1.00", "-0.00"]
    assert fixed(float("inf"), 2) == "inf"
