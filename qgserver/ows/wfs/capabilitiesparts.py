"""What the capabilities of all versions of WFS are made of."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from qgserver.geo.crs import parse_crs
from qgserver.geo.extent import Extent
from qgserver.geo.transform import get_transform
from qgserver.ows.wfs.featuretype import FeatureType
from qgserver.ows.xmlio import element, escape, optional
from qgserver.project.currentextents import CurrentExtents
from qgserver.project.model import Link, Project, VectorLayer
from qgserver.providers import is_editable


@dataclass(frozen=True, slots=True)
class Offer:
    """What capabilities are written from. ``requests`` are the names of the operations there are, ``boxes`` those of
    the types that have one, in longitude and latitude."""

    project: Project
    types: tuple[FeatureType, ...]
    requests: tuple[str, ...]
    boxes: Mapping[str, Extent]

    def edits(self, kind: FeatureType) -> tuple[str, ...]:
        """What WFS-T allows on a type: nothing where the data source takes no edits, whatever the project says."""
        return kind.operations if "Transaction" in self.requests and is_editable(kind.layer.source) else ()


WORLD = Extent(-180.0, -90.0, 180.0, 90.0)

POST_ONLY = ("Transaction", "CreateStoredQuery", "DropStoredQuery")
"""Requests that capabilities offer by POST alone."""


def lines(parts: Iterable[str]) -> str:
    """The parts that are not empty, a line each."""
    return "".join(part + "\n" for part in parts if part)


def provider(project: Project, *, required: bool = False) -> str:
    """``ows:ServiceProvider``; left out when nobody is named, for the schema wants a name and a contact. Where it is
    ``required`` the service's title stands for the name."""
    contact = project.service.contact
    if not required and not any((contact.organization, contact.person, contact.position, contact.phone, contact.mail)):
        return ""
    name = contact.organization or (title(project) if required else "")
    phone = f"<ows:Phone>{element('ows:Voice', contact.phone)}</ows:Phone>" if contact.phone else ""
    mail = element("ows:ElectronicMailAddress", contact.mail)
    info = phone + (f"<ows:Address>{mail}</ows:Address>" if contact.mail else "")
    return lines(
        (
            "<ows:ServiceProvider>",
            f" <ows:ProviderName>{escape(name)}</ows:ProviderName>",
            " <ows:ServiceContact>",
            optional("ows:IndividualName", contact.person),
            optional("ows:PositionName", contact.position),
            f"  <ows:ContactInfo>{info}</ows:ContactInfo>" if info else "",
            "  <ows:Role>PointOfContact</ows:Role>",
            " </ows:ServiceContact>",
            "</ows:ServiceProvider>",
        )
    ).rstrip("\n")


# The vocabularies of MetadataURL are closed; what the project says in other words is translated or left out.
METADATA_TYPES_100 = {"TC211": "TC211", "FGDC": "FGDC", "19115": "TC211", "19139": "TC211"}
METADATA_TYPES_110 = {"TC211": "TC211", "FGDC": "FGDC", "19115": "19115", "19139": "19139"}
METADATA_FORMATS_100 = {"text/xml": "XML", "application/xml": "XML", "text/plain": "TXT", "text/sgml": "SGML"}
METADATA_FORMATS_110 = {
    "text/xml": "text/xml",
    "application/xml": "text/xml",
    "text/html": "text/html",
    "text/plain": "text/plain",
    "text/sgml": "text/sgml",
}


def metadata_url(link: Link, types: dict[str, str], kinds: dict[str, str]) -> str:
    kind = types.get(link.type.upper().removeprefix("ISO").removeprefix(":"))
    form = kinds.get(link.format)
    return element("MetadataURL", link.url, type=kind, format=form) if link.url and kind and form else ""


def title(project: Project) -> str:
    return project.service.title or project.title or "Untitled"


def authid(kind: FeatureType) -> str:
    return kind.layer.crs.authid if kind.layer.crs else ""


def geographic_box(layer: VectorLayer, extents: CurrentExtents) -> Extent | None:
    """The box of a layer in longitude and latitude: that of its features, or the one that the project file has."""
    if not layer.has_geometry:
        return None
    extent, box = extents.of(layer), layer.wgs84_extent
    stored = extent is None or extent is layer.extent
    if not (stored and box is not None and not box.is_empty) and extent is not None and layer.crs is not None:
        transform = get_transform(layer.crs, parse_crs("EPSG:4326"))
        moved = extent if transform is None else transform.extent(extent)
        box = (moved and moved.intersection(WORLD)) or box
    return box if box is not None and not box.is_empty else None


def keywords(words: tuple[str, ...]) -> str:
    if not words:
        return ""
    return "  <ows:Keywords>" + "".join(element("ows:Keyword", word) for word in words) + "</ows:Keywords>"


def outwards(box: Extent) -> tuple[str, str, str, str]:
    """The box with 6 decimals that still holds it all."""

    def text(value: float, rounding: Callable[[float], int]) -> str:
        # A box that is exact to 6 decimals stays as it is, whatever float arithmetic makes of it.
        scaled = value * 1e6
        exact = round(scaled)
        number = (exact if abs(scaled - exact) < 1e-3 else rounding(scaled)) / 1e6
        return f"{number:.6f}".rstrip("0").rstrip(".")

    west, south, east, north = box.as_tuple()
    return text(west, math.floor), text(south, math.floor), text(east, math.ceil), text(north, math.ceil)
