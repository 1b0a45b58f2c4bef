"""Which names a project publishes, what they draw and in which order."""

from __future__ import annotations

from dataclasses import replace

import pytest

from qgserver.errors import OwsError, ProviderError
from qgserver.geo.crs import parse_crs
from qgserver.geo.extent import Extent
from qgserver.ows.wms.boxes import BoxMaker, outward
from qgserver.ows.wms.maprequest import read_layers, read_size
from qgserver.ows.wms.published import layers_by_name, published_tree, visible_names
from qgserver.project import currentextents
from qgserver.project.model import (
    Group,
    OtherLayer,
    Project,
    RasterLayer,
    RasterStyle,
    TreeLayer,
    VectorLayer,
    WmsProperties,
)
from qgserver.providers import Sources
from qgserver.providers.uri import DataSource
from qgserver.settings import Settings
from qgserver.web.request import Request

LAMBERT = parse_crs("EPSG:2154")


def layer(id: str, **values: object) -> RasterLayer:
    values = {
        "published": id,
        "crs": LAMBERT,
        "styles": {"default": RasterStyle("default"), "other": RasterStyle("other")},
        **values,
    }
    return RasterLayer(id=id, name=id, source=DataSource("gdal"), **values)  # type: ignore[arg-type]


def project(**values: object) -> Project:
    layers = (layer("a"), layer("b"), layer("c", published="b"), layer("d"), layer("secret"))
    mesh = OtherLayer(id="mesh", name="mesh", published="mesh", source=DataSource("mdal"), crs=None, kind="mesh")
    inner = Group("inner", (TreeLayer("c", "c"), TreeLayer("gone", "gone")), checked=False)
    hidden = Group("hidden group", (TreeLayer("d", "d"),))
    nodes = (TreeLayer("a", "a"), Group("g", (TreeLayer("b", "b", False), inner), short_name="G"), hidden)
    tree = Group("", (*nodes, TreeLayer("secret", "secret"), TreeLayer("mesh", "mesh")))
    made = Project(
        path="p",
        version=(3, 22, 16),
        title="root",
        abstract="",
        crs=LAMBERT,
        layers={one.id: one for one in (*layers, mesh)},
        tree=tree,
        wms=WmsProperties(restricted=frozenset({"secret", "hidden group"})),
    )
    return replace(made, **values)  # type: ignore[arg-type]


def ids(name: str, made: Project) -> list[str]:
    return [one.id for one in layers_by_name(made)[name]]


def test_names() -> None:
    made = project()
    assert set(layers_by_name(made)) == {"a", "b", "G", "inner", "root"}
    assert ids("b", made) == ["c", "b"], "layers of one name are all drawn, the upper one last"
    assert ids("G", made) == ["c", "b"]
    assert ids("root", made) == ["c", "b", "a"]


def test_custom_order_counts_in_groups() -> None:
    assert ids("root", project(custom_order=("b", "a"))) == ["a", "b"]


def test_the_tree_keeps_groups_and_leaves_out_what_is_not_published() -> None:
    assert [leaf.layer.id for leaf in published_tree(project()).leaves()] == ["a", "b", "c"]
    assert [branch.group.name for branch in published_tree(project()).branches()] == ["g", "inner"]


def test_visible_names_need_every_group_around_them_checked() -> None:
    assert visible_names(project()) == ["a"]


def test_styles_and_opacities_go_to_all_members_of_a_group() -> None:
    request = Request(params={"LAYERS": "a,G", "STYLES": ",other", "OPACITIES": "255,51"})
    chosen = read_layers(request, project(), Settings())
    assert [(one.layer.id, one.style, one.opacity) for one in chosen] == [
        ("a", "", 1.0),
        ("c", "other", 0.2),
        ("b", "other", 0.2),
    ]


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({}, "MissingParameterValue"),
        ({"LAYERS": "secret"}, "LayerNotDefined"),
        ({"LAYERS": "hidden group"}, "LayerNotDefined"),
        ({"LAYERS": "mesh"}, "LayerNotDefined"),
        ({"LAYERS": "a,"}, "LayerNotDefined"),
        ({"LAYERS": "a", "STYLES": "nope"}, "StyleNotDefined"),
        ({"LAYERS": ",".join("a" for _ in range(1001))}, "InvalidParameterValue"),
    ],
)
def test_layers_that_cannot_be_had(params: dict[str, str], code: str) -> None:
    with pytest.raises(OwsError) as caught:
        read_layers(Request(params=params), project(), Settings())
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("width", "height"), [("0", "1"), ("-1", "1"), ("301", "1"), ("1", "201"), ("300", "200"), ("", "1")]
)
def test_sizes_out_of_bounds(width: str, height: str) -> None:
    made = project(wms=WmsProperties(max_width=300, max_height=500))
    settings = Settings(wms_max_width=400, wms_max_height=200, max_pixels=50_000)
    with pytest.raises(OwsError):
        read_size(Request(params={"WIDTH": width, "HEIGHT": height}), made, settings)
    assert read_size(Request(params={"WIDTH": "250", "HEIGHT": "200"}), made, settings) == (250, 200)


def test_boxes_are_united_and_never_outside_the_world() -> None:
    made = project(crs=parse_crs("EPSG:4326"), wms=WmsProperties(crs_list=("EPSG:4326",)))
    layers = dict(made.layers)
    layers["a"] = layer("a", extent=Extent(-190, -95, 0, 0), crs=parse_crs("EPSG:4326"))
    layers["b"] = layer("b", extent=Extent(1, 1, 2, 2), crs=parse_crs("EPSG:4326"))
    made = replace(made, layers=layers)
    boxes = BoxMaker(made, Sources()).of_root(published_tree(made))
    assert boxes.geographic == Extent(-180, -90, 2, 2)
    assert boxes.by_crs == {"EPSG:4326": Extent(-190, -95, 2, 2)}


