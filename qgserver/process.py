"""Settings of the process that must be made before the rest is imported: the doors import this first.

Measured on the way to a first map from PostGIS: 60 ms for threads of BLAS, which nothing here uses (and which a server
that forks had better not have), 50 ms for walks of the garbage collector over modules that stay anyway.
"""

from __future__ import annotations

import ctypes
import gc
import os

_COLLECT_AFTER = 10_000
"""New containers before the youngest are looked at. Maps and answers are arrays and bytes: cycles are rare."""

_GDAL_CACHE_MIB = 64
"""Blocks of raster files kept; GDAL would take a twentieth of the memory, each process for itself."""

_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8
_MALLOC = ((_MMAP_THRESHOLD, 4 << 20), (_TRIM_THRESHOLD, 16 << 20), (_ARENA_MAX, 1))
"""glibc's ``mallopt``. Arrays of a few MiB come and go by the dozen in every map: the kernel would hand out and clear
their pages each time. One arena: threads use what others have given back, and wait for the interpreter anyway."""


def _prepare() -> None:
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    os.environ.setdefault("GDAL_CACHEMAX", str(_GDAL_CACHE_MIB))
    gc.set_threshold(_COLLECT_AFTER, 20, 50)
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # not in every libc
    if mallopt is not None:
        for option, value in _MALLOC:
            mallopt(option, value)


_prepare()
