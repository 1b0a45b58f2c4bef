"""Compare our answers with a table of QGIS's.

    python tests/expression/run.py CASES.jsonl --fixtures F.json --min PERCENT

Prints every disagreement, then one line per group that has some, and last the share that agrees; exit 1 below --min.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

from agree import agrees, show
from world import World, read_world

from qgserver.errors import ExpressionError
from qgserver.expression.context import Feature
from qgserver.expression.parser import parse
from qgserver.expression.rows import evaluate_row

ELLIPSOIDAL = re.compile(r"transform\s*\(|\$area|\$length|\$perimeter", re.IGNORECASE)


def verdict(case: dict[str, Any], world: World) -> str:
    """ "" when we agree, else what we said."""
    wanted = case["result"]
    stage = wanted.get("stage")
    try:
        node = parse(case["expr"])
    except ExpressionError as error:
        return "" if stage == "parse" else f"parse error: {error.message}"
    if stage == "parse":
        return "accepted"
    context = world.context(case.get("layer"))
    feature: Feature | None = None
    if "fid" in case:
        feature = next(row for row in world.layers[case["layer"]].rows if row.fid == case["fid"])
    try:
        value = evaluate_row(node, context, feature)
    except ExpressionError as error:
        return "" if stage == "eval" else f"error: {error.message}"
    tolerance = 1e-6 if ELLIPSOIDAL.search(case["expr"]) else 1e-9
    if stage is None and agrees(wanted, value, case.get("cmp", ""), tolerance):
        return ""
    return show(value)


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    parser.add_argument("cases", type=Path)
    parser.add_argument("--fixtures", type=Path, required=True)
    parser.add_argument("--min", type=float, default=0.0, help="percent")
    parser.add_argument("--group", default="", help="only groups that match this regular expression")
    options = parser.parse_args()
    os.environ["TZ"] = "UTC"
    time.tzset()
    world = read_world(options.fixtures)
    total: Counter[str] = Counter()
    wrong: Counter[str] = Counter()
    with options.cases.open(encoding="utf-8") as lines:
        for line in lines:
            case = json.loads(line)
            if not re.search(options.group, case["group"]):
                continue
            total[case["group"]] += 1
            if said := verdict(case, world):
                wrong[case["group"]] += 1
                place = f" [{case['layer']} {case.get('fid', '')}]" if "layer" in case else ""
                print(f"{case['id']} {case['expr']}{place}\n    QGIS: {case['result']}\n    we:   {said}")
    for group, count in wrong.most_common():
        print(f"{group}: {count} of {total[group]} disagree")
    cases = total.total()
    share = 100.0 * (cases - wrong.total()) / cases if cases else 0.0
    print(f"{cases - wrong.total()} of {cases} agree: {share:.2f} %")
    return 0 if share >= options.min else 1


if __name__ == "__main__":
    sys.exit(main())
