"""Widths of the columns of a dBASE table: the part of a Shapefile's schema that GDAL's vectorised reader leaves out."""

from __future__ import annotations

import os
import struct
from collections.abc import Mapping

HEADER, DESCRIPTOR = 32, 32
SIZED = b"CNF"
"""Types of columns that have a width of their own: texts and numbers."""


def column_sizes(path: str) -> Mapping[int, tuple[int, int]]:
    """(width, decimals) by place of the column, for the table beside a Shapefile; nothing when it can't be read."""
    base = os.path.splitext(path)[0]
    for table in (f"{base}.dbf", f"{base}.DBF"):
        try:
            with open(table, "rb") as file:
                head = file.read(HEADER)
                (size,) = struct.unpack_from("<H", head, 8)
                columns = file.read(size - HEADER)
        except (OSError, struct.error, ValueError):
            continue
        return dict(_sizes(columns))
    return {}


def _sizes(columns: bytes) -> list[tuple[int, tuple[int, int]]]:
    found = []
    for place, start in enumerate(range(0, len(columns) - DESCRIPTOR + 1, DESCRIPTOR)):
        if columns[start] == 0x0D:  # the end of the descriptors
            break
        if columns[start + 11] in SIZED:
            width, decimals = columns[start + 16], columns[start + 17]
            # The place of the decimal point does not count (measured on QGIS).
            found.append((place, (width - bool(decimals), decimals)))
    return found
