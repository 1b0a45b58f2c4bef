"""FILTER and SELECTION: a client's own filters and marked features, per layer name."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

from qgserver.errors import ExpressionError, OwsError
from qgserver.expression.functions import unsafe_functions
from qgserver.expression.nodes import Node, all_of
from qgserver.expression.parser import parse

SIGNS = frozenset({",", "(", ")", "=", "!=", "<>", "<", "<=", ">", ">=", "%"})
WORDS = SIGNS | {"IS", "NOT", "NULL", "AND", "OR", "IN", "LIKE", "ILIKE", "DMETAPHONE", "SOUNDEX"}
"""QGIS Server's white list; beside these only quoted names and values, and numbers."""
_TOKEN = re.compile(r"""'(?:[^']|'')*'|"(?:[^"]|"")*"|[^\s'"]+""")
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
_PIECE = re.compile(r"""((?:[^;'"]|'(?:[^']|'')*'|"(?:[^"]|"")*")+)(?:;|$)""")


def read_filters(text: str, names: Collection[str], extra_words: Collection[str] = ()) -> Mapping[str, Node]:
    """FILTER ``layerA,layerB:"field" = 'x';layerC:...`` as one expression for each layer name; several for one layer
    all count. ``OwsError``: 403 for words that are not on the white list, 400 for a form that is not understood or a
    layer that is not in the map (its filter would be lost in silence)."""
    terms: dict[str, list[Node]] = {}
    for piece in _pieces(text):
        layers, colon, expression = piece.partition(":")
        if not colon or not expression.strip():
            raise _not_understood("FILTER", piece)
        node = _parse(expression.strip(), frozenset(word.upper() for word in extra_words) | WORDS)
        for name in (part.strip() for part in layers.split(",")):
            if name not in names:
                raise OwsError("LayerNotDefined", f"FILTER: layer '{name[:80]}' is not in the map.", locator="FILTER")
            terms.setdefault(name, []).append(node)
    filters = {name: all_of(nodes) for name, nodes in terms.items()}
    return {name: node for name, node in filters.items() if node is not None}


def _pieces(text: str) -> list[str]:
    """The parts between semicolons that are not inside quotes."""
    pieces, at = [], 0
    while at < len(text):
        match = _PIECE.match(text, at)
        if match is None:
            raise _not_understood("FILTER", text)
        if match[1].strip():
            pieces.append(match[1].strip())
        at = max(match.end(), at + 1)
    return pieces


def _parse(expression: str, words: Collection[str]) -> Node:
    for token in _TOKEN.findall(expression):
        if token[0] not in "'\"" and token.upper() not in words and not _NUMBER.fullmatch(token):
            message = f"FILTER: '{token[:80]}' is not allowed; only quoted names and values, comparisons, AND, OR, NOT."
            raise OwsError("InvalidParameterValue", message, locator="FILTER", status=403)
    try:
        node = parse(expression)
    except ExpressionError as error:
        raise OwsError("InvalidParameterValue", f"FILTER: {error.message}", locator="FILTER") from None
    if unsafe := unsafe_functions(node):
        raise OwsError("InvalidParameterValue", f"FILTER: {unsafe[0]} is not allowed.", locator="FILTER", status=403)
    return node


def read_selection(text: str) -> Mapping[str, tuple[str, ...]]:
    """SELECTION ``layer:1,2;layer2:3`` as feature ids for each layer name."""
    selection: dict[str, tuple[str, ...]] = {}
    for piece in text.split(";"):
        if not piece.strip():
            continue
        name, colon, ids = piece.strip().rpartition(":")
        if not colon:
            raise _not_understood("SELECTION", piece)
        found = tuple(item.strip() for item in ids.split(",") if item.strip())
        selection[name.strip()] = selection.get(name.strip(), ()) + found
    return selection


def _not_understood(name: str, text: str) -> OwsError:
    return OwsError("InvalidParameterValue", f"{name} ('{text[:80]}') is not properly formatted.", locator=name)
