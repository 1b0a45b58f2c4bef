"""Virtual layers ask the other layers of their project, by name or id, and no others."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote
from xml.sax.saxutils import escape

import pytest
from project_xml import project_xml

from qgserver.errors import Problems, ProviderError
from qgserver.project.check import report
from qgserver.project.layersource import open_layer
from qgserver.project.model import Project, VectorLayer
from qgserver.project.reading import read_project
from qgserver.providers import Sources
from qgserver.providers.protocol import Query

RENDERER = '<renderer-v2 type="nullSymbol"/>'


def project(folder: Path, virtual: Mapping[str, str]) -> Project:
    """``cities`` (id ``c1``) as delimited text with a virtual field, and virtual layers by name: query and options."""
    (folder / "cities.csv").write_text("id,name\n1,Lyon\n2,Bron\n")
    field = '<expressionfields><field name="twice" expression="id * 2" type="2"/></expressionfields>'
    layers = [("c1", "cities", "delimitedtext", "./cities.csv?type=csv", field)]
    layers += [(f"id_{name}", name, "virtual", f"?query={text}", "") for name, text in virtual.items()]
    body = "".join(
        f'<maplayer type="vector" geometry="No geometry"><id>{layer_id}</id><layername>{name}</layername>'
        f"<datasource>{escape(source)}</datasource><provider>{provider}</provider>{RENDERER}{more}</maplayer>"
        for layer_id, name, provider, source, more in layers
    )
    return read_project(project_xml(f"<projectlayers>{body}</projectlayers>"), str(folder / "p.qgs"), Problems())


def values(opened: Project, layer_id: str, sources: Sources) -> list[list[object]]:
    layer = opened.layers[layer_id]
    assert isinstance(layer, VectorLayer)
    batches = list(open_layer(opened, layer, sources).read(Query()))
    return [column.values.tolist() for batch in batches for column in batch.columns.values()]


def test_layers_by_name_by_id_and_by_reference(tmp_path: Path, sources: Sources) -> None:
    texts = {
        "by_name": quote("select name, twice from cities where id = 2"),
        "by_id": quote("select max(twice) from c1"),
        "by_reference": quote("select max(twice) from other") + "&layer_ref=c1:other",
        "of_virtual": quote("select count(*) from by_name"),
    }
    opened = project(tmp_path, texts)
    assert values(opened, "id_by_name", sources) == [["Bron"], [4]]
    assert values(opened, "id_by_id", sources) == [[4]]
    assert values(opened, "id_by_reference", sources) == [[4]]
    assert values(opened, "id_of_virtual", sources) == [[1]]
    assert not [problem for problem in report(opened, sources) if problem.element == "datasource"]


def test_a_ring_of_virtual_layers_ends(tmp_path: Path, sources: Sources) -> None:
    opened = project(tmp_path, {"a": quote("select * from b"), "b": quote("select * from a"), "c": "select * from c"})
    for name in ("id_a", "id_c"):
        with pytest.raises(ProviderError, match="too deeply"):
            values(opened, name, sources)


def test_a_layer_that_fails_fails_those_that_ask_it_only(tmp_path: Path, sources: Sources) -> None:
    opened = project(tmp_path, {"v": quote("select name from cities"), "w": quote("select 1 as one")})
    assert values(opened, "id_v", sources) == [["Lyon", "Bron"]]
    (tmp_path / "cities.csv").unlink()
    with pytest.raises(ProviderError, match="can't be opened"):
        values(opened, "id_v", sources)
    assert values(opened, "id_w", sources) == [[1]]
    (tmp_path / "cities.csv").write_text("id,name\n7,Caluire\n")
    assert values(opened, "id_v", sources) == [["Caluire"]]
