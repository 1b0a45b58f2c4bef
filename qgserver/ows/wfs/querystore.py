"""Stored queries: the one that WFS 2.0 insists on, and those that clients make, where the administrator lets them.

These are kept as files in a directory that all processes of a server share: one is there, whole, or it is not.
"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from lxml import etree

from qgserver.errors import OwsError
from qgserver.ows.gmlread import local_name
from qgserver.web.xmlbody import parse

WFS = "http://www.opengis.net/wfs/2.0"
LANGUAGES = (
    "urn:ogc:def:queryLanguage:OGC-WFS::WFSQueryExpression",
    "urn:ogc:def:queryLanguage:OGC-WFS::WFS_QueryExpression",
    "http://www.opengis.net/def/queryLanguage/OGC-WFS/0/WFSQueryExpression",
)
"""Names of the one language there is (the standard itself has two of its URN)."""
MAX_QUERIES, MAX_BYTES = 1000, 1 << 16
"""What clients may leave behind for one project: so many queries, of so many bytes each."""
MAX_FILLED = 1 << 20
"""Characters that the values of parameters may add to a query."""


@dataclass(frozen=True, slots=True)
class StoredQuery:
    """A stored query. ``ids``: the first is told, the others are understood. ``parameters``: names and XML types.
    ``types`` are the names of types it gives, None for any; ``definition`` the document of one that a client made."""

    ids: tuple[str, ...]
    title: str
    abstract: str = ""
    parameters: tuple[tuple[str, str], ...] = ()
    types: tuple[str, ...] | None = None
    definition: bytes = b""

    def value(self, given: Mapping[str, str], name: str) -> str:
        """The value of a parameter; ``given`` has names in upper case. Raises ``OwsError`` when it is missing."""
        if not given.get(name, "").strip():
            raise OwsError("MissingParameterValue", f"The stored query wants the parameter {name[:80]}.", locator=name)
        return given[name]

    def filled(self, given: Mapping[str, str]) -> list[etree._Element]:
        """The queries of a definition with the values in their places. A value is text and never becomes markup."""
        room = MAX_FILLED

        def value(match: re.Match[str]) -> str:
            nonlocal room
            text = self.value(given, match[1].upper())
            room -= len(text)
            if room < 0:
                raise OwsError("InvalidParameterValue", "The values are too long.", locator=match[1][:80])
            return text

        queries = [query for text in parse(self.definition).iter("{*}QueryExpressionText") for query in text]
        for query in queries:
            for item in query.iter("{*}*"):
                _fill(item, value)
        return queries


_PLACE = re.compile(r"\$\{([\w.-]{1,80})\}")


def _fill(item: etree._Element, value: Callable[[re.Match[str]], str]) -> None:
    try:
        for name, text in item.items():
            item.set(name, _PLACE.sub(value, str(text)))
        item.text = _PLACE.sub(value, item.text or "")
    except ValueError:  # XML can't hold it
        raise OwsError("InvalidParameterValue", "A parameter of the stored query is no text.") from None


BY_ID = StoredQuery(
    # WFS 2.0.0 clause 7.9.3.6 has the URN, 2.0.2 the address.
    ("urn:ogc:def:query:OGC-WFS::GetFeatureById", "http://www.opengis.net/def/query/OGC-WFS/0/GetFeatureById"),
    "Get feature by identifier",
    "The one feature that has this identifier (gml:id).",
    (("ID", "xs:string"),),
)


class QueryStore:
    """The stored queries of a project. Safe for several processes."""

    def __init__(self, folder: str = "", project: str = "") -> None:
        """``folder`` "" = clients make none."""
        self.writable = bool(folder)
        self._folder = Path(folder, sha256(project.encode()).hexdigest()[:16])

    def all(self) -> tuple[StoredQuery, ...]:
        """Every query, the built-in one first."""
        made = [_read(definition) for definition in self._definitions()]
        return (BY_ID, *sorted(made, key=lambda query: query.ids))

    def find(self, name: str) -> StoredQuery:
        """The query of that id. Raises ``OwsError``."""
        name = name.strip()
        if name in BY_ID.ids:
            return BY_ID
        if self.writable:
            with suppress(FileNotFoundError), _kept():
                return _read(self._file(name).read_bytes())
        raise OwsError("InvalidParameterValue", f"There is no stored query {name[:80]}.", locator="id")

    def create(self, definitions: Sequence[etree._Element]) -> None:
        """Keep new queries, all or none. Raises ``OwsError``: what is no definition, an id that is taken."""
        made: list[Path] = []
        checked = [(_checked(definition), etree.tostring(definition, with_tail=False)) for definition in definitions]
        if any(len(text) > MAX_BYTES for _, text in checked):
            raise OwsError("InvalidParameterValue", "The stored query is too long.", status=413)
        if sum(1 for _ in self._definitions()) + len(checked) > MAX_QUERIES:
            raise OwsError("OperationProcessingFailed", "There are too many stored queries.", status=403)
        try:
            for name, text in checked:
                if name in BY_ID.ids:
                    raise _taken(name)
                self._write(name, text)
                made.append(self._file(name))
        except OwsError:
            for file in made:
                file.unlink(missing_ok=True)
            raise

    def drop(self, name: str) -> None:
        """Forget a query that a client made. Raises ``OwsError`` when there is none of that id."""
        if name.strip() not in BY_ID.ids:
            with suppress(FileNotFoundError), _kept():
                self._file(name.strip()).unlink()
                return
        raise OwsError("InvalidParameterValue", f"There is no stored query {name[:80]} to drop.", locator="id")

    def _file(self, name: str) -> Path:
        return self._folder / f"{sha256(name.encode()).hexdigest()}.xml"

    def _definitions(self) -> Iterator[bytes]:
        with _kept():
            files = sorted(self._folder.glob("*.xml")) if self.writable else []
            for file in files:
                with suppress(FileNotFoundError):  # another process dropped it
                    yield file.read_bytes()

    def _write(self, name: str, text: bytes) -> None:
        """A file that is whole as soon as it has its name; the name is taken by one process only."""
        with _kept():
            self._folder.mkdir(parents=True, exist_ok=True)
            handle, draft = tempfile.mkstemp(dir=self._folder)
            try:
                with os.fdopen(handle, "wb") as file:
                    file.write(text)
                os.link(draft, self._file(name))
            except FileExistsError:
                raise _taken(name) from None
            finally:
                os.unlink(draft)


@contextmanager
def _kept() -> Iterator[None]:
    """Turn what the file system says into an exception that tells no paths."""
    try:
        yield
    except FileNotFoundError:
        raise
    except OSError as error:
        message = "Stored queries can't be kept at present."
        raise OwsError("OperationProcessingFailed", message, status=500, detail=str(error)) from None


def _taken(name: str) -> OwsError:
    return OwsError("DuplicateStoredQueryIdValue", f"There is a stored query {name[:80]} already.", locator=name[:200])


def _read(definition: bytes) -> StoredQuery:
    root = parse(definition)
    texts = {local_name(item): "".join(map(str, item.itertext())) for item in reversed(root)}
    types = [
        name.rpartition(":")[2]
        for item in root.iter("{*}QueryExpressionText")
        for name in (item.get("returnFeatureTypes") or "").split()
    ]
    parameters = [(item.get("name") or "", item.get("type") or "") for item in root.iter("{*}Parameter")]
    return StoredQuery(
        (root.get("id") or "",),
        texts.get("Title", ""),
        texts.get("Abstract", ""),
        tuple(parameters),
        tuple(dict.fromkeys(types)) or None,
        definition,
    )


_PARTS = ("Title", "Abstract", "Metadata", "Parameter", "QueryExpressionText")


def _checked(definition: etree._Element) -> str:
    """The id of a definition that holds what it must (WFS 2.0 clause 14.2.2.5). Raises ``OwsError``."""
    name = (definition.get("id") or "").strip()
    if not name or len(name) > 500:
        raise OwsError("MissingParameterValue", "A stored query has no id.", locator="id")
    names = [item.get("name") for item in definition if local_name(item) == "Parameter"]
    if len(set(names)) < len(names):
        raise OwsError("DuplicateStoredQueryParameterName", "Two parameters have the same name.", locator=name[:200])
    texts = [item for item in definition if local_name(item) == "QueryExpressionText"]
    for text in texts:
        if text.get("language") not in LANGUAGES:
            raise OwsError("InvalidParameterValue", "There is no such query language here.", locator="language")
    queries = [query for text in texts for query in text]
    odd = [item for item in definition if local_name(item) not in _PARTS or etree.QName(item).namespace is None]
    typed = all(item.get("name") and item.get("type") for item in definition if local_name(item) == "Parameter")
    if odd or not typed or not queries or any(local_name(query) != "Query" for query in queries):
        raise OwsError("OperationParsingFailed", "This is no definition of a stored query.", locator=name[:200])
    return name
