"""Files that symbols name: where they are looked for, and what is in them."""

from __future__ import annotations

import base64
import binascii
import logging
import os
import stat
from dataclasses import dataclass
from functools import lru_cache

log = logging.getLogger(__name__)

STOCK = "/usr/share/qgis/svg"
"""Where Debian's QGIS keeps the pictures that styles name by a relative path."""
INLINE = "base64:"
LARGEST = 4 << 20
"""Bytes of a picture that are read; a larger one counts as missing."""


@dataclass(frozen=True, slots=True)
class Assets:
    """``folder``: the project's, relative paths start there; ``svg_path``: directories of SVGs, searched before QGIS's
    own. Nothing is ever fetched from the network."""

    folder: str = ""
    svg_path: tuple[str, ...] = ()

    def svg(self, name: str) -> bytes | None:
        """The bytes of an SVG by its path or name, or of one kept in the style itself; None when there is none."""
        return self._read(name, (*self.svg_path, STOCK))

    def image(self, name: str) -> bytes | None:
        """The bytes of a picture by its path, or of one kept in the style itself; None when there is none."""
        return self._read(name, ())

    def _read(self, name: str, folders: tuple[str, ...]) -> bytes | None:
        if name.startswith(INLINE):
            return _decoded(name)
        if not name or "\0" in name or "://" in name:
            return None
        for folder in (self.folder, *folders):
            if folder or os.path.isabs(name):
                found = _bytes_of(os.path.join(folder, name))
                if found is not None:
                    return found
        report(name, "is missing")
        return None


@lru_cache(maxsize=16)
def _decoded(text: str) -> bytes | None:
    try:
        return base64.b64decode(text[len(INLINE) :].encode(), validate=False)
    except (binascii.Error, UnicodeEncodeError):
        return None


def _bytes_of(path: str) -> bytes | None:
    """What is in a file, as it is now; None for what is no file or too large."""
    try:
        status = os.stat(path)
    except (OSError, ValueError):
        return None
    if not stat.S_ISREG(status.st_mode) or status.st_size > LARGEST:
        return None
    return _contents(path, status.st_mtime_ns, status.st_size)


@lru_cache(maxsize=16)
def _contents(path: str, changed: int, size: int) -> bytes | None:
    try:
        with open(path, "rb") as file:
            return file.read(LARGEST)
    except OSError:
        return None


@lru_cache(maxsize=4096)
def report(name: str, why: str) -> None:
    """Log a file that is of no use, once in the life of a process."""
    log.warning("the picture %s of a symbol %s", name[:200], why)
