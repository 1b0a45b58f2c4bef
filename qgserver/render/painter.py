"""From jobs (feature, symbol) to paint: in which order, and how many features at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from qgserver.draw.areas import Look, draw_sequence, thin_outliner
from qgserver.draw.brush import filler
from qgserver.draw.canvas import Antialias, Canvas
from qgserver.draw.paths import Paths
from qgserver.draw.pen import Pen
from qgserver.draw.sprites import stamp_sequence
from qgserver.geo.geometry import GeometryArray, Ints, distinct
from qgserver.geo.orient import oriented, signed_areas
from qgserver.geo.wkb import take
from qgserver.symbology.env import CHUNK, Env, Shapes
from qgserver.symbology.layers.simplemarker import StampPainter
from qgserver.symbology.lines import is_polygonal
from qgserver.symbology.looks import LookPainter, paths_of
from qgserver.symbology.paint import paint_symbol
from qgserver.symbology.renderer import Jobs
from qgserver.symbology.scene import Palette
from qgserver.symbology.symbol import Symbol

STRICT = 64
"""Up to so many features are painted strictly in their order, whatever it costs."""
OVERLAPPING = 1.2
"""Polygons whose areas sum up to more than this part of the picture surely overlap."""
GATHER = 256
"""Neighbours among which features of one symbol are painted together where order can hardly be kept."""
TINY = 16.0
"""Polygons of fewer pixels on average are all edge: these are antialiased exactly even in a crowd."""
SCATTER = 2654435769
"""A factor that scatters consecutive numbers over 32 bits."""
TURNS = 7
"""Crowded polygons side by side are painted in so many turns, one in seven at a time: neighbours then come one after
the other, and the later one's fill covers half of the outline between them, as it does in QGIS."""


@dataclass(frozen=True, slots=True)
class Painting:
    """One batch ready to be painted: ``geometry`` in device pixels, the ``jobs`` in drawing order."""

    canvas: Canvas
    env: Env
    geometry: GeometryArray
    jobs: Jobs
    antialias: Antialias
    one_by_one: bool = False
    """Features are painted strictly one after the other, however many they are."""

    def strict(self, jobs: Jobs) -> bool:
        """Whether jobs are painted in their order, whatever it costs."""
        return self.one_by_one or len(jobs) <= STRICT


def has_levels(renderer: Palette) -> bool:
    """True when the layers of symbols are not painted feature by feature but level by level."""
    if not (renderer.common.symbol_levels or renderer.common.level_by_feature):
        return False
    return len(frozenset().union(*(symbol.levels() for symbol in renderer.symbols))) > 1


def paint(painting: Painting, renderer: Palette) -> None:
    """Draw one batch, feature by feature."""
    painting.canvas.antialias = painting.antialias
    if not _paint_stamps(painting, renderer.symbols, painting.jobs):
        _paint_in_order(painting, renderer.symbols, painting.jobs)


def paint_levels(paintings: Sequence[Painting], renderer: Palette) -> None:
    """Draw all batches of a layer level by level: within a level feature by feature (rules) or symbol by symbol."""
    levels = frozenset().union(*(symbol.levels() for symbol in renderer.symbols)) if paintings else ()
    for level in sorted(levels):
        at_level = [
            replace(symbol, layers=tuple(layer for layer in symbol.layers if layer.level == level))
            for symbol in renderer.symbols
        ]
        drawn = np.array([bool(symbol.layers) for symbol in at_level])
        if renderer.common.level_by_feature:
            _paint_some(paintings, at_level, drawn)
            continue
        for number in np.flatnonzero(drawn).tolist():
            _paint_some(paintings, at_level, np.arange(len(drawn)) == number)


def _paint_some(paintings: Sequence[Painting], symbols: Sequence[Symbol], drawn: NDArray[np.bool_]) -> None:
    """The jobs of all batches whose symbol is marked in ``drawn``."""
    for painting in paintings:
        keep = drawn[painting.jobs.symbols]
        if keep.any():
            painting.canvas.antialias = painting.antialias
            _paint_in_order(painting, symbols, Jobs(painting.jobs.rows[keep], painting.jobs.symbols[keep]))


