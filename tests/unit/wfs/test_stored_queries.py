"""Stored queries that clients make (WFS 2.0 clause 14): kept for all processes, all or none, values never markup."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from lxml import etree
from werkzeug.test import Client

from qgserver.app import Application
from qgserver.settings import Settings

PROJECT = Path(__file__).parents[3] / "fixtures/projects/wfs.qgs"
WFS, OWS = "http://www.opengis.net/wfs/2.0", "http://www.opengis.net/ows/1.1"
LANGUAGE = "urn:ogc:def:queryLanguage:OGC-WFS::WFSQueryExpression"
GML_ID = "{http://www.opengis.net/gml/3.2}id"
ABOVE = (
    '<Query typeNames="${type}"><fes:Filter><fes:PropertyIsGreaterThan><fes:ValueReference>num</fes:ValueReference>'
    "<fes:Literal>${least}</fes:Literal></fes:PropertyIsGreaterThan></fes:Filter></Query>"
)


def server(folder: Path | str) -> Client:
    """A process of its own, as far as stored queries go."""
    return Client(Application(Settings(project_file=str(PROJECT), stored_queries=str(folder))))


def post(client: Client, body: str) -> tuple[int, etree._Element]:
    answer = client.post("/", data=body.encode(), content_type="text/xml")
    return answer.status_code, etree.fromstring(answer.data)


def definition(name: str, queries: str = ABOVE, language: str = LANGUAGE, private: str = "false") -> str:
    return (
        f'<StoredQueryDefinition id="{name}"><Title>Above</Title>'
        '<Parameter name="type" type="xs:QName"/><Parameter name="least" type="xs:int"/>'
        f'<QueryExpressionText returnFeatureTypes="qgs:pts" language="{language}" isPrivate="{private}">{queries}'
        "</QueryExpressionText></StoredQueryDefinition>"
    )


def create(client: Client, *definitions: str) -> tuple[int, etree._Element]:
    return post(
        client,
        f'<CreateStoredQuery service="WFS" version="2.0.0" xmlns="{WFS}" xmlns:fes="http://www.opengis.net/fes/2.0"'
        f' xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:qgs="http://www.qgis.org/gml">{"".join(definitions)}'
        "</CreateStoredQuery>",
    )


def ask(client: Client, name: str, **params: str) -> tuple[int, etree._Element]:
    query = {"SERVICE": "WFS", "VERSION": "2.0.0", "REQUEST": "GetFeature", "STOREDQUERY_ID": name, **params}
    answer = client.get("/", query_string=query)
    return answer.status_code, etree.fromstring(answer.data)


def listed(client: Client) -> list[str]:
    answer = client.get("/?SERVICE=WFS&VERSION=2.0.0&REQUEST=ListStoredQueries")
    return [str(found.get("id")) for found in etree.fromstring(answer.data)][1:]


def code(root: etree._Element) -> tuple[str | None, str | None]:
    (found,) = root.iter(f"{{{OWS}}}Exception")
    return found.get("exceptionCode"), found.get("locator")


def drop(client: Client, name: str) -> tuple[int, etree._Element]:
    return post(client, f'<DropStoredQuery service="WFS" version="2.0.0" xmlns="{WFS}" id="{name}"/>')


def test_what_one_process_is_told_all_know(tmp_path: Path) -> None:
    one, other = server(tmp_path), server(tmp_path)
    status, root = create(one, definition("urn:above"))
    assert (status, root.tag, root.get("status")) == (200, f"{{{WFS}}}CreateStoredQueryResponse", "OK")
    assert listed(other) == ["urn:above"]
    status, root = ask(other, "urn:above", TYPE="qgs:pts", LEAST="9", COUNT="2")
    assert (status, root.get("numberMatched"), root.get("numberReturned")) == (200, "3", "2")
    assert "STOREDQUERY_ID=urn%3Aabove" in (root.get("next") or "").replace("urn:", "urn%3A")
    assert drop(other, "urn:above")[0] == 200
    status, root = ask(one, "urn:above", TYPE="pts", LEAST="9")
    assert (status, code(root)) == (400, ("InvalidParameterValue", "id"))
    assert drop(one, "urn:above")[0] == 400


def test_a_query_is_described_as_it_was_made_unless_private(tmp_path: Path) -> None:
    client = server(tmp_path)
    create(client, definition("urn:open"), definition("urn:private", private="true"))
    answer = client.get("/?SERVICE=WFS&VERSION=2.0.0&REQUEST=DescribeStoredQueries")
    found = {item.get("id"): item for item in etree.fromstring(answer.data)}
    assert len(list(found["urn:open"].iter("{*}Query"))) == 1
    assert [item.get("name") for item in found["urn:open"].iter("{*}Parameter")] == ["type", "least"]
    assert not list(found["urn:private"].iter("{*}Query"))


@pytest.mark.parametrize("least", ["<x/>", "]]><fes:Literal>", "1</fes:Literal></fes:PropertyIsGreaterThan>", "&amp;"])
def test_values_are_text(tmp_path: Path, least: str) -> None:
    client = server(tmp_path)
    create(client, definition("urn:above"))
    status, root = ask(client, "urn:above", TYPE="pts", LEAST=least)
    plain = etree.Element("Filter")
    greater = etree.SubElement(plain, "PropertyIsGreaterThan")
    etree.SubElement(greater, "ValueReference").text = "num"
    etree.SubElement(greater, "Literal").text = least
    query = {"SERVICE": "WFS", "VERSION": "2.0.0", "REQUEST": "GetFeature", "TYPENAMES": "pts"}
    answer = client.get("/", query_string={**query, "FILTER": etree.tostring(plain)})
    assert (status, root.get("numberMatched")) == (200, etree.fromstring(answer.data).get("numberMatched"))


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({"LEAST": "1"}, ("MissingParameterValue", "TYPE")),
        ({"TYPE": "pts", "LEAST": " "}, ("MissingParameterValue", "LEAST")),
        ({"TYPE": "nosuch", "LEAST": "1"}, ("InvalidParameterValue", "typename")),
        ({"TYPE": "\x01", "LEAST": "1"}, ("InvalidParameterValue", None)),
    ],
)
def test_parameters_that_will_not_do(tmp_path: Path, params: dict[str, str], expected: tuple[str, str | None]) -> None:
    client = server(tmp_path)
    create(client, definition("urn:above"))
    status, root = ask(client, "urn:above", **params)
    assert (status, code(root)) == (400, expected)


def test_values_do_not_multiply_without_end(tmp_path: Path) -> None:
    client = server(tmp_path)
    create(client, definition("urn:many", ABOVE.replace("${least}", "${least}" * 5000)))
    status, root = ask(client, "urn:many", TYPE="pts", LEAST="9" * 50_000)
    assert (status, code(root)) == (400, ("InvalidParameterValue", "least"))


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (definition("urn:b", language="http://qry.example.org"), ("InvalidParameterValue", "language")),
        (definition("urn:a"), ("DuplicateStoredQueryIdValue", "urn:a")),
        (definition("urn:ogc:def:query:OGC-WFS::GetFeatureById"),
         ("DuplicateStoredQueryIdValue", "urn:ogc:def:query:OGC-WFS::GetFeatureById")),
        (definition("urn:b").replace('"least"', '"type"'), ("DuplicateStoredQueryParameterName", "urn:b")),
        (definition("urn:b", "<StoredQuery id='urn:a'/>"), ("OperationParsingFailed", "urn:b")),
        (definition("urn:b", ""), ("OperationParsingFailed", "urn:b")),
        (definition(""), ("MissingParameterValue", "id")),
        (definition("urn:b", ABOVE + " " * (1 << 16)), ("InvalidParameterValue", None)),
    ],
)  # fmt: skip
def test_definitions_are_kept_all_or_none(tmp_path: Path, made: str, expected: tuple[str, str | None]) -> None:
    client = server(tmp_path)
    create(client, definition("urn:a"))
    _, root = create(client, definition("urn:new"), made)
    assert code(root) == expected
    assert listed(client) == ["urn:a"]


def test_an_id_is_given_once_whoever_comes_first(tmp_path: Path) -> None:
    clients = [server(tmp_path) for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        states = [status for status, _ in pool.map(lambda client: create(client, definition("urn:a")), clients)]
    assert sorted(states) == [200] + [400] * 7
    assert listed(clients[0]) == ["urn:a"]
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and path.suffix != ".xml"]


def test_names_lead_to_no_files_and_errors_to_no_paths(tmp_path: Path) -> None:
    (tmp_path / "secret.xml").write_text("<a/>")
    client = server(tmp_path)
    for name in ("../secret", "../../secret.xml", "secret", "/etc/passwd"):
        assert ask(client, name)[0] == drop(client, name)[0] == 400
    blocked = tmp_path / "file"
    blocked.write_text("")
    status, root = create(server(blocked), definition("urn:a"))
    assert (status, code(root)[0]) == (500, "OperationProcessingFailed")
    assert str(tmp_path) not in etree.tostring(root).decode()


def test_without_a_directory_nothing_is_offered() -> None:
    client = server("")
    assert create(client, definition("urn:a"))[0] == 501
    assert drop(client, "urn:a")[0] == 501
    capabilities = client.get("/?SERVICE=WFS&REQUEST=GetCapabilities").text
    assert "CreateStoredQuery" not in capabilities


def test_with_a_directory_it_is_claimed(tmp_path: Path) -> None:
    root = etree.fromstring(server(tmp_path).get("/?SERVICE=WFS&REQUEST=GetCapabilities").data)
    assert root.xpath("string(//*[@name='ManageStoredQueries']/*[local-name()='DefaultValue'])") == "TRUE"
    assert LANGUAGE in root.xpath("//*[@name='CreateStoredQuery']//*[local-name()='Value']/text()")


def test_nothing_is_dropped_by_an_address(tmp_path: Path) -> None:
    client = server(tmp_path)
    create(client, definition("urn:a"))
    answer = client.get("/?SERVICE=WFS&VERSION=2.0.0&REQUEST=DropStoredQuery&STOREDQUERY_ID=urn:a")
    assert answer.status_code == 405
    assert listed(client) == ["urn:a"]
