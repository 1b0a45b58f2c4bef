"""Renderers that must know all features of a layer before they draw the first one, and what they draw with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from qgserver.draw.canvas import Canvas
from qgserver.draw.units import RenderScale
from qgserver.geo.extent import Extent
from qgserver.geo.geometry import GeometryArray
from qgserver.symbology.env import Env
from qgserver.symbology.renderer import Common, Jobs, Renderer
from qgserver.symbology.symbol import Symbol


class Palette(Protocol):
    """What jobs refer to: the symbols, and whether they have levels."""

    @property
    def common(self) -> Common: ...

    @property
    def symbols(self) -> Sequence[Symbol]: ...


@dataclass(frozen=True, slots=True)
class Scene:
    """All features of a layer in view: ``env.batch`` with their ``geometry`` in the map's CRS, of which ``extent`` is
    shown. ``to_pixels`` brings such geometry to device pixels, as simple as it is drawn; ``paint`` draws jobs with it,
    the rows being those of the environment's batch."""

    canvas: Canvas
    env: Env
    geometry: GeometryArray
    extent: Extent
    to_pixels: Callable[[GeometryArray], GeometryArray]
    paint: Callable[[Env, GeometryArray, Jobs, Palette], None]


@runtime_checkable
class WholeLayer(Protocol):
    """What such a renderer has besides what ``Renderer`` says."""

    def margin(self, scale: RenderScale) -> float:
        """How far beyond the view, in pixels, features count."""

    def draw(self, scene: Scene) -> None:
        """Draw the layer."""


@runtime_checkable
class Wrapping(Protocol):
    """A renderer around another one, whose symbols come first among its own."""

    @property
    def inner(self) -> Renderer: ...

    def around(self, inner: Renderer) -> Renderer:
        """The same around another renderer."""
