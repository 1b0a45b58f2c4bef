"""``<spatialrefsys>``, ``<projectCrs>`` and ``<transformContext>``."""

from __future__ import annotations

from qgserver.geo.crs import Crs, crs_from_definition
from qgserver.project.model import CoordinateOperation
from qgserver.project.reading.document import project_version
from qgserver.project.reading.elements import Element, flag, text
from qgserver.project.reading.entries import Entries


def read_crs(parent: Element | None) -> Crs | None:
    """The CRS of the ``<spatialrefsys>`` below ``parent``, None when absent or empty."""
    element = None if parent is None else parent.find("spatialrefsys")
    if element is None:
        return None
    definition = [text(element, tag).strip() for tag in ("authid", "wkt", "proj4")]
    return crs_from_definition(*definition) if any(definition) else None


def read_project_crs(root: Element, entries: Entries) -> Crs | None:
    """The project's CRS: ``projectCrs``, in 2.x the map canvas's. A project whose ``ProjectionsEnabled`` is 0 has none;
    where that entry is absent, a 3.x project has none and a 2.x project keeps its CRS (all measured)."""
    if not entries.flag("SpatialRefSys/ProjectionsEnabled", project_version(root) < (3, 0, 0)):
        return None
    parents = (root.find("projectCrs"), root.find("mapcanvas/destinationsrs"))
    written = next((crs for crs in map(read_crs, parents) if crs is not None), None)
    authid = entries.text("SpatialRefSys/ProjectCrs").strip()
    return written or (crs_from_definition(authid, "", "") if authid else None)


def read_operations(root: Element) -> tuple[CoordinateOperation, ...]:
    """PROJ pipelines chosen by the author. An empty ``coordinateOp`` means PROJ's own choice and is left out."""
    return tuple(
        CoordinateOperation(
            source=_end(item, "src", "source"),
            destination=_end(item, "dest", "dest"),
            pipeline=item.get("coordinateOp", ""),
            allow_fallback=flag(item.get("allowFallback"), True),
        )
        for item in root.iterfind("transformContext/srcDest")
        if item.get("coordinateOp")
    )


def _end(item: Element, tag: str, attribute: str) -> str:
    """Authid or WKT of one end: an attribute before 3.10, a child since."""
    element = item.find(f"{tag}/spatialrefsys")
    return text(element, "authid") or text(element, "wkt") or item.get(attribute, "")
