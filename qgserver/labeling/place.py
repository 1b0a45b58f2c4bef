"""Find room for the labels of a whole map."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from qgserver.geo.geometry import Floats, Ints
from qgserver.labeling import costs
from qgserver.labeling import obstacles as hindrances
from qgserver.labeling.candidates import generate
from qgserver.labeling.candidates.columns import Candidates, Flags, parts, running
from qgserver.labeling.candidates.limits import LINES, POLYGONS, limit
from qgserver.labeling.candidates.line import wanted
from qgserver.labeling.crowd import manageable
from qgserver.labeling.model import Engine, Item, Obstacle, Placed
from qgserver.labeling.solve import Problem, solve
from qgserver.labeling.sorting import cheapest_first

MOST_LABELS = 50_000
"""Of more labels than this only the first are placed, those of the layers on top."""

_SINGLE = (0, 1, 3)
"""Points, lines and polygons, by shapely's numbers."""


def place(items: Sequence[Item], obstacles: Sequence[Obstacle], engine: Engine) -> list[Placed]:
    """The labels that found a place, in drawing order (z-index, then source from bottom to top, then larger ones
    first); the others, marked so, if the engine asks for them. The same input always gives the same answer."""
    # of equal labels the one of the layer on top wins
    usable = sorted(_usable(items), key=lambda item: -item.source)[:MOST_LABELS]
    if not usable:
        return []
    with np.errstate(all="ignore"):  # geometries far beyond the map have no candidates on it
        found = _on_map(generate(usable, engine), engine)
        shown, lost = _solved(found, usable, obstacles, engine)
    if engine.unplaced:
        known = {id(placed.item) for placed in (*shown, *lost)}
        lost += _homeless([item for item in usable if id(item) not in known])
        shown += lost
    return sorted(shown, key=lambda p: (p.item.z_index, p.item.source, -p.item.width * p.item.height))


def _solved(
    found: Candidates, items: Sequence[Item], obstacles: Sequence[Obstacle], engine: Engine
) -> tuple[list[Placed], list[Placed]]:
    """(labels with a place, labels without one at the best that they had)."""
    found = found.take(cheapest_first(found.item, found.cost))
    present = np.unique(found.item)  # labels that obstacles leave no place still take their turns in the search
    penalty, barred = hindrances.penalties(found, items, obstacles, engine)
    anyway = np.array([item.show_unplaced for item in items], dtype=bool)
    barred_at_last = barred & anyway[found.item]
    kept, hopeless = _free(found, barred & ~barred_at_last)
    lost = [_placed(found, row, items, unplaced=True) for row in hopeless.tolist()] if engine.unplaced else []
    found, barred = found.with_cost(found.cost + penalty).take(kept), barred_at_last[kept]
    if not len(found):
        return [], lost
    found, origin = costs.final(found, items, engine)
    # labels that show in any case are freed of barred places when it is known which of them is the best
    found = _best(found.take(~barred[origin] | (_rank(found.item) == 0)), items, engine)
    label = np.searchsorted(present, found.item)
    first = running(np.bincount(label, minlength=len(present)))
    labels = [items[number] for number in present.tolist()]
    hidden = _hidden(labels)
    rows, neighbours = manageable(found, hidden[label])
    # what obstacles cost beyond whole numbers still ranks the candidates
    cost = (found.cost - np.floor(found.cost))[rows]
    tried = running(np.bincount(label[rows], minlength=len(labels)))
    active = solve(Problem(tried, cost, hidden, neighbours))
    active = np.where(active >= 0, rows[active], -1)
    shown = []
    for number in np.flatnonzero(np.diff(first)).tolist():
        best, row, item = int(first[number]), int(active[number]), labels[number]
        if row >= 0 or engine.show_all or item.show_unplaced or item.always_show:
            shown.append(_placed(found, row if row >= 0 else best, items))
        elif engine.unplaced:
            lost.append(_placed(found, best, items, unplaced=True))
    return shown, lost


def _free(found: Candidates, barred: Flags) -> tuple[Flags, Ints]:
    """(candidates that stay, the best ones of labels of which none stays). The cheapest of a label stays as long as
    others do, however much it is in the way."""
    best = _rank(found.item) == 0
    kept = ~barred | best
    left = np.bincount(found.item[kept])[found.item]
    hopeless = best & barred & (left == 1)
    return kept & ~hopeless, np.flatnonzero(hopeless)