def _paint_in_order(painting: Painting, symbols: Sequence[Symbol], jobs: Jobs) -> None:
    plain = _plain_painters(painting.env, symbols, jobs)
    exact = painting.antialias == "exact"
    polygonal = is_polygonal(painting.geometry)
    if plain is not None and (exact or not polygonal or painting.strict(jobs)):
        _paint_sequence(painting, plain, jobs)
        return
    if plain is not None and all(len(looks) == 1 for looks in plain.values()):
        inked = float(np.abs(signed_areas(painting.geometry)).sum())
        if inked <= OVERLAPPING * painting.canvas.width * painting.canvas.height:
            if inked < TINY * len(painting.geometry):
                painting.canvas.antialias = "exact"
            _paint_turns(painting, {number: looks[0] for number, looks in plain.items()}, jobs)
            return
    _paint_runs(painting, symbols, jobs if painting.strict(jobs) else _gathered(jobs))


def _plain_painters(env: Env, symbols: Sequence[Symbol], jobs: Jobs) -> dict[int, list[Look]] | None:
    """For symbols of brushes and pens alone: what each of their layers paints with. None when one is more than that."""
    found: dict[int, list[Look]] = {}
    for number in distinct(jobs.symbols):
        symbol = symbols[number]
        if symbol.properties or any(layer.properties for layer in symbol.layers):
            return None
        painters = [env.with_opacity(symbol.opacity).painter(layer) for layer in symbol.layers]
        if not all(isinstance(painter, LookPainter) and not painter.moved for painter in painters):
            return None
        found[number] = [painter.look for painter in painters if isinstance(painter, LookPainter)]
    return found


def _paint_sequence(painting: Painting, plain: Mapping[int, Sequence[Look]], jobs: Jobs) -> None:
    """All layers of all symbols in one sequence, in the order of the jobs."""
    depths = np.zeros(max(plain) + 1, dtype=np.int64)
    depths[list(plain)] = [len(looks) for looks in plain.values()]
    deepest = int(depths.max())
    counts = depths[jobs.symbols]
    rows, numbers = np.repeat(jobs.rows, counts), np.repeat(jobs.symbols, counts)
    layer = np.arange(len(rows)) - np.repeat(np.cumsum(counts) - counts, counts)
    flat = {number * deepest + i: look for number, looks in plain.items() for i, look in enumerate(looks)}
    for paths, features in paths_of(take(painting.geometry, rows)):
        draw_sequence(painting.canvas, paths, features, flat, numbers * deepest + layer)


def _paint_turns(painting: Painting, plain: Mapping[int, Look], jobs: Jobs) -> None:
    """Crowded polygons side by side: in each turn the fills symbol by symbol, then the outlines pen by pen."""
    pens = {number: look.pen for number, look in plain.items()}
    distinct = list(dict.fromkeys(pens.values()))
    pen_of = np.zeros(max(plain) + 1, dtype=np.int64)
    pen_of[list(plain)] = [distinct.index(pen) for pen in pens.values()]
    turns = _turns(jobs.rows)
    order = np.lexsort((jobs.symbols, pen_of[jobs.symbols], turns))
    rows, numbers = jobs.rows[order], jobs.symbols[order]
    shapes = Shapes(oriented(take(painting.geometry, rows)), rows)
    rings = Paths(shapes.geometry.coords, shapes.geometry.rings, True)
    features = shapes.geometry.parts[shapes.geometry.features]
    groups = _groups(turns[order] * (max(plain) + 1) + numbers)
    fill_group = filler(painting.canvas, rings, features[groups])
    runs = list(_runs(turns[order] * len(distinct) + pen_of[numbers]))
    outline_run = _outliner(painting.canvas, shapes, runs, [distinct[key % len(distinct)] for key, _, _ in runs])
    group = run = 0
    for _, _, last in _runs(turns[order]):
        while groups[group] < last:
            if (brush := plain[int(numbers[groups[group]])].brush) is not None:
                fill_group(group, brush)
            group += 1
        while run < len(runs) and runs[run][1] < last:
            outline_run(run)
            run += 1


