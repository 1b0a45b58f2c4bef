"""Transaction requests, as a document or (Delete only) by KVP, in one form. Nothing is looked up here."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from dataclasses import replace as dataclass_replace

from lxml import etree

from qgserver.errors import OwsError
from qgserver.ows.fes import bare_name, is_standard
from qgserver.ows.gmlread import ReadGeometry, is_geometry, local_name, read_geometry
from qgserver.ows.names import STANDARD_FIELDS
from qgserver.ows.wfs.params import V2
from qgserver.ows.wfs.query import Query, read_get_feature
from qgserver.web.request import Request
from qgserver.web.xmlbody import iterate

GML = "http://www.opengis.net/gml"
GML32 = f"{GML}/3.2"
MAX_HELD = 200_000
"""Elements of Updates, Deletes and one feature that may be in memory at a time: each takes some hundred bytes."""

_NIL = "{http://www.w3.org/2001/XMLSchema-instance}nil"
_MEMBERS = ("featureMember", "featureMembers", "member")


@dataclass(frozen=True, slots=True)
class Given:
    """A property as sent: a text, a geometry, or neither for NULL. ``optional``: it is one of GML itself, which goes
    where the type has a field for it (``STANDARD_FIELDS``) and else is passed over; its name is ``gml:name``."""

    name: str
    text: str | None = None
    geometry: ReadGeometry | None = None
    optional: bool = False


@dataclass(frozen=True, slots=True)
class NewFeature:
    """A feature to insert."""

    type_name: str
    values: tuple[Given, ...]


@dataclass(frozen=True, slots=True)
class Insert:
    """Features to add. ``srs_name`` counts for geometries that name none ("" = the layer's)."""

    label: str
    handle: str
    srs_name: str
    features: tuple[NewFeature, ...]


@dataclass(frozen=True, slots=True)
class Update:
    """New values for the features that ``query`` selects."""

    label: str
    query: Query
    values: tuple[Given, ...]


@dataclass(frozen=True, slots=True)
class Delete:
    """The features that ``query`` selects go."""

    label: str
    query: Query


@dataclass(frozen=True, slots=True)
class Replace:
    """The features that ``query`` selects become this one, but for their ids (WFS 2.0)."""

    label: str
    handle: str
    query: Query
    values: tuple[Given, ...]


Action = Insert | Update | Delete | Replace
"""``label`` is what errors call it: its handle, else its kind and type (``Delete:points``), as QGIS does."""


def read_transaction(request: Request, version: str, max_features: int) -> tuple[Action, ...]:
    """The actions in the order of the request. Raises ``OwsError`` (400; 413 when there are too many features)."""
    if request.get("LOCKID"):
        raise OwsError("InvalidParameterValue", "There is no lock of that id.", locator="lockId")
    if request.is_xml:
        actions = _Reader(version, request.get("SRSNAME"), max_features).read(request.body)
    else:
        actions = _from_kvp(request, version)
    if not actions:
        raise OwsError("MissingParameterValue", "The transaction holds no action.", locator="Transaction")
    return actions


@contextmanager
def blamed_on(label: str) -> Iterator[None]:
    """Give errors the action as their locator."""
    try:
        yield
    except OwsError as error:
        raise OwsError(error.code, error.message, locator=label, status=error.status, detail=error.detail) from None


# -- KVP ------------------------------------------------------------------------------------------------------------


def _from_kvp(request: Request, version: str) -> tuple[Action, ...]:
    """WFS 1.1.0 clause 14.7.8: by KVP there is Delete alone."""
    operation = request.get("OPERATION").strip()
    if not operation:
        raise OwsError("MissingParameterValue", "The OPERATION parameter is missing.", locator="operation")
    if operation.upper() != "DELETE":
        raise OwsError("InvalidParameterValue", "OPERATION by KVP must be Delete.", locator="operation")
    queries = read_get_feature(request, version).queries
    for query in queries:
        if query.filter is None and query.fids is None and query.bbox is None and not query.expression:
            raise OwsError("MissingParameterValue", "Delete needs FILTER, BBOX or FEATUREID.", locator="filter")
    return tuple(Delete(f"Delete:{query.type_name}", dataclass_replace(query, properties=())) for query in queries)


# -- document -------------------------------------------------------------------------------------------------------


class _Reader:
    """One document, read element by element: features are taken out of the tree as soon as they are whole."""

    def __init__(self, version: str, srs_name: str, max_features: int) -> None:
        """``srs_name`` counts for actions that name none."""
        self._version = version
        self._srs_name = srs_name
        self._max_features = max_features
        self._count = 0
        self._features: list[NewFeature] = []
        self._actions: list[Action] = []

    def read(self, body: bytes) -> tuple[Action, ...]:
        """All actions."""
        held = kept = 0
        for element in iterate(body):
            held += 1
            if held > MAX_HELD:
                raise OwsError("InvalidParameterValue", "The transaction is too large.", status=413)
            parent = element.getparent()
            if parent is None:
                break
            if parent.getparent() is None:
                self._action(element)
                _forget(element)
                held = kept = kept + (0 if local_name(element) == "Insert" else held - kept)
            elif (insert := _insert_of(element)) is not None:
                self._feature(element, insert)
                _forget(element)
                held = kept
        return tuple(self._actions)

    def _feature(self, element: etree._Element, insert: etree._Element) -> None:
        self._count += 1
        if self._count > self._max_features:
            raise OwsError(
                "InvalidParameterValue", f"A transaction may hold {self._max_features} features.", status=413
            )
        name = local_name(element)
        with blamed_on(insert.get("handle") or f"Insert:{name}"):
            self._features.append(_feature(element))

    def _action(self, element: etree._Element) -> None:
        name = local_name(element)
        read = _ACTIONS.get(name)
        if read is None:
            raise OwsError("OperationParsingFailed", f"A transaction holds no {name[:80]}.", locator=name[:80])
        read(self, element)

    def insert(self, element: etree._Element) -> None:
        """``wfs:Insert``: its features have been read already."""
        handle, features = element.get("handle") or "", tuple(self._features)
        self._features.clear()
        label = handle or f"Insert:{features[0].type_name if features else ''}"
        if not features:
            raise OwsError("MissingParameterValue", "An Insert holds no feature.", locator=label)
        if element.get("idgen", "GenerateNew") != "GenerateNew":
            raise OwsError("InvalidParameterValue", "Feature ids are made by the data source.", locator=label)
        _check_format(element, label)
        self._actions.append(Insert(label, handle, element.get("srsName") or self._srs_name, features))

    def update(self, element: etree._Element) -> None:
        """``wfs:Update``."""
        label, query = self._query(element)
        _check_format(element, label)
        with blamed_on(label):
            given = [_property(child) for child in element if local_name(child) == "Property"]
        if not given:
            raise OwsError("MissingParameterValue", "An Update holds no Property.", locator=label)
        self._actions.append(Update(label, query, tuple(given)))

    def delete(self, element: etree._Element) -> None:
        """``wfs:Delete``."""
        label, query = self._query(element)
        if query.filter is None:
            raise OwsError("MissingParameterValue", "A Delete holds no Filter.", locator=label)
        self._actions.append(Delete(label, query))

    def replace(self, element: etree._Element) -> None:
        """``wfs:Replace`` (WFS 2.0 clause 15.2.6)."""
        features = [child for child in element if local_name(child) != "Filter"]
        name = local_name(features[0]) if features else ""
        label, query = self._query(element, name)
        if self._version != V2:
            raise OwsError("OperationParsingFailed", "Replace is one of WFS 2.0.", locator=label)
        if len(features) != 1 or query.filter is None:
            raise OwsError("MissingParameterValue", "Replace takes one feature and a Filter.", locator=label)
        _check_format(element, label)
        with blamed_on(label):
            values = _feature(features[0]).values
        self._actions.append(Replace(label, element.get("handle") or "", query, values))

    def _query(self, element: etree._Element, type_name: str = "") -> tuple[str, Query]:
        label, query = _query(element, type_name)
        return label, dataclass_replace(query, srs_name=query.srs_name or self._srs_name, version=self._version)

    def native(self, element: etree._Element) -> None:
        """``wfs:Native``: commands of other vendors, passed over if that is said to be safe."""
        if element.get("safeToIgnore") not in ("true", "1"):
            raise OwsError("InvalidParameterValue", "There are no native commands here.", locator="Native")

    def lock(self, element: etree._Element) -> None:
        """``wfs:LockId``: there are no locks that it could be of."""
        raise OwsError("InvalidParameterValue", "There is no lock of that id.", locator="LockId")


_ACTIONS: dict[str, Callable[[_Reader, etree._Element], None]] = {
    "Insert": _Reader.insert,
    "Update": _Reader.update,
    "Delete": _Reader.delete,
    "Replace": _Reader.replace,
    "Native": _Reader.native,
    "LockId": _Reader.lock,
}


def _insert_of(element: etree._Element) -> etree._Element | None:
    """The Insert that an element is a feature of: its child, or a member of a collection there. None for all others."""
    parent = element.getparent()
    grand = parent.getparent() if parent is not None else None
    if parent is None or grand is None:
        return None
    great = grand.getparent()
    if great is None:
        return parent if local_name(parent) == "Insert" and local_name(element) != "FeatureCollection" else None
    root = great.getparent()
    if root is None or root.getparent() is not None or local_name(parent) not in _MEMBERS:
        return None
    return great if local_name(great) == "Insert" and local_name(grand) == "FeatureCollection" else None


def _forget(element: etree._Element) -> None:
    """Free what has been read; of the elements before only the ones above stay."""
    element.clear()
    parent = element.getparent()
    while parent is not None and element.getprevious() is not None:
        del parent[0]


def _feature(element: etree._Element) -> NewFeature:
    values = tuple(given for child in element if (given := _given_by(child)) is not None)
    return NewFeature(local_name(element), values)


def _given_by(element: etree._Element) -> Given | None:
    """What a child of a feature gives, None for what no table has a column for."""
    name = local_name(element)
    if not _is_standard(element):
        return _given(name, element)
    return Given(f"gml:{name}", element.text or None, optional=True) if name in STANDARD_FIELDS.values() else None


_STANDARD = {
    GML: frozenset(("boundedBy",)),
    GML32: frozenset(
        ("metaDataProperty", "description", "descriptionReference", "identifier", "name", "boundedBy", "location")
    ),
}


def _is_standard(element: etree._Element) -> bool:
    """Whether it is one of the properties that GML gives to every feature: part of what a client sends back."""
    name = etree.QName(element)
    return name.localname in _STANDARD.get(name.namespace or "", ())


def _check_format(element: etree._Element, label: str) -> None:
    form = element.get("inputFormat") or "gml"
    if "gml" not in form.lower():
        raise OwsError("InvalidParameterValue", f"The input format {form[:80]} is not supported.", locator=label)


def _query(element: etree._Element, type_name: str = "") -> tuple[str, Query]:
    """Label and query of an Update, Delete or Replace."""
    name = bare_name(element.get("typeName") or element.get("typename") or type_name)
    kind = local_name(element)
    label = element.get("handle") or f"{kind}:{name}"
    if not name:
        raise OwsError("MissingParameterValue", f"{kind} has no typeName.", locator=label)
    filters = [child for child in element if local_name(child) == "Filter"]
    if len(filters) > 1:
        raise OwsError("InvalidParameterValue", f"{kind} has {len(filters)} filters.", locator=label)
    for child in filters:
        element.remove(child)  # it outlives the document
    return label, Query(name, (), element.get("srsName") or "", filters[0] if filters else None)


def _property(element: etree._Element) -> Given:
    """``wfs:Property`` of an Update."""
    parts = {local_name(child): child for child in element}
    name = parts.get("Name", parts.get("ValueReference"))
    if name is None or not (name.text or "").strip():
        raise OwsError("MissingParameterValue", "A Property of an Update has no Name.")
    field = bare_name(name.text or "")
    field = f"gml:{field}" if is_standard(name.text or "", name) else field
    action = name.get("action", "replace")
    if action not in ("replace", "remove"):
        raise OwsError("InvalidValue", f"A property has one value: {action[:80]} is not possible.")
    value = parts.get("Value") if action == "replace" else None
    return Given(field) if value is None else _given(field, value)


def _given(name: str, element: etree._Element) -> Given:
    """The content of a property: empty and ``xsi:nil`` mean NULL."""
    if element.get(_NIL) in ("true", "1"):
        return Given(name)
    if not len(element):
        text = element.text or ""
        return Given(name, text if text.strip() else None)
    (child,) = element if len(element) == 1 else (element,)
    if not is_geometry(child):
        raise OwsError("InvalidValue", f"The value of {name[:80]} is neither a text nor a geometry.")
    try:
        return Given(name, geometry=read_geometry(child))
    except OwsError as error:
        raise OwsError("InvalidValue", error.message) from None