def boxed(**values: object) -> dict[str, Extent]:
    """Boxes of a file layer in EPSG:4326 whose file is gone."""
    only = replace(
        layer("a", extent=Extent(1, 1, 2, 2), crs=parse_crs("EPSG:4326")), source=DataSource("gdal", "/gone")
    )
    made = project(layers={"a": only}, **values)
    return dict(BoxMaker(made, Sources()).of_layer(only).by_crs)


@pytest.mark.parametrize(("geometry", "reach"), [("", "0.112"), ("NoGeometry", "0.001")])
def test_groups_without_geometry_have_a_box_around_the_origin(geometry: str, reach: str) -> None:
    """QGIS Server's own boxes of an empty project and of one with a table."""
    table = VectorLayer("t", "t", "t", DataSource("memory"), None, geometry_type=geometry)
    made = project(
        layers={"t": table} if geometry else {},
        tree=Group("", (TreeLayer("t", "t"),) if geometry else ()),
        crs=parse_crs("EPSG:4326"),
        wms=WmsProperties(crs_list=("EPSG:3857",)),
    )
    found = BoxMaker(made, Sources()).of_root(published_tree(made))
    assert outward(found.by_crs["EPSG:3857"], 3) == (f"-{reach}", f"-{reach}", reach, reach)


def test_the_box_of_a_group_holds_those_of_the_empty_groups_in_it() -> None:
    """As QGIS Server: what a client reads of the groups below lies inside of what it reads of the one around them."""
    west = layer("a", extent=Extent(-119, 22, -82, 47), crs=parse_crs("EPSG:4326"))
    made = project(
        layers={"a": west},
        tree=Group("", (TreeLayer("a", "a"), Group("nothing"))),
        crs=parse_crs("EPSG:4326"),
        wms=WmsProperties(crs_list=("EPSG:4326",)),
    )
    maker, tree = BoxMaker(made, Sources()), published_tree(made)
    assert outward(maker.of_root(tree).by_crs["EPSG:4326"], 5) == ("-119", "-0.00001", "0.00001", "47")
    assert maker.of_map(tree).by_crs == {"EPSG:4326": west.extent}


def test_layers_without_a_file_have_the_box_of_the_service_or_of_their_crs() -> None:
    """QGIS Server's own boxes; the service's goes by two corners into the layer's CRS first."""
    service = WmsProperties(crs_list=("EPSG:2154",), extent=Extent(762550.05, 6271516.64, 779745.72, 6283851.9))
    (box,) = boxed(wms=service).values()
    assert outward(box, 0) == ("762431", "6271516", "779898", "6283852")
    assert boxed(wms=WmsProperties(crs_list=("EPSG:4326",))) == {"EPSG:4326": Extent(-180, -90, 180, 90)}


@pytest.mark.parametrize(("seconds", "asked", "complete"), [(0.0, 2, False), (currentextents.PATIENCE + 1, 1, True)])
def test_sources_are_asked_where_the_project_has_no_box_and_not_for_long(
    monkeypatch: pytest.MonkeyPatch, seconds: float, asked: int, complete: bool
) -> None:
    now, seen = [0.0], list[str]()

    class Down:
        def extent(self) -> Extent:
            now[0] += seconds
            raise ProviderError("down")

    def open_layer(project: Project, layer: VectorLayer, sources: Sources) -> Down:
        seen.append(layer.id)
        return Down()

    monkeypatch.setattr(currentextents, "open_layer", open_layer)
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    extents = {"a": None, "b": Extent(1, 1, 2, 2), "c": None}
    layers = {
        name: VectorLayer(name, name, name, DataSource("delimitedtext"), LAMBERT, extent=extent)
        for name, extent in extents.items()
    }
    maker = BoxMaker(project(layers=layers), Sources())
    for one in layers.values():
        maker.of_layer(one)
    assert (len(seen), "b" in seen, maker.complete) == (asked, False, complete)


@pytest.mark.parametrize(
    ("seconds", "error", "expected"),
    [
        (0.0, None, Extent(5, 5, 6, 6)),
        (0.0, ProviderError("down"), Extent(0, 0, 9, 9)),
        (currentextents.PATIENCE + 1, ProviderError("slow"), Extent(1, 1, 2, 2)),
    ],
)
def test_a_database_is_asked_for_its_box_though_the_project_has_one(
    monkeypatch: pytest.MonkeyPatch, seconds: float, error: ProviderError | None, expected: Extent
) -> None:
    """As QGIS Server: the data; the service's extent if the database is down. What was stored if it is slow."""
    now = [0.0]

    class Source:
        def extent(self) -> Extent:
            now[0] += seconds
            if error is not None:
                raise error
            return Extent(5, 5, 6, 6)

    monkeypatch.setattr(currentextents, "open_layer", lambda *_: Source())
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    one = VectorLayer("a", "a", "a", DataSource("postgres"), parse_crs("EPSG:4326"), extent=Extent(1, 1, 2, 2))
    service = WmsProperties(crs_list=("EPSG:4326",), extent=Extent(0, 0, 9, 9))
    maker = BoxMaker(project(layers={"a": one}, wms=service, crs=None), Sources())
    assert dict(maker.of_layer(one).by_crs) == {"EPSG:4326": expected}


def test_numbers_are_rounded_outwards() -> None:
    assert outward(Extent(1.23456, -1.23456, 2.00004, 3), 3) == ("1.234", "-1.235", "2.001", "3")
