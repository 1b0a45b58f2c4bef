"""Pictures as bytes: PNG, JPEG, WebP."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from qgserver.draw.canvas import Canvas


@dataclass(frozen=True, slots=True)
class ImageOptions:
    """``transparent`` keeps alpha where the format can; ``quality`` 0..100 of lossy formats (-1 = default)."""

    transparent: bool = False
    dpi: float = 25.4 / 0.28
    quality: int = -1


@dataclass(frozen=True, slots=True)
class ImageFormat:
    """``name`` is the FORMAT value as capabilities list it, ``mime`` what answers say they are."""

    name: str
    mime: str
    encode: Callable[[Canvas, ImageOptions], bytes]


def image_format(name: str) -> ImageFormat | None:
    """The format a FORMAT value names (case and spaces do not count), None when we have none."""
    raise NotImplementedError


def image_formats() -> tuple[ImageFormat, ...]:
    """Every format once, in the order capabilities list them."""
    raise NotImplementedError
