"""``<datasource>`` texts as QGIS writes them, taken apart."""

from __future__ import annotations

import pytest

from qgserver.providers.uri import DataSource, geometry_type_name, parse_datasource

FOLDER = "/srv/maps"


def parse(provider: str, text: str) -> DataSource:
    return parse_datasource(provider, text, FOLDER)


def test_postgres_table() -> None:
    source = parse(
        "postgres",
        "dbname='db' host=h port=5432 user='u' password='p\\'w\\\\d' sslmode=disable key='gid' estimatedmetadata=true "
        'srid=3857 type=MultiPolygon checkPrimaryKeyUnicity=\'1\' table="sch"."t b" (geom) sql="a" = \'x\' AND b > 0',
    )
    assert (source.schema, source.table, source.geometry_column) == ("sch", "t b", "geom")
    assert (source.key, source.srid, source.geometry_type) == (("gid",), 3857, "MultiPolygon")
    assert source.estimated_metadata
    assert source.subset == "\"a\" = 'x' AND b > 0"
    assert source.params == {
        "dbname": "db",
        "host": "h",
        "port": "5432",
        "user": "u",
        "password": "p'w\\d",
        "sslmode": "disable",
        "checkPrimaryKeyUnicity": "1",
    }
    assert "p'w" not in str(source)
    assert "p'w" not in repr(source)


def test_postgres_query_layer() -> None:
    source = parse(
        "postgres",
        "service='s' key='a,b' table=\"(SELECT \\\"a\\\", b,\n geom FROM t WHERE c = 'sql=')\" (geom) sql=",
    )
    assert source.query == "SELECT \"a\", b,\n geom FROM t WHERE c = 'sql='"
    assert (source.schema, source.table, source.subset) == ("", "", "")
    assert source.key == ("a", "b")
    assert source.geometry_column == "geom"
    assert "SELECT" not in str(source)


@pytest.mark.parametrize(
    ("text", "schema", "table", "column"),
    [
        ("table=\"t\" sql=", "", "t", ""),
        ('table="a.b"."c" (the \\) geom)', "a.b", "c", "the ) geom"),
        ('table="q\\"uote" (g)', "", 'q"uote', "g"),
        ("table=plain.name (g)", "plain", "name", "g"),
    ],
)  # fmt: skip
def test_database_table(text: str, schema: str, table: str, column: str) -> None:
    source = parse("postgres", "service='s' " + text)
    assert (source.schema, source.table, source.geometry_column) == (schema, table, column)


def test_composite_key_with_quoted_names() -> None:
    assert parse("postgres", 'key=\'"a, b","c",d\' table="t"').key == ("a, b", "c", "d")


def test_spatialite_path_is_relative_to_the_project() -> None:
    source = parse("spatialite", "dbname='./x.sqlite' table=\"t\" (geometry) sql=")
    assert (source.path, source.table, source.geometry_column) == ("/srv/maps/x.sqlite", "t", "geometry")


@pytest.mark.parametrize(
    ("text", "path", "table", "subset"),
    [
        ("../d/a.gpkg|layername=t|x|subset=\"n\" = 'a|b'", "/srv/d/a.gpkg", "t|x", "\"n\" = 'a|b'"),
        ("./a.gpkg|subset=n > 1|layername=t", "/srv/maps/a.gpkg", "t", "n > 1"),
        ("a.shp", "/srv/maps/a.shp", "", ""),
        ("/abs/a.shp", "/abs/a.shp", "", ""),
        (".\\win\\a.shp", "/srv/maps/win/a.shp", "", ""),
        ("/vsizip/./z.zip/a.shp", "/vsizip//srv/maps/z.zip/a.shp", "", ""),
        ("/vsizip//abs/z.zip/a.shp", "/vsizip//abs/z.zip/a.shp", "", ""),
        ("/vsicurl/http://h/a.shp", "/vsicurl/http://h/a.shp", "", ""),
        ("PG:dbname=x", "PG:dbname=x", "", ""),
    ],
)
def test_ogr(text: str, path: str, table: str, subset: str) -> None:
    source = parse("ogr", text)
    assert (source.path, source.table, source.subset) == (path, table, subset)


def test_ogr_options() -> None:
    source = parse("ogr", "./a.csv|layerid=0|geometrytype=LineString25D|option:X=Y|authcfg=abc1234")
    assert source.params == {"layerid": "0", "option:X": "Y", "authcfg": "abc1234"}
    assert source.geometry_type == "LineString25D"


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("../dem.tif", "/srv/dem.tif"),
        ("GPKG:./a.gpkg:osm", "GPKG:/srv/maps/a.gpkg:osm"),
        ('NETCDF:"./a.nc":var', 'NETCDF:"/srv/maps/a.nc":var'),
        ("./a.tif|option:X=1", "/srv/maps/a.tif"),
        ("https://h/a.tif", "https://h/a.tif"),
    ],
)
def test_gdal(text: str, path: str) -> None:
    assert parse("gdal", text).path == path


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("file:./x.csv?delimiter=;&subset=%22a%22%20%3D%201", "/srv/maps/x.csv"),
        ("file:///abs/x%20y.csv?delimiter=;&subset=%22a%22%20%3D%201", "/abs/x y.csv"),
        ("./x.csv?delimiter=;&subset=%22a%22%20%3D%201", "/srv/maps/x.csv"),
    ],
)
def test_delimited_text(text: str, path: str) -> None:
    source = parse("delimitedtext", text)
    assert (source.path, source.subset, source.params) == (path, '"a" = 1', {"delimiter": ";"})


def test_memory_fields_are_repeated() -> None:
    source = parse("memory", "memory?geometry=Point&crs=EPSG:3857&field=id:integer(255,0)&field=name:string(255,0)")
    assert source.geometry_type == "Point"
    assert source.values("field") == ("id:integer(255,0)", "name:string(255,0)")
    assert source.values("absent") == ()


def test_wms() -> None:
    source = parse("wms", "crs=EPSG:3857&layers=a&layers=b%2Cc&styles&styles=&url=http://h/?a%3Db%26c%3Dd")
    assert source.values("layers") == ("a", "b,c")
    assert source.values("styles") == ("", "")
    assert source.params["url"] == "http://h/?a=b&c=d"


def test_virtual_layer() -> None:
    source = parse("virtual", "?layer_ref=id:name&query=SELECT%20*%20FROM%20name&geometry=g:1:2154&uid=k")
    assert (source.query, source.geometry_column, source.srid, source.key) == ("SELECT * FROM name", "g", 2154, ("k",))


@pytest.mark.parametrize(
    "provider", ["postgres", "ogr", "gdal", "wms", "memory", "delimitedtext", "virtual", "WFS", "x"]
)
@pytest.mark.parametrize("text", ["", "'", "a='", 'table="', "key=", "|", "?&=&", "\\", "table=() (", "sql", "%zz"])
def test_nonsense_never_raises(provider: str, text: str) -> None:
    parse(provider, text)


@pytest.mark.parametrize(
    ("text", "name"),
    [("MULTIPOLYGON", "MultiPolygon"), ("No geometry", "NoGeometry"), ("Line", "LineString"), ("PointZM", "PointZM")],
)
def test_geometry_type_names(text: str, name: str) -> None:
    assert geometry_type_name(text) == name


def test_encoding() -> None:
    assert parse_datasource("ogr", "./a.shp", FOLDER, "ISO-8859-1").encoding == "ISO-8859-1"
    assert parse_datasource("ogr", "./a.shp", FOLDER, "System").encoding == ""
