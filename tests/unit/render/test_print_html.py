"""HTML of print layouts: what is read of it."""

from __future__ import annotations

import time

from qgserver.render.print.html import MOST_BLOCKS, Block, Run, read_html


def blocks(text: str) -> list[Block]:
    return [block for block in read_html(text) if block.runs]


def test_paragraphs_headings_and_looks() -> None:
    title, words, last = blocks("<h1>A  title</h1><p>Some <b>bold <i>word</i></b><br>end</p>")
    assert (title.space, title.runs) == (1.34, [Run("A title", bold=True, scale=2.0)])
    assert words.runs == [Run("Some "), Run("bold ", bold=True), Run("word", bold=True, italic=True)]
    assert (words.space, last.space, last.runs) == (1.0, 0.0, [Run("end")])


def test_colours_come_from_styles() -> None:
    (block,) = blocks('<span style="font: x; color: #ff0000">red</span><font color="blue">blue</font>')
    assert [run.color for run in block.runs] == [(1.0, 0.0, 0.0, 1.0), (0.0, 0.0, 1.0, 1.0)]


def test_scripts_and_styles_are_no_text() -> None:
    assert not blocks("<style>p {}</style><script>alert(1)</script><img src='http://localhost/x'>")


def test_hostile_texts_are_read_quickly() -> None:
    start = time.monotonic()
    for text in ("<b>" * 5000, "<p>x" * 5000, "<" * 20_000, "</p>" * 5000, "&" * 20_000):
        assert len(read_html(text)) <= MOST_BLOCKS
    assert time.monotonic() - start < 5
