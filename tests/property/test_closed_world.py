"""What is not published stays unknown: no request of a client has an answer that depends on it.

Two servers publish the same project; the data behind them differ in hidden fields and in a layer that is restricted in
WMS and not published by WFS. Whatever a client asks, both must answer the same, and no answer may name a source.
"""

from __future__ import annotations

import re
import shutil
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from werkzeug.test import Client

from qgserver.app import Application
from qgserver.expression.function import functions
from qgserver.expression.functions import load_all
from qgserver.ows.xmlio import escape
from qgserver.project.model import FieldConfig, Project, VectorLayer
from qgserver.project.store import ProjectStore
from qgserver.settings import Settings

FIXTURES = Path(__file__).parents[2] / "fixtures"
OPEN, BARE, SECRET = "pts", "pz", "pol"
"""A layer with hidden fields, one without, one that is not published."""
PUBLIC_FIELDS, HIDDEN_FIELDS = ("num", "kind", "fid"), ("name", "val")
HIDDEN_EXPRESSIONS = ('"name"', "val", "attribute($currentfeature, 'name')", "attributes()", "@name", "$currentfeature")
SECRET_LAYERS = (SECRET, "polys")
WORDS = ("hush", "hushhush")
MARKS = (b"gpkg", b"fewpoints", b"hush", b"/tmp", b"sqlite_", b"Traceback")

TIME = re.compile(rb'timeStamp="[^"]*"')
"""Answers of WFS say when they were made."""

load_all()
CHANGING = {"rand", "randf", "uuid", "$uuid", "now", "$now"}
"""Functions whose value is another one each time."""
NAMES = sorted(name for name in functions if name not in CHANGING)
UNSAFE = sorted(name for name in functions if not functions[name].client_safe)


def copy_of_data(folder: Path, word: str) -> Path:
    """The bundled GeoPackage with hidden values made from ``word``."""
    target = folder / "data.gpkg"
    shutil.copy(FIXTURES / "data" / "data.gpkg", target)
    with sqlite3.connect(target) as connection:
        triggers = connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for (name,) in triggers:
            connection.execute(f'DROP TRIGGER "{name}"')
        for table in ("fewpoints", "polys"):
            turn = -1 if word == WORDS[1] else 1  # also in another order
            connection.execute(
                f"UPDATE {table} SET name = ? || (50 + num * ?), val = num * ?", (word, turn, turn * len(word))
            )
        connection.execute("UPDATE polys SET num = num + ?", (len(word),))
    connection.close()
    return target


def secretive(project: Project, data: Path) -> Project:
    """The project with hidden fields and a layer that is not published, over other data."""
    layers = {}
    for key, layer in project.layers.items():
        source = replace(layer.source, path=str(data))
        layers[key] = replace(layer, source=source)
        if isinstance(layer, VectorLayer) and layer.published == OPEN:
            hidden = tuple(FieldConfig(name, hidden_wms=True, hidden_wfs=True) for name in HIDDEN_FIELDS)
            layers[key] = replace(layer, source=source, fields=hidden)
    secrets = {key for key, layer in layers.items() if layer.name in SECRET_LAYERS or layer.published in SECRET_LAYERS}
    names = frozenset(layers[key].name for key in secrets)
    return replace(
        project,
        layers=layers,
        variables={"secret": "hush"},
        wms=replace(project.wms, restricted=names, add_geometry=True),
        wfs=replace(project.wfs, layers=tuple(key for key in project.wfs.layers if key not in secrets)),
    )


class Server(Application):
    """A server of one project that is at hand."""

    def __init__(self, project: Project) -> None:
        super().__init__(Settings())
        self._project_at_hand = project

    def _project(self, request: Any) -> Project:
        return self._project_at_hand


@pytest.fixture(scope="module")
def clients(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Client, Client]]:
    path = str(FIXTURES / "projects" / "wfs.qgs")
    project = ProjectStore(Settings(project_file=path)).get(path)
    made = []
    for word in WORDS:
        data = copy_of_data(tmp_path_factory.mktemp("data"), word)
        made.append(Client(Server(secretive(project, data))))
    yield made[0], made[1]


