"""From jobs (feature, symbol) to paint: in which order, and how many features at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from qgserver.draw.areas import Look, draw_sequence
from qgserver.draw.canvas import Canvas
from qgserver.draw.sprites import stamp_sequence
from qgserver.geo.geometry import GeometryArray, Ints
from qgserver.geo.orient import oriented, signed_areas
from qgserver.geo.wkb import take
from qgserver.symbology.env import Env, Shapes
from qgserver.symbology.layers.simplemarker import StampPainter
from qgserver.symbology.lines import is_polygonal
from qgserver.symbology.looks import LookPainter, paths_of
from qgserver.symbology.properties import as_number
from qgserver.symbology.renderer import Jobs, Renderer
from qgserver.symbology.symbol import Symbol

STRICT = 64
"""Up to so many features, symbols that can't be painted in one sequence are painted one feature at a time."""
OVERLAPPING = 1.2
"""Polygons whose areas sum up to more than this part of the picture surely overlap."""
GATHER = 256
"""Neighbours among which features of one symbol are painted together where order can hardly be kept."""
TURNS = 5
"""Crowded polygons side by side are painted in so many turns, every fifth in one: neighbours then come one after the
other, and the later one's fill covers half of the outline between them, as it does in QGIS."""


@dataclass(frozen=True, slots=True)
class Painting:
    """What is painted on: the canvas and the drawing environment of one batch, with its geometry in device pixels."""

    canvas: Canvas
    env: Env
    geometry: GeometryArray


def paint_jobs(painting: Painting, renderer: Renderer, jobs: Jobs) -> None:
    """Draw the jobs of one batch."""
    symbols = renderer.symbols
    levels = sorted({level for number in np.unique(jobs.symbols) for level in symbols[number].levels()})
    common = renderer.common
    if (common.symbol_levels or common.level_by_feature) and len(levels) > 1:
        for level in levels:
            _paint_level(painting, symbols, jobs, level, by_feature=common.level_by_feature)
    elif not _paint_stamps(painting, symbols, jobs):
        _paint_in_order(painting, symbols, jobs)


def _paint_level(painting: Painting, symbols: Sequence[Symbol], jobs: Jobs, level: int, *, by_feature: bool) -> None:
    """All symbol layers of one level: feature by feature (rules), or symbol by symbol."""
    at_level = tuple(
        replace(symbol, layers=tuple(layer for layer in symbol.layers if layer.level == level)) for symbol in symbols
    )
    drawn = np.array([bool(symbol.layers) for symbol in at_level])
    keep = drawn[jobs.symbols]
    rows, numbers = jobs.rows[keep], jobs.symbols[keep]
    if not by_feature:
        order = np.argsort(numbers, kind="stable")
        rows, numbers = rows[order], numbers[order]
    _paint_in_order(painting, at_level, Jobs(rows, numbers))


def _paint_in_order(painting: Painting, symbols: Sequence[Symbol], jobs: Jobs) -> None:
    plain = _plain_painters(painting.env, symbols, jobs)
    exact = painting.canvas.antialias == "exact"
    polygonal = is_polygonal(painting.geometry)
    if plain is not None and (exact or not polygonal):
        _paint_sequence(painting, plain, jobs)
    elif plain is not None and not _overlap(painting) and all(len(looks) == 1 for looks in plain.values()):
        _paint_turns(painting, {number: looks[0] for number, looks in plain.items()}, jobs)
    else:
        _paint_runs(painting, symbols, jobs if len(jobs) <= STRICT else _gathered(jobs))


def _plain_painters(env: Env, symbols: Sequence[Symbol], jobs: Jobs) -> dict[int, list[Look]] | None:
    """For symbols of brushes and pens alone: what each of their layers paints with. None when one is more than that."""
    found: dict[int, list[Look]] = {}
    for number in np.unique(jobs.symbols).tolist():
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
    order = np.lexsort((jobs.symbols, pen_of[jobs.symbols], jobs.rows % TURNS))
    rows, numbers = jobs.rows[order], jobs.symbols[order]
    shapes = Shapes(oriented(take(painting.geometry, rows)), rows)
    for _, first, last in _runs(rows % TURNS):
        for number, start, stop in _runs(numbers[first:last]):
            filled = LookPainter(Look(plain[number].brush))
            filled(painting.canvas, shapes.slice(first + start, first + stop))
        for pen, start, stop in _runs(pen_of[numbers[first:last]]):
            outlined = LookPainter(Look(pen=distinct[pen]))
            outlined(painting.canvas, shapes.slice(first + start, first + stop))


def _paint_runs(painting: Painting, symbols: Sequence[Symbol], jobs: Jobs) -> None:
    """Features of one symbol that follow each other are painted together."""
    geometry = take(painting.geometry, jobs.rows)
    if painting.canvas.antialias != "exact" and is_polygonal(geometry):
        geometry = oriented(geometry)
    shapes = Shapes(geometry, jobs.rows)
    for number, start, stop in _runs(jobs.symbols):
        symbol = symbols[number]
        step = 1 if len(jobs) <= STRICT and not symbol.in_sequence else stop - start
        for first in range(start, stop, step):
            paint_symbol(painting.canvas, painting.env, symbol, shapes.slice(first, min(first + step, stop)))


def _overlap(painting: Painting) -> bool:
    """True for polygons that cannot all lie side by side in the picture."""
    inked = float(np.abs(signed_areas(painting.geometry)).sum())
    return inked > OVERLAPPING * painting.canvas.width * painting.canvas.height


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


def paint_symbol(canvas: Canvas, env: Env, symbol: Symbol, shapes: Shapes) -> None:
    """Paint shapes with every layer of a symbol, the lowest layer first."""
    for opacity, part in _by_opacity(env, symbol, shapes):
        inner = env.with_opacity(opacity)
        for layer in symbol.layers:
            if not layer.properties:
                inner.painter(layer)(canvas, part)
                continue
            for variant, some in layer.variants(inner, part):
                variant.painter(inner)(canvas, some)


def _by_opacity(env: Env, symbol: Symbol, shapes: Shapes) -> Iterator[tuple[float, Shapes]]:
    """The symbol's opacity, which may be data-defined (0-100), for each shape."""
    item = symbol.properties.items.get("alpha")
    if item is None:
        yield symbol.opacity, shapes
        return
    values = env.defined(item)
    for i in range(len(shapes)):
        value = values[shapes.rows[i]]
        opacity = symbol.opacity if value is None else as_number(value, symbol.opacity * 100) / 100
        yield min(max(opacity, 0.0), 1.0), shapes.slice(i, i + 1)


def _paint_stamps(painting: Painting, symbols: Sequence[Symbol], jobs: Jobs) -> bool:
    """Points whose symbols are all one ready-made sprite: stamp them in feature order. False when they are not."""
    used = np.unique(jobs.symbols).tolist()
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
