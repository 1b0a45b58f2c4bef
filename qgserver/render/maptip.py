"""Map tips: the author's text with ``[% expression %]`` in it."""

from __future__ import annotations

from dataclasses import dataclass

from qgserver.errors import ExpressionError
from qgserver.expression.columns import to_values
from qgserver.expression.context import Context
from qgserver.expression.evaluate import evaluate
from qgserver.expression.nodes import Node, needs_geometry, used_fields
from qgserver.expression.template import split_template
from qgserver.expression.values import to_text
from qgserver.providers.batch import Batch
from qgserver.symbology.properties import merge_fields


@dataclass(frozen=True, slots=True)
class Template:
    """A text taken apart: pieces of text and expressions, in order."""

    parts: tuple[str | Node, ...]

    def used_fields(self) -> frozenset[str] | None:
        """Columns that the expressions need; None = all."""
        return merge_fields(used_fields(part) for part in self._nodes())

    def needs_geometry(self) -> bool:
        """Whether an expression looks at the geometry."""
        return any(needs_geometry(part) for part in self._nodes())

    def texts(self, batch: Batch, context: Context) -> list[str]:
        """The text for each feature. What evaluates to NULL or not at all leaves nothing. Values are never evaluated
        themselves: data is not a template (QGIS Server evaluates it)."""
        columns = [
            [part] * len(batch) if isinstance(part, str) else _column(part, batch, context) for part in self.parts
        ]
        return ["".join(row) for row in zip(*columns, strict=True)] if columns else [""] * len(batch)

    def _nodes(self) -> list[Node]:
        return [part for part in self.parts if not isinstance(part, str)]


def read_template(text: str) -> Template:
    """The template."""
    return Template(split_template(text))


def _column(node: Node, batch: Batch, context: Context) -> list[str]:
    try:
        return [to_text(value) for value in to_values(evaluate(node, batch, context))]
    except ExpressionError:
        return [""] * len(batch)
