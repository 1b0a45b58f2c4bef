"""What a client's filter may use: published fields, client-safe functions, nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from qgserver.errors import ExpressionError, OwsError
from qgserver.expression.functions import unsafe_functions
from qgserver.expression.nodes import FieldRef, Node, Variable, bind, used_fields, walk
from qgserver.expression.parser import parse
from qgserver.ows.names import STANDARD_FIELDS


@dataclass(frozen=True, slots=True)
class PublishedField:
    """A field that clients may see: ``name`` in XML, ``field`` the column it comes from, its ``Field.type``."""

    name: str
    field: str
    type: str
    alias: str = ""


AnyField = TypeVar("AnyField", bound=PublishedField)


def standard_fields(published: Sequence[AnyField]) -> dict[str, AnyField]:
    """The properties that GML lets every feature have, by their names and in GML's order, and the fields that hold them
    (``STANDARD_FIELDS``)."""
    texts = {item.field: item for item in published if item.type == "string"}
    found = {name: texts.get(field, texts.get(name)) for field, name in STANDARD_FIELDS.items()}
    return {name: item for name, item in found.items() if item is not None}


def read_expression(text: str, properties: Sequence[PublishedField], *, hides: bool, locator: str) -> Node:
    """A client's QGIS expression, its fields in the layer's spelling. ``hides``: the layer has fields that are not
    published. Raises ``OwsError``: 400 for a syntax error or an unknown field, 403 for what clients may not use."""
    try:
        node = parse(text)
    except ExpressionError as error:
        raise OwsError(
            "InvalidParameterValue", f"The {locator} expression has errors: {error.message}", locator=locator
        ) from None
    aliases = [(item.field, item.alias) for item in properties]
    return checked(bind(node, [item.field for item in properties], aliases), properties, hides=hides, locator=locator)


def checked(node: Node, properties: Sequence[PublishedField], *, hides: bool, locator: str) -> Node:
    """The node itself. Raises as ``read_expression`` does. A hidden field and one that is not there look alike."""
    published = {item.field for item in properties}
    for part in walk(node):
        if isinstance(part, FieldRef) and part.name not in published:
            raise OwsError("InvalidParameterValue", f"There is no property {part.name[:80]}.", locator=locator)
        if isinstance(part, Variable):
            raise _refused(f"@{part.name}", locator)
    for name in unsafe_functions(node):
        raise _refused(name, locator)
    if hides and used_fields(node) is None:
        raise _refused("a function that may look at every field", locator)
    return node


def _refused(what: str, locator: str) -> OwsError:
    return OwsError("NoApplicableCode", f"{what[:80]} is not allowed in a filter.", locator=locator, status=403)