def _homeless(items: Sequence[Item]) -> list[Placed]:
    """Labels without any candidate, with their corner at a point of their feature."""
    points = shapely.get_coordinates(shapely.point_on_surface([item.geometry for item in items])).tolist()
    return [Placed(item, x, y, unplaced=True) for item, (x, y) in zip(items, points, strict=True)]


def _usable(items: Sequence[Item]) -> list[Item]:
    """The items with a size and a place, each with one point, line or polygon: of several parts the largest."""
    if not items:
        return []
    shapes = np.array([item.geometry for item in items], dtype=object)
    sizes = np.array([(item.width, item.height) for item in items], dtype=np.float64)
    good: Flags = np.asarray(np.isfinite(sizes).all(axis=1) & (sizes > 0).all(axis=1))
    good &= np.isfinite(shapely.bounds(shapes)).all(axis=1)  # false where a geometry is empty
    single = [kind in _SINGLE for kind in shapely.get_type_id(shapes).tolist()]
    return [
        item if one else replace(item, geometry=_largest(item.geometry))
        for item, usable, one in zip(items, good.tolist(), single, strict=True)
        if usable
    ]


def _largest(geometry: BaseGeometry) -> BaseGeometry:
    """The part with the most area, else length, of what has several; rings become lines."""
    parts = shapely.get_parts(shapely.get_parts(geometry))
    simple = parts[np.isin(shapely.get_type_id(parts), _SINGLE)]
    if not len(simple):
        return shapely.LineString(shapely.get_coordinates(geometry))
    largest: BaseGeometry = simple[np.lexsort((-shapely.length(simple), -shapely.area(simple)))[0]]
    return largest


def _on_map(found: Candidates, engine: Engine) -> Candidates:
    """Labels cut by the frame are out where the project says so; those beyond it always are."""
    owner, _, shape = parts(found)
    frame = np.array((engine.width, engine.height))
    low, high = shape.min(axis=1), shape.max(axis=1)
    if engine.partials:
        good = ((high >= 0) & (low <= frame)).all(axis=1)
        kept = np.zeros(len(found), dtype=bool)
        kept[owner[good]] = True
    else:
        good = ((low >= 0) & (high <= frame)).all(axis=1)
        kept = np.ones(len(found), dtype=bool)
        kept[owner[~good]] = False
    return found.take(kept)


def _best(found: Candidates, items: Sequence[Item], engine: Engine) -> Candidates:
    """No more candidates than the length of a line or the area of a polygon deserves, the cheapest ones."""
    geometries = np.array([item.geometry for item in items], dtype=object)
    kinds = shapely.get_type_id(geometries)
    crowd = Counter(item.source for item in items)
    labels = [crowd[item.source] for item in items]
    few, many = (np.array([limit(table, count) for count in labels]) for table in (LINES, POLYGONS))
    lines = wanted(shapely.length(geometries), engine, few)
    cm2 = shapely.area(geometries) / (10 * engine.px_per_mm) ** 2
    areas = np.maximum(16, np.minimum(np.ceil(engine.candidates_polygon_per_cm2 * cm2), many))
    most = np.select([kinds == costs.LINE, kinds == costs.POLYGON], [lines, areas], len(found))
    return found.take(_rank(found.item) < most[found.item])


def _rank(item: Ints) -> Ints:
    """int64[n]: the how-manieth of its item each row is; ``item`` ascends."""
    start = np.searchsorted(item, item)
    return np.arange(len(item)) - start


def _hidden(items: Sequence[Item]) -> Floats:
    """The price of leaving a label out: twice as much with each step of priority; more than all for those that shall
    always show."""
    priority = np.array([12.0 if item.always_show else item.priority for item in items])
    return np.asarray(2.0 ** np.clip(np.nan_to_num(priority), -50, 50))


def _placed(found: Candidates, row: int, items: Sequence[Item], *, unplaced: bool = False) -> Placed:
    glyphs = found.glyphs[found.runs[row] : found.runs[row + 1]]
    return Placed(
        item=items[found.item[row]],
        x=float(found.x[row]),
        y=float(found.y[row]),
        angle=float(found.angle[row]),
        glyphs=glyphs[:, [0, 1, 4]] if len(glyphs) else None,
        quadrant=(int(found.quadrant[row, 0]), int(found.quadrant[row, 1])),
        unplaced=unplaced,
    )
