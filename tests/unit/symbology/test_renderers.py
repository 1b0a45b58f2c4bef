"""Classification: which symbol draws which feature, as QGIS 3.22 was seen to decide."""

from __future__ import annotations

import numpy as np
import pytest
from lxml import etree

from qgserver.errors import Problems
from qgserver.expression.context import Context
from qgserver.expression.nodes import FieldRef, Literal
from qgserver.providers.batch import Batch, Column
from qgserver.symbology.renderer import Renderer, read_renderer

SYMBOL = '<symbol name="{0}" type="marker" alpha="1"><layer class="SimpleMarker" enabled="1" pass="0"/></symbol>'


def renderer(body: str, attributes: str, symbols: int = 4) -> Renderer:
    drawn = "".join(SYMBOL.format(i) for i in range(symbols))
    xml = f"<renderer-v2 {attributes}>{body}<symbols>{drawn}</symbols></renderer-v2>"
    return read_renderer(etree.fromstring(xml), "layer", Problems(strict=True))


def batch(**columns: list[object]) -> Batch:
    made = {}
    for name, values in columns.items():
        nulls = np.array([value is None for value in values])
        kinds = {type(value) for value in values if value is not None}
        dtype = {frozenset({int}): np.int64, frozenset({float}): np.float64}.get(frozenset(kinds), object)
        filled = [0 if value is None and dtype is not object else value for value in values]
        made[name] = Column(np.array(filled, dtype=dtype), nulls if nulls.any() else None)
    count = len(next(iter(columns.values())))
    return Batch(np.arange(count), made, None)


def drawn(of: Renderer, features: Batch, scale: float = 1000.0) -> list[tuple[int, int]]:
    jobs = of.classify(features, Context(), scale)
    return list(zip(jobs.rows.tolist(), jobs.symbols.tolist(), strict=True))


def test_categories_compare_values_as_text_and_the_empty_one_takes_the_rest() -> None:
    body = """<categories><category value="" symbol="3"/><category value="5" symbol="0"/>
      <category value="a" symbol="1"/></categories>"""
    of = renderer(body, 'type="categorizedSymbol" attr="n"')
    assert drawn(of, batch(n=[5, 6, None])) == [(0, 0), (1, 3), (2, 3)]
    assert drawn(of, batch(n=[5.0, 5.5])) == [(0, 0), (1, 3)]
    assert drawn(of, batch(n=["a", "", None, "5"])) == [(0, 1), (1, 3), (2, 3), (3, 0)]


def test_a_hidden_category_hides_its_values_from_the_rest_too() -> None:
    body = """<categories><category value="a" symbol="0" render="false"/><category value="" symbol="1"/></categories>"""
    assert drawn(renderer(body, 'type="categorizedSymbol" attr="n"'), batch(n=["a", "b"])) == [(1, 1)]


def test_categories_may_list_values_and_classify_by_expression() -> None:
    body = """<categories><category symbol="0"><val value="0"/><val value="2"/></category></categories>"""
    of = renderer(body, """type="categorizedSymbol" attr='"n" % 3'""")
    assert drawn(of, batch(n=[3, 4, 5])) == [(0, 0), (2, 0)]


def test_a_shared_boundary_belongs_to_the_first_range_and_null_to_none() -> None:
    body = """<ranges><range lower="0" upper="10" symbol="0"/><range lower="10" upper="20" symbol="1"/></ranges>"""
    of = renderer(body, 'type="graduatedSymbol" attr="n"')
    assert drawn(of, batch(n=[0.0, 10.0, 20.0, 20.1, None])) == [(0, 0), (1, 0), (2, 1)]


RULES = """<rules>
  <rule symbol="0" filter="&quot;n&quot; &gt; 1"/>
  <rule symbol="1" filter="&quot;n&quot; &lt; 4"><rule symbol="2" filter="&quot;n&quot; % 2 = 0"/></rule>
  <rule symbol="3" filter="ELSE"/>
  <rule symbol="0" filter="&quot;n&quot; = 7" checkstate="0"/></rules>"""