def assert_nothing_shows(clients: tuple[Client, Client], query: dict[str, str]) -> None:
    """Both servers answer the same, without an accident, and tell nothing of sources."""
    one, other = (client.get("/", query_string=query) for client in clients)
    assert one.status_code == other.status_code != 500, (one.status_code, other.status_code, one.text[:500])
    assert TIME.sub(b"", one.data) == TIME.sub(b"", other.data)
    # What the client itself sent may come back.
    sent = " ".join(query.values()).encode()
    assert not [mark for mark in MARKS if mark in one.data and mark not in sent]


# -- what clients ask -------------------------------------------------------------------------------------------------

LEAVES = st.sampled_from(
    (
        *(f'"{name}"' for name in PUBLIC_FIELDS + HIDDEN_FIELDS),
        *HIDDEN_EXPRESSIONS,
        *("@secret", "@layer", "@layer_id", "'name'", "'val'", f"'{SECRET}'", "'pts'", "'hush51'", "'secret'"),
        *("'source'", "'max'", "'id'", "1", "2.5", "NULL", "$geometry", "map('a', 1)", "array(1, 2)"),
        *("'\"name\"'", "'@secret'", "'[% \"name\" %]'"),
    )
)


def arities(name: str) -> st.SearchStrategy[int]:
    """Numbers of arguments that a function takes."""
    function = functions[name]
    return st.integers(function.least, max(len(function.parameters), function.least + (2 if function.variadic else 0)))


