"""Answers that are files: the features are gathered in a GeoPackage inside a private folder, which is gone before the
first byte is sent. Formats that GDAL has a driver for are made from that file, streamed by GDAL itself."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import chain, groupby
from pathlib import Path
from typing import BinaryIO

import numpy as np

from qgserver.errors import OwsError, ProviderError
from qgserver.geo.geometry import GeometryArray
from qgserver.ows.geometrytext import as_multi, rounded
from qgserver.ows.wfs.answer import Answer, Features, Member
from qgserver.ows.wfs.featuretype import Property
from qgserver.providers.batch import Batch
from qgserver.providers.gpkgnew import NewLayer, Written, crs_text, new_layer

CHUNK = 1 << 18
"""Bytes that are sent in one go."""
_RESERVED = ("gpkg_", "sqlite_", "rtree_")


@dataclass(frozen=True, slots=True)
class GatheredLayer:
    """The features of one type in the file."""

    layer: NewLayer
    written: Written
    member: Member


@dataclass(frozen=True, slots=True)
class Gathered:
    """All features of an answer. ``folder`` is there for further files until the context ends; ``max_bytes`` is what
    they and ``path`` may take together (0 = any)."""

    folder: Path
    path: Path
    layers: Sequence[GatheredLayer]
    max_bytes: int

    def require_room(self, wanted: int) -> None:
        """Raise ``OwsError`` when ``wanted`` bytes beside the file are more than an answer may take."""
        _require_room(self.path.stat().st_size + wanted, self.max_bytes)


@contextmanager
def gathered(answer: Answer, *, ids: bool) -> Iterator[Gathered]:
    """Read and write down all features, with ``ids`` under their own numbers (a property ``fid`` that is the feature's
    number is the file's then, too). Raises ``OwsError`` when they need more room than they may have, and
    ``ProviderError``."""
    with _disk(), tempfile.TemporaryDirectory(prefix="qgserver-") as name:
        folder = Path(name)
        path = folder / "features.gpkg"
        gathering = _Gathering(path, answer.max_file_bytes, ids)
        groups = groupby(answer.features, lambda item: id(item.member))  # the same type may be asked for twice
        group = next(groups, None)
        for member in answer.members:
            if group is not None and group[0] == id(member):
                gathering.take(member, group[1])
                group = next(groups, None)
            else:
                gathering.take(member, iter(()))
        yield Gathered(folder, path, gathering.layers, answer.max_file_bytes)


class _Gathering:
    """A file that is being filled."""

    def __init__(self, path: Path, max_bytes: int, ids: bool) -> None:
        self.layers: list[GatheredLayer] = []
        self._path = path
        self._max_bytes = max_bytes
        self._ids = ids

    def take(self, member: Member, batches: Iterator[Features]) -> None:
        """Write the features of a type."""
        first = next(batches, None)
        kept, layer = self._plan(member, None if first is None else first.batch)
        with new_layer(str(self._path), layer) as writer:
            for features in () if first is None else chain((first,), batches):
                batch = features.batch
                keys = batch.fids if self._ids and batch.fids.dtype.kind == "i" else None
                shapes = None if batch.geometry is None else shown(batch.geometry, member)
                writer.add(keys, [batch.columns[item.field] for item in kept], shapes, len(batch))
                _require_room(self._path.stat().st_size, self._max_bytes)
        self.layers.append(GatheredLayer(layer, writer.written, member))

    def _plan(self, member: Member, first: Batch | None) -> tuple[list[Property], NewLayer]:
        """The properties that become columns, and the layer for them."""
        kept = [item for item in member.properties if not (self._ids and _is_fid(item, first))]
        names = unique_names([item.name for item in kept])
        fid = unique_names(["fid" if self._ids else "row"], names)[0]
        name = member.type.name
        taken = [other.layer.name for other in self.layers]
        layer = NewLayer(
            name=unique_names([f"layer_{name}" if name.lower().startswith(_RESERVED) else name], taken)[0],
            columns={name: item.type for name, item in zip(names, kept, strict=True)},
            fid=fid,
            geometry=unique_names(["geom"], [*names, fid])[0] if member.shape else "",
            shape=member.shape,
            crs=member.frame.crs,
        )
        return kept, layer


def _is_fid(item: Property, first: Batch | None) -> bool:
    """Whether a property is the number that the features are known by."""
    if item.name.lower() != "fid" or first is None:
        return item.name.lower() == "fid"
    keys, values = first.fids, first.columns[item.field].values
    return keys.dtype.kind == values.dtype.kind == "i" and np.array_equal(values, keys)


def shown(geometry: GeometryArray, member: Member) -> GeometryArray:
    """The geometry as all formats show it: with the layer's decimals, multi where the layer is."""
    types = as_multi(geometry.types) if member.multi else geometry.types
    return replace(geometry, types=types, coords=rounded(geometry.coords, member.frame.precision))


def unique_names(names: Sequence[str], taken: Collection[str] = (), longest: int | None = None) -> list[str]:
    """The names, those changed that differ from an earlier one (or one of ``taken``) in upper and lower case only, or
    have more than ``longest`` bytes."""
    seen = {name.lower() for name in taken}
    out = []
    for name in names:
        found, number = _cut(name, "", longest), 1
        while found.lower() in seen:
            number += 1
            found = _cut(name, f"_{number}", longest)
        seen.add(found.lower())
        out.append(found)
    return out


def _cut(name: str, end: str, longest: int | None) -> str:
    if longest is None:
        return name + end
    return name.encode()[: longest - len(end)].decode(errors="ignore") + end


def single(made: Gathered, what: str) -> GatheredLayer:
    """The one layer of an answer. Raises ``OwsError`` when there are several."""
    if len(made.layers) != 1:
        raise one_type_only(what)
    return made.layers[0]


def one_type_only(what: str) -> OwsError:
    """The refusal of several types in a format that holds one."""
    return OwsError("InvalidParameterValue", f"{what} holds features of one type only.", locator="outputFormat")


def convert(
    made: Gathered, found: GatheredLayer, sql: str, target: Path, shape: str, driver: str, **options: object
) -> None:
    """Have GDAL write what an SQL statement selects. Raises ``ProviderError``."""
    from pyogrio import raw
    from pyogrio.errors import DataLayerError, DataSourceError, FeatureError, FieldError

    layer = found.layer
    crs = crs_text(layer.crs) if layer.geometry else None
    try:
        with raw.open_arrow(str(made.path), sql=sql, use_pyarrow=False, batch_size=4096) as (meta, stream):
            raw.write_arrow(
                stream,
                str(target),
                layer=target.stem,
                driver=driver,
                geometry_name=meta["geometry_name"] or None,
                geometry_type=shape or None,
                crs=crs,
                **options,
            )
    except (DataLayerError, DataSourceError, FeatureError, FieldError, RuntimeError, ValueError) as error:
        raise ProviderError(f"The features can't be written as {driver}", detail=str(error)) from error


def sent(file: BinaryIO) -> Iterator[bytes]:
    """The bytes of a file, which is closed then; its folder may be gone."""
    with file:
        while chunk := file.read(CHUNK):
            yield chunk


@contextmanager
def _disk() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ProviderError("There is no room to make the file", detail=os.strerror(error.errno or 0)) from error


def _require_room(size: int, most: int) -> None:
    if most and size > most:
        raise OwsError(
            "OperationProcessingFailed",
            "The file would be too large: ask for fewer features, or for GML or GeoJSON.",
            locator="outputFormat",
            status=413,
        )