def _outliner(
    canvas: Canvas, shapes: Shapes, runs: Sequence[tuple[int, int, int]], pens: Sequence[Pen | None]
) -> Callable[[int], None]:
    """What outlines the features of a run, given its number."""
    features = shapes.geometry.parts[shapes.geometry.features]
    rings = Paths(shapes.geometry.coords, shapes.geometry.rings, True)
    groups = features[[*(start for _, start, _ in runs), len(shapes)]]

    def outline(run: int) -> None:
        _, start, stop = runs[run]
        LookPainter(Look(pen=pens[run])).together(canvas, shapes.slice(start, stop))

    return thin_outliner(canvas, rings, groups, pens) or outline


def _groups(numbers: Ints) -> Ints:
    """Where runs of equal numbers begin, long ones cut to paths of a good length; the count at the end."""
    edges = [start + np.arange(0, stop - start, CHUNK) for _, start, stop in _runs(numbers)]
    return np.concatenate([*edges, [len(numbers)]])


def _turns(rows: Ints) -> Ints:
    """The turn of each feature: scattered, so that it goes with no pattern in which they lie."""
    return (rows * SCATTER & 0xFFFFFFFF) * TURNS >> 32


def _paint_runs(painting: Painting, symbols: Sequence[Symbol], jobs: Jobs) -> None:
    """Features of one symbol that follow each other are painted together."""
    geometry = take(painting.geometry, jobs.rows)
    if painting.antialias != "exact" and is_polygonal(geometry):
        geometry = oriented(geometry)
    shapes = Shapes(geometry, jobs.rows)
    for number, start, stop in _runs(jobs.symbols):
        symbol = symbols[number]
        step = 1 if painting.strict(jobs) and not symbol.in_sequence else stop - start
        for first in range(start, stop, step):
            paint_symbol(painting.canvas, painting.env, symbol, shapes.slice(first, min(first + step, stop)))


def _gathered(jobs: Jobs) -> Jobs:
    """Jobs sorted by symbol among neighbours, so that runs of one symbol become long."""
    order = np.lexsort((jobs.symbols, np.arange(len(jobs)) // GATHER))
    return Jobs(jobs.rows[order], jobs.symbols[order])


def _runs(numbers: Ints) -> Iterator[tuple[int, int, int]]:
    """(symbol, start, stop) for each run of equal numbers."""
    if not len(numbers):
        return
    edges = np.flatnonzero(np.diff(numbers)) + 1
    starts, stops = [0, *edges.tolist()], [*edges.tolist(), len(numbers)]
    for start, stop in zip(starts, stops, strict=True):
        yield int(numbers[start]), start, stop


def _paint_stamps(painting: Painting, symbols: Sequence[Symbol], jobs: Jobs) -> bool:
    """Points whose symbols are all one ready-made sprite: stamp them in feature order. False when they are not."""
    used = distinct(jobs.symbols)
    stamps: dict[int, StampPainter] = {}
    for number in used:
        symbol = symbols[number]
        if len(symbol.layers) != 1 or symbol.properties or symbol.layers[0].properties:
            return False
        painter = painting.env.with_opacity(symbol.opacity).painter(symbol.layers[0])
        if not isinstance(painter, StampPainter):
            return False
        stamps[number] = painter
    geometry = take(painting.geometry, jobs.rows)
    which = np.repeat(jobs.symbols, np.diff(geometry.vertex_offsets()))
    xs, ys = np.empty(len(which), dtype=np.int32), np.empty(len(which), dtype=np.int32)
    for number, painter in stamps.items():
        mine = which == number
        xs[mine], ys[mine] = painter.positions(geometry.coords[mine])
    stamp_sequence(painting.canvas, {number: painter.sprite for number, painter in stamps.items()}, which, xs, ys)
    return True