def calls(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    @st.composite
    def call(draw: st.DrawFn) -> str:
        name = draw(st.sampled_from(NAMES))
        count = draw(arities(name))
        arguments = draw(st.lists(inner, min_size=count, max_size=count))
        return f"{name}({', '.join(arguments)})" if arguments or not name.startswith("$") else name

    operators = st.sampled_from(["=", "<", "LIKE", "AND", "||", "+"])
    return call() | st.builds(lambda a, op, b: f"({a} {op} {b})", inner, operators, inner)


EXPRESSIONS = st.recursive(LEAVES, calls, max_leaves=4)
TESTS = st.sampled_from(["= 'hush51'", "LIKE 'hushhush%'", "< 20", "> 6", "IS NULL", "IN (4, 8)", "< 'hushh'"])
CONDITIONS = st.builds(lambda a, test: f"{a} {test}", EXPRESSIONS, TESTS)
FIELD_NAMES = st.sampled_from([*PUBLIC_FIELDS, *HIDDEN_FIELDS, "NAME", "Val", "nix", "geometry", "*", "fid,name"])
PROPERTIES = st.builds(lambda name: f"<PropertyName>{name}</PropertyName>", FIELD_NAMES)
LITERALS = st.sampled_from(["hush51", "20", "hushh", "6", "name"]).map(
    lambda text: f"<Literal>{escape(text)}</Literal>"
)


def functions_of(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    @st.composite
    def call(draw: st.DrawFn) -> str:
        name = draw(st.sampled_from(NAMES))
        count = draw(arities(name))
        arguments = draw(st.lists(inner, min_size=count, max_size=count))
        return f'<Function name="{name}">{"".join(arguments)}</Function>'

    return call()


OPERANDS = PROPERTIES | st.recursive(PROPERTIES | LITERALS, functions_of, max_leaves=3)
COMPARISONS = st.builds(
    lambda name, a, b: f"<{name}>{a}{b}</{name}>",
    st.sampled_from(["PropertyIsEqualTo", "PropertyIsLessThan", "PropertyIsLike"]),
    OPERANDS,
    LITERALS,
)
NULLS = st.builds(lambda name: f"<Not><PropertyIsNull>{name}</PropertyIsNull></Not>", OPERANDS)
FILTERS = (COMPARISONS | NULLS).map(lambda inner: f'<Filter xmlns="http://www.opengis.net/ogc">{inner}</Filter>')
USER_STYLES = st.builds(
    lambda layer, test: (
        f"<StyledLayerDescriptor><NamedLayer><Name>{layer}</Name><UserStyle><FeatureTypeStyle><Rule>{test}"
        "<PointSymbolizer/></Rule></FeatureTypeStyle></UserStyle></NamedLayer></StyledLayerDescriptor>"
    ),
    st.sampled_from([OPEN, OPEN, SECRET]),
    FILTERS,
)
TEXT_FILTERS = st.builds(
    lambda layer, name, op, value: f'{layer}:"{name}" {op} {value}',
    st.sampled_from([OPEN, OPEN, SECRET]),
    FIELD_NAMES,
    st.sampled_from(["=", "<", ">", "LIKE"]),
    st.sampled_from(["'hush51'", "20", "'hushhush%'"]),
)
LAYERS = st.sampled_from([OPEN, OPEN, OPEN, OPEN, OPEN, SECRET, "pts,pol", "Project"])
SHAPES = st.sampled_from(["POLYGON((0 0,0 9e6,9e6 9e6,9e6 0,0 0))", "POINT(845000 6520000)", "name", "POLYGON EMPTY"])
WFS = st.fixed_dictionaries(
    {
        "SERVICE": st.just("WFS"),
        "VERSION": st.sampled_from(["1.0.0", "1.1.0"]),
        "REQUEST": st.just("GetFeature"),
        "TYPENAME": st.sampled_from([OPEN, OPEN, OPEN, OPEN, SECRET]),
        "FILTER": FILTERS,
    },
    optional={
        "PROPERTYNAME": FIELD_NAMES,
        "SORTBY": FIELD_NAMES.map(lambda name: f"{name} DESC"),
        "OUTPUTFORMAT": st.sampled_from(["GeoJSON", "GML2", "GML3"]),
        "RESULTTYPE": st.sampled_from(["hits", "results"]),
    },
)
TIMES = st.builds(
    lambda op, name, moment: f"<{op}>{name}<Literal>{moment}</Literal></{op}>",
    st.sampled_from(["After", "Before", "During", "TEquals", "AnyInteracts"]),
    PROPERTIES,
    st.sampled_from(["2020-01-01", "2000-01-01T00:00:00Z/2030-01-01", "hush51"]),
)
NEAR = st.builds(
    lambda op, name: f'<{op}>{name}<Point><pos>845000 6520000</pos></Point><Distance uom="km">{1}</Distance></{op}>',
    st.sampled_from(["DWithin", "Beyond"]),
    PROPERTIES,
)
WITH_ID = st.builds(
    lambda op, inner: f'<{op}><ResourceId rid="pts.2"/>{inner}</{op}>',
    st.sampled_from(["And", "Or"]),
    COMPARISONS | NULLS,
)
FILTERS_2 = (TIMES | NEAR | WITH_ID | COMPARISONS | NULLS).map(
    lambda inner: f'<Filter xmlns="http://www.opengis.net/fes/2.0">{inner}</Filter>'
)
PATHS = (
    FIELD_NAMES
    | FIELD_NAMES.map(lambda name: f"{OPEN}/{name}[1]")
    | st.sampled_from(
        ["@gml:id", "geometry", "*", "//name", "name/text()", "num[../name='hush51']", f"{SECRET}/name", "../name"]
    )
)
WFS_2 = st.fixed_dictionaries(
    {
        "SERVICE": st.just("WFS"),
        "VERSION": st.just("2.0.0"),
        "REQUEST": st.sampled_from(["GetFeature", "GetPropertyValue"]),
        "TYPENAMES": st.sampled_from([OPEN, OPEN, OPEN, f"{OPEN},{SECRET}", SECRET]),
        "VALUEREFERENCE": PATHS,
    },
    optional={
        "FILTER": FILTERS_2,
        "PROPERTYNAME": FIELD_NAMES,
        "SORTBY": FIELD_NAMES.map(lambda name: f"{name} DESC"),
        "RESOURCEID": st.sampled_from(["pts.1", "pol.1", "pts.2,pts.1"]),
        "STOREDQUERY_ID": st.just("urn:ogc:def:query:OGC-WFS::GetFeatureById"),
        "ID": st.sampled_from(["pts.1", "pol.1", "pts.99"]),
        "COUNT": st.just("3"),
        "RESULTTYPE": st.sampled_from(["hits", "results"]),
    },
)
MAP = {
    "SERVICE": "WMS",
    "VERSION": "1.3.0",
    "CRS": "EPSG:2154",
    "BBOX": "842000,6517000,850000,6523000",
    "WIDTH": "64",
    "HEIGHT": "48",
    "FORMAT": "image/png",
}
WMS = st.fixed_dictionaries(
    {name: st.just(value) for name, value in MAP.items()}
    | {
        "REQUEST": st.sampled_from(["GetMap", "GetFeatureInfo"]),
        "LAYERS": LAYERS,
        "QUERY_LAYERS": LAYERS,
        "I": st.just("30"),
        "J": st.just("20"),
        "FI_POINT_TOLERANCE": st.just("60"),
    },
    optional={
        "FILTER": TEXT_FILTERS | FILTERS,
        "SLD_BODY": USER_STYLES,
        "FILTER_GEOM": SHAPES,
        "SELECTION": st.sampled_from(["pts:1", "pol:1,2", "pts:name"]),
        "INFO_FORMAT": st.sampled_from(["text/xml", "text/plain", "text/html", "application/json", "name"]),
        "FEATURE_COUNT": st.just("10"),
        "WITH_GEOMETRY": st.just("TRUE"),
    },
)
ABOUT = st.fixed_dictionaries(
    {
        "SERVICE": st.sampled_from(["WFS", "WMS"]),
        "REQUEST": st.sampled_from(
            [
                "DescribeFeatureType",
                "ListStoredQueries",
                "DescribeStoredQueries",
                "GetCapabilities",
                "GetProjectSettings",
                "GetStyles",
                "DescribeLayer",
                "GetContext",
            ]
        ),
    },
    optional={
        "VERSION": st.sampled_from(["1.0.0", "1.1.0", "1.1.1", "1.3.0", "2.0.0"]),
        "TYPENAME": LAYERS,
        "LAYERS": LAYERS,
        "LAYER": LAYERS,
        "SLD_VERSION": st.just("1.1.0"),
    },
)
FEW = settings(deadline=None, max_examples=120, suppress_health_check=list(HealthCheck))


@FEW
@given(query=WFS)
def test_features(clients: tuple[Client, Client], query: dict[str, str]) -> None:
    assert_nothing_shows(clients, query)


@FEW
@given(query=WFS_2)
def test_features_of_wfs_2(clients: tuple[Client, Client], query: dict[str, str]) -> None:
    assert_nothing_shows(clients, query)


@FEW
@given(condition=CONDITIONS)
def test_expressions(clients: tuple[Client, Client], condition: str) -> None:
    query = {"SERVICE": "WFS", "VERSION": "1.1.0", "REQUEST": "GetFeature", "TYPENAME": OPEN, "PROPERTYNAME": "num"}
    assert_nothing_shows(clients, query | {"EXP_FILTER": condition, "OUTPUTFORMAT": "GeoJSON"})


SORTS = st.fixed_dictionaries(
    {"PROPERTYNAME": FIELD_NAMES, "SORTBY": FIELD_NAMES},
    optional={"FEATUREID": st.sampled_from(["pts.1", "pol.1", "pts.2,pts.1"]), "MAXFEATURES": st.just("2")},
)


@FEW
@given(query=SORTS)
def test_names(clients: tuple[Client, Client], query: dict[str, str]) -> None:
    base = {"SERVICE": "WFS", "VERSION": "1.1.0", "REQUEST": "GetFeature", "TYPENAME": OPEN}
    assert_nothing_shows(clients, base | query)


@FEW
@given(query=WMS)
def test_maps_and_feature_info(clients: tuple[Client, Client], query: dict[str, str]) -> None:
    assert_nothing_shows(clients, query)


@FEW
@given(query=ABOUT)
def test_documents(clients: tuple[Client, Client], query: dict[str, str]) -> None:
    assert_nothing_shows(clients, query)


@pytest.mark.parametrize("name", UNSAFE)
@pytest.mark.parametrize("outer", ["{} IS NULL", "NOT coalesce(\"num\" = 1, {} = 'x')"])
def test_functions_that_reach_out_are_forbidden(clients: tuple[Client, Client], name: str, outer: str) -> None:
    """Directly, and below another function."""
    arguments = ", ".join(["'/etc/passwd'"] * functions[name].least)
    query = {"SERVICE": "WFS", "VERSION": "1.1.0", "REQUEST": "GetFeature", "TYPENAME": OPEN}
    for parameters in (
        query | {"EXP_FILTER": outer.format(f"{name}({arguments})")},
        query | {"FILTER": _called(name)},
        MAP | {"REQUEST": "GetMap", "LAYERS": OPEN, "FILTER": _called(name)},
    ):
        assert clients[0].get("/", query_string=parameters).status_code == 403


def _called(name: str) -> str:
    inner = "<Literal>/etc/passwd</Literal>" * functions[name].least
    call = f'<Function name="{name}">{inner}</Function><Literal>1</Literal>'
    return f'<Filter xmlns="http://www.opengis.net/ogc"><PropertyIsEqualTo>{call}</PropertyIsEqualTo></Filter>'


def _function(name: str, *arguments: str) -> str:
    return f'<Function name="{name}">{"".join(arguments)}</Function>'


def _text(value: str) -> str:
    return f"<Literal>{value}</Literal>"


FOREIGN = _function("attribute", _function("get_feature_by_id", _text(SECRET), _text("1")), _text("name"))


@pytest.mark.parametrize(
    "expression",
    [
        f"attribute(get_feature_by_id('{SECRET}', 1), 'name') LIKE 'hushhush%'",
        f"aggregate('{SECRET}', 'max', \"num\") > 65",
        "eval('\"name\" LIKE ''hushhush%''')",
        "eval_template('[% \"name\" %]') LIKE 'hushhush%'",
        "map_get(attributes($currentfeature), 'name') LIKE 'hushhush%'",
        "eval('@secret') = 'hush'",
        "layer_property('pts', 'source') LIKE '%gpkg%'",
    ],
)
@pytest.mark.parametrize("layer", [OPEN, BARE])
def test_known_ways_by_expression(clients: tuple[Client, Client], expression: str, layer: str) -> None:
    query = {"SERVICE": "WFS", "VERSION": "1.1.0", "REQUEST": "GetFeature", "TYPENAME": layer, "PROPERTYNAME": "fid"}
    assert_nothing_shows(clients, query | {"EXP_FILTER": expression})


@pytest.mark.parametrize("layer", [OPEN, BARE])
@pytest.mark.parametrize("request_name", ["GetMap", "GetFeatureInfo"])
def test_other_layers_by_filter(clients: tuple[Client, Client], request_name: str, layer: str) -> None:
    condition = (
        f'<PropertyIsLike wildCard="%" singleChar="_" escapeChar="!">{FOREIGN}{_text("hushhush%")}</PropertyIsLike>'
    )
    query = MAP | {"LAYERS": layer, "QUERY_LAYERS": layer, "I": "30", "J": "20", "FI_POINT_TOLERANCE": "60"}
    text = f'<Filter xmlns="http://www.opengis.net/ogc">{condition}</Filter>'
    assert_nothing_shows(clients, query | {"REQUEST": request_name, "FILTER": text})
