"""Fewer or rounder vertices: Visvalingam's simplification and Chaikin's corner cutting."""

from __future__ import annotations

import heapq
import math

import numpy as np

from qgserver.expression.geometries import Coordinates


def visvalingam(points: Coordinates, area: float, ring: bool) -> Coordinates:
    """Without the vertices whose triangle with their neighbours is smaller than ``area``; at least 2 (4 of a ring)
    stay. A vertex never counts less than one that went before it."""
    count = len(points)
    least = 4 if ring else 2
    before, after = list(range(-1, count - 1)), list(range(1, count + 1))
    sizes = [math.inf] * count

    def triangle(at: int) -> float:
        (ax, ay), (bx, by), (cx, cy) = (points[i, :2] for i in (before[at], at, after[at]))
        return float(abs((bx - ax) * (cy - ay) - (cx - ax) * (by - ay)) / 2)

    heap = []
    for at in range(1, count - 1):
        sizes[at] = triangle(at)
        heap.append((sizes[at], at))
    heapq.heapify(heap)
    keep = np.ones(count, bool)
    left = count
    while heap and left > least:
        size, at = heapq.heappop(heap)
        if size != sizes[at] or not keep[at]:
            continue
        if size >= area:
            break
        keep[at] = False
        left -= 1
        previous, following = before[at], after[at]
        after[previous], before[following] = following, previous
        for neighbour in (previous, following):
            if 0 < neighbour < count - 1:
                sizes[neighbour] = max(size, triangle(neighbour))
                heapq.heappush(heap, (sizes[neighbour], neighbour))
    return points[keep]


def cut_corners(points: Coordinates, offset: float, min_length: float, max_angle: float, ring: bool) -> Coordinates:
    """Every corner replaced by two points, ``offset`` of the segment's length from it; corners sharper than
    ``max_angle`` (radians between the segments' directions) stay, inner segments shorter than ``min_length`` go."""
    if len(points) < 3:
        return points
    steps = np.diff(points, axis=0)
    lengths = np.hypot(steps[:, 0], steps[:, 1])
    directions = np.arctan2(steps[:, 1], steps[:, 0])
    turns = np.abs((np.diff(directions) + math.pi) % (2 * math.pi) - math.pi)
    sharp = turns > max_angle
    count = len(steps)
    if ring:
        closing = abs((directions[0] - directions[-1] + math.pi) % (2 * math.pi) - math.pi)
        start_stays = np.concatenate([[closing > max_angle], sharp])
        end_stays = np.concatenate([sharp, [closing > max_angle]])
    else:
        start_stays = np.concatenate([[True], sharp])
        end_stays = np.concatenate([sharp, [True]])
    starts = np.where(start_stays[:, None], points[:-1], points[:-1] + offset * steps)
    ends = np.where(end_stays[:, None], points[1:], points[1:] - offset * steps)
    rows = np.empty((2 * count, points.shape[1]))
    rows[0::2], rows[1::2] = starts, ends
    if min_length > 0:
        keep = lengths >= min_length
        keep[[0, -1]] |= not ring
        rows = rows[np.repeat(keep, 2)]
        if len(rows) < 2:
            return points
    fresh = np.concatenate([[True], (np.diff(rows[:, :2], axis=0) != 0).any(axis=1)])
    rows = rows[fresh]
    return np.concatenate([rows, rows[:1]]) if ring and (rows[0] != rows[-1]).any() else rows
