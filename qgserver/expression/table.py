"""The function table of the documentation: ``python -m qgserver.expression.table docs/expressions.md`` rewrites it."""

from __future__ import annotations

import sys
from pathlib import Path

from qgserver.expression.function import REQUIRED, Function, Parameter, functions
from qgserver.expression.functions import load_all

MARKER = "<!-- functions: written by python -m qgserver.expression.table -->"


def _parameter(parameter: Parameter) -> str:
    if parameter.default is REQUIRED:
        return parameter.name
    default = "NULL" if parameter.default is None else repr(parameter.default)
    return f"{parameter.name}={default}"


def signature(function: Function) -> str:
    """``buffer(geometry, distance, segments=8, ...)``"""
    names = [_parameter(parameter) for parameter in function.parameters]
    if function.variadic:
        names.append("…")
    if function.name.startswith("$") and not names:
        return function.name
    return f"{function.name}({', '.join(names)})"


def _row(function: Function) -> str:
    notes = []
    if len(function.names) > 1:
        notes.append("also " + ", ".join(f"`{name}`" for name in dict.fromkeys(function.names[1:])))
    if function.since:
        notes.append(f"QGIS {function.since}")
    if not function.client_safe:
        notes.append("not for clients")
    text = " ".join(function.doc.split()).replace("|", "\\|")
    return f"| `{signature(function)}` | {text} | {'; '.join(notes)} |"


def table() -> str:
    """All functions as Markdown, one table for each group."""
    load_all()
    groups: dict[str, dict[str, Function]] = {}
    for function in (functions[name] for name in functions):
        groups.setdefault(function.group, {})[function.name] = function
    lines: list[str] = []
    for title in sorted(groups):
        lines += [f"## {title}", "", "| function | value | notes |", "|---|---|---|"]
        lines += [_row(groups[title][name]) for name in sorted(groups[title])]
        lines.append("")
    return "\n".join(lines)


def page(text: str) -> str:
    """The page with its table brought up to date: all behind the marker is replaced."""
    return f"{text.partition(MARKER)[0]}{MARKER}\n\n{table()}"


def main() -> None:
    """The command."""
    path = Path(sys.argv[1])
    path.write_text(page(path.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
