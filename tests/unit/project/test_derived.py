"""What is kept with a part of the project goes with it."""

from __future__ import annotations

from dataclasses import replace

from qgserver.project.model import FieldConfig, VectorLayer
from qgserver.project.model.derived import once
from qgserver.providers.uri import parse_datasource


def layer(*fields: FieldConfig) -> VectorLayer:
    return VectorLayer("id", "name", "name", parse_datasource("memory", "Point", ""), None, fields=fields)


def test_made_once_for_each_part() -> None:
    made: list[str] = []

    @once
    def title(part: VectorLayer) -> str:
        made.append(part.name)
        return part.name.upper()

    first, second = layer(), replace(layer(), name="other")
    assert [title(first), title(second), title(first)] == ["NAME", "OTHER", "NAME"]
    assert made == ["name", "other"]


def test_a_changed_copy_knows_nothing_of_the_original() -> None:
    original = layer(FieldConfig("a", alias="first"), FieldConfig("a", alias="second"))
    assert original.field_config("a").alias == "first"
    assert replace(original, fields=(FieldConfig("a", alias="new"),)).field_config("a").alias == "new"
    assert original.field_config("b") == FieldConfig("b")
    assert replace(original) == original
