"""text/xml: QGIS's own GetFeatureInfoResponse, nested like the layer's form or in the Swiss style where wanted."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from qgserver.ows.wms.infoformats import info_format
from qgserver.ows.wms.infoformats.answer import GEOMETRY, MAP_TIP, Answer, LayerInfo, box_numbers
from qgserver.ows.xmlio import DECLARATION, attributes, escape
from qgserver.project.model import FormContainer

ROOT = "GetFeatureInfoResponse"
FILTER_PRECISION = 8
"""Decimals of the box of all features."""


@info_format("text/xml")
def xml(answer: Answer) -> Iterator[str]:
    """One ``Layer`` element per layer asked about, empty ones included."""
    root = _root(answer)
    body = _sia2045(answer) if answer.project.sia2045 else _layers(answer)
    first = next(body, None)
    if first is None:
        yield f"{DECLARATION}<{root}/>\n"
        return
    yield f"{DECLARATION}<{root}>\n{first}"
    yield from body
    yield f"</{root.split()[0]}>\n"


def _root(answer: Answer) -> str:
    """The start tag's content: the project may give the document a name, a namespace and a schema of its own."""
    project = answer.project
    name = element_name(project.info_document_element) if project.info_document_element else ROOT
    names = {"xmlns": project.info_document_element_ns} if project.info_document_element_ns else {}
    if project.info_schema:
        names |= {"xmlns:xsi": "http://www.w3.org/2001/XMLSchema-instance", "xsi:schemaLocation": project.info_schema}
    return name + attributes(names)


def _layers(answer: Answer) -> Iterator[str]:
    if answer.box is not None:
        yield f" {_box(answer, answer.box.as_tuple(), FILTER_PRECISION)}\n"
    for layer in answer.layers:
        start = f" <Layer{_attributes({'name': layer.name})}"
        if not layer.fids and not layer.bands:
            yield f"{start}/>\n"
            continue
        yield f"{start}>\n"
        yield from _features(answer, layer)
        yield from (f"  {_attribute(name, text)}\n" for name, text in layer.band_texts(""))
        yield " </Layer>\n"


@dataclass(frozen=True, slots=True)
class _Columns:
    """All texts of a layer's features, a column each."""

    names: tuple[str, ...]
    labels: tuple[str, ...]
    texts: tuple[list[str], ...]

    def elements(self, row: int, form: FormContainer | None, indent: str) -> Iterator[str]:
        """The ``Attribute`` elements of a feature, in the order and the tabs of a form when there is one."""
        if form is None:
            for label, texts in zip(self.labels, self.texts, strict=True):
                yield f"{indent}{_attribute(label, texts[row])}\n"
            return
        for child in form.children:
            if not isinstance(child, FormContainer):
                if child in self.names:
                    at = self.names.index(child)
                    yield f"{indent}{_attribute(self.labels[at], self.texts[at][row])}\n"
                continue
            name = element_name(child.name)
            yield f"{indent}<{name}>\n"
            yield from self.elements(row, child, indent + " ")
            yield f"{indent}</{name}>\n"


def _features(answer: Answer, layer: LayerInfo) -> Iterator[str]:
    columns = _Columns(
        tuple(item.field.name for item in layer.attributes),
        tuple(item.label for item in layer.attributes),
        tuple(item.texts() for item in layer.attributes),
    )
    shapes = layer.wkt(answer.precision)
    for row, fid in enumerate(layer.fids):
        yield f"  <Feature{_attributes({'id': fid})}>\n"
        yield from columns.elements(row, layer.form, "   ")
        if layer.tips is not None:
            yield f"   {_attribute(MAP_TIP, layer.tips[row])}\n"
        box = "" if layer.boxes is None else _box(answer, layer.boxes[row].tolist(), answer.precision)
        if box:
            yield f"   {box}\n"
        if shapes is not None:
            yield f"   {_attribute(GEOMETRY, shapes[row], type='derived')}\n"
        yield "  </Feature>\n"


def _sia2045(answer: Answer) -> Iterator[str]:
    """The Swiss layout: an element per feature named like its layer, in it one per attribute."""
    for layer in answer.layers:
        tag = element_name(layer.name)
        for row in layer.rows(answer.precision):
            yield f" <{tag}>\n"
            for label, text in row:
                name = element_name(label)
                yield f"  <{name}>{escape(text)}</{name}>\n"
            yield f" </{tag}>\n"


def _box(answer: Answer, box: tuple[float, ...], precision: int) -> str:
    """``BoundingBox``, x before y whatever the CRS; "" for no box."""
    numbers = box_numbers(box, precision)
    if numbers is None:
        return ""
    crs = {"CRS" if answer.version == "1.3.0" else "SRS": answer.crs.authid}
    sides = dict(zip(("minx", "miny", "maxx", "maxy"), numbers, strict=True))
    return f"<BoundingBox{_attributes(crs | sides)}/>"


def _attribute(name: str, value: str, **more: str) -> str:
    return f"<Attribute{_attributes({'name': name, 'value': value, **more})}/>"


def _attributes(values: Mapping[str, str]) -> str:
    # A bare carriage return in an attribute would be read as a blank (XML 1.0 clause 3.3.3).
    return attributes(values).replace("\r", "&#13;")


_NO_NAME_CHARACTER = re.compile(r"[^\w.-]")
_NO_NAME_START = re.compile(r"^[\d.-]+")


def element_name(text: str) -> str:
    """A label as an element's name the way QGIS makes it: what can't stand in a name goes, ``_`` when nothing stays."""
    return _NO_NAME_START.sub("", _NO_NAME_CHARACTER.sub("", text)) or "_"
