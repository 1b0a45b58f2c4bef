"""Families of files: what their tables promise is there."""

from __future__ import annotations

import pkgutil
from types import ModuleType

import pytest

from qgserver.rasters import renderers as raster_renderers
from qgserver.rasters.pipe import renderers as raster_registry
from qgserver.registry import Registry
from qgserver.symbology import effects, layers, renderers
from qgserver.symbology.effect import effects as effect_registry
from qgserver.symbology.renderer import renderers as renderer_registry
from qgserver.symbology.symbol import layers as layer_registry


@pytest.mark.parametrize(
    ("package", "registry"),
    [
        (layers, layer_registry),
        (renderers, renderer_registry),
        (effects, effect_registry),
        (raster_renderers, raster_registry),
    ],
)
def test_every_file_is_in_the_table_under_all_its_names(package: ModuleType, registry: Registry[object]) -> None:
    found = dict(registry.items())
    assert None not in found.values()
    located = {module.rpartition(".")[2] for module in registry._modules.values()}
    assert located == {module.name for module in pkgutil.iter_modules(package.__path__)}
    assert set(registry._items) == set(registry._modules), "registered, but not located"


def test_what_is_located_is_there_before_it_is_loaded() -> None:
    registry: Registry[object] = Registry("thing")
    registry.locate("qgserver", {"absent": "one two"})
    registry.register("three")(3)
    assert list(registry) == ["one", "two", "three"]
    assert "one" in registry and "four" not in registry
    assert registry.get("four") is None and registry["three"] == 3
    with pytest.raises(ModuleNotFoundError):
        registry.get("one")
    with pytest.raises(KeyError):
        registry["four"]