def test_every_matching_rule_draws_in_tree_order_and_else_takes_what_is_left() -> None:
    of = renderer(RULES, 'type="RuleRenderer"')
    assert drawn(of, batch(n=[1, 2, 5, None])) == [(0, 1), (1, 0), (1, 1), (1, 2), (2, 0), (3, 3)]


def test_what_a_rule_that_is_switched_off_matches_is_not_left_to_else() -> None:
    off = '<rule symbol="0" filter="&quot;n&quot; = 7" checkstate="0"/>'
    body = f'<rules>{off}<rule symbol="1" filter="ELSE"/></rules>'
    assert drawn(renderer(body, 'type="RuleRenderer"'), batch(n=[7, 8])) == [(1, 1)]


@pytest.mark.parametrize(("scale", "shown"), [(99.0, False), (100.0, True), (200.0, True), (201.0, False)])
def test_rule_scales_are_inclusive_at_both_ends(scale: float, shown: bool) -> None:
    of = renderer('<rules><rule symbol="0" scalemindenom="100" scalemaxdenom="200"/></rules>', 'type="RuleRenderer"')
    assert bool(drawn(of, batch(n=[1]), scale)) is shown


def test_a_grouping_rule_that_draws_nothing_leaves_the_feature_to_else() -> None:
    body = """<rules><rule filter="true"><rule symbol="0" filter="&quot;n&quot; = 1"/></rule>
      <rule symbol="1" filter="ELSE"/></rules>"""
    assert drawn(renderer(body, 'type="RuleRenderer"'), batch(n=[1, 2])) == [(0, 0), (1, 1)]


def test_what_is_not_known_is_a_problem_not_an_error() -> None:
    problems = Problems()
    of = read_renderer(etree.fromstring('<renderer-v2 type="somethingNew"/>'), "roads", problems)
    assert drawn(of, batch(n=[1])) == []
    assert [(p.layer, p.element) for p in problems.items] == [("roads", "renderer somethingNew")]
    symbol = '<symbol name="0" type="fill"><layer class="Unheard" enabled="1"/></symbol>'
    read_renderer(
        etree.fromstring(f'<renderer-v2 type="singleSymbol"><symbols>{symbol}</symbols></renderer-v2>'), "x", problems
    )
    assert ("x", "Unheard") in [(p.layer, p.element) for p in problems.items]


def test_counting_knows_no_scale_and_no_class_that_is_switched_off() -> None:
    body = """<categories><category value="a" symbol="0" render="false"/><category value="" symbol="1"/></categories>"""
    assert drawn(renderer(body, 'type="categorizedSymbol" attr="n"'), batch(n=["a", "b"]), 0.0) == [(0, 0), (1, 1)]
    body = """<ranges><range lower="0" upper="10" symbol="0" render="false"/></ranges>"""
    assert drawn(renderer(body, 'type="graduatedSymbol" attr="n"'), batch(n=[5.0, 11.0]), 0.0) == [(0, 0)]
    body = (
        """<rules><rule symbol="0" scalemindenom="10" scalemaxdenom="20"/><rule symbol="1" checkstate="0"/></rules>"""
    )
    assert drawn(renderer(body, 'type="RuleRenderer"'), batch(n=[5]), 0.0) == [(0, 0)]


def test_data_defined_properties_of_qgis_2_are_read() -> None:
    old = {"width_dd_active": "1", "width_dd_useexpr": "0", "width_dd_field": "w", "width_dd_expression": "5"}
    old |= {"color_dd_active": "1", "color_dd_useexpr": "1", "color_dd_expression": "'red'", "offset_dd_active": "0"}
    props = "".join(f'<prop k="{key}" v="{value}"/>' for key, value in old.items())
    symbol = f'<symbol name="0" type="line"><layer class="SimpleLine">{props}</layer></symbol>'
    xml = f'<renderer-v2 type="singleSymbol"><symbols>{symbol}</symbols></renderer-v2>'
    layer = read_renderer(etree.fromstring(xml), "x", Problems(strict=True)).symbols[0].layers[0]
    found = {key: item.node for key, item in layer.properties.items.items()}
    assert found == {"outlineWidth": FieldRef("w"), "outlineColor": Literal("red")}
