"""Carrying out a transaction: all of it or nothing."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace

from qgserver.errors import OwsError, ProviderError
from qgserver.expression.columns import to_values
from qgserver.geo.wkb import decode
from qgserver.ows.names import xml_id
from qgserver.ows.operations import OperationContext
from qgserver.ows.wfs.featuretype import FeatureType, find_type
from qgserver.ows.wfs.params import V2
from qgserver.ows.wfs.query import Query
from qgserver.ows.wfs.selection import select
from qgserver.ows.wfs.transactionplan import (
    Changes,
    Target,
    check,
    columnar,
    make_target,
    new_rows,
    read_changes,
    read_replacement,
)
from qgserver.ows.wfs.transactionread import Action, Delete, Insert, Update, blamed_on
from qgserver.project.virtualfields import compute
from qgserver.providers.batch import Batch, concat_batches
from qgserver.providers.columns import column
from qgserver.providers.edit import EditConflict, EditError, Editor, LayerEditor, ReadOnlyError, Rows, Store
from qgserver.providers.protocol import Provider
from qgserver.providers.protocol import Query as SourceQuery
from qgserver.render.context import layer_context, project_context

CHUNK = 1000
"""Features that are written between two looks at the clock."""
WHOLE = "Transaction"
"""What errors are about that are no action's."""
TRY_SECONDS = 5.0
"""A transaction that met another one is tried again for so long."""


@dataclass(slots=True)
class Result:
    """What a transaction did. ``inserted``: the ids of each Insert with its handle, in the order of the request,
    ``replaced`` those of each Replace. ``counts``: features by kind of action; only kinds that the request holds are
    there."""

    inserted: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)
    replaced: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Step:
    """An action with its target and values settled. ``rows`` are those of an Insert, by target; ``changes`` those of an
    Update or Replace; ``query`` says which features an Update, Replace or Delete is about."""

    kind: str
    label: str
    target: Target
    handle: str = ""
    rows: tuple[tuple[Target, Rows], ...] = ()
    query: Query | None = None
    changes: Changes | None = None


def run(actions: Sequence[Action], context: OperationContext) -> Result:
    """Check all actions, then carry them out in one transaction. Raises ``OwsError`` with the action as locator, and
    nothing has been changed then."""
    steps, store = _plan(actions, context)
    clock = Clock(context.settings.max_seconds)
    started = time.monotonic()
    while True:
        try:
            with as_client_sees(WHOLE), store.edit() as editor:
                attempt = _Attempt(editor, clock, context.settings.max_transaction_features, context.version)
                attempt.lock_ahead(steps)
                for step in steps:
                    with blamed_on(step.label), as_client_sees(step.label):
                        attempt.carry_out(step)
            return attempt.result
        except EditConflict as error:
            if time.monotonic() - started > TRY_SECONDS:
                raise OwsError(
                    "OperationProcessingFailed", f"{error.message}.", status=503, detail=error.detail
                ) from None


@contextmanager
def as_client_sees(label: str) -> Iterator[None]:
    """Turn what a source says into an exception about the action. Conflicts pass: they may be tried again."""
    try:
        yield
    except EditConflict:
        raise
    except ProviderError as error:
        code, status = next(state for kind, state in _STATES.items() if isinstance(error, kind))
        raise OwsError(code, f"{error.message}.", locator=label, status=status, detail=error.detail) from None


_STATES: Mapping[type[ProviderError], tuple[str, int]] = {
    EditError: ("InvalidValue", 400),
    ReadOnlyError: ("OperationNotSupported", 400),
    ProviderError: ("OperationProcessingFailed", 500),
}


class Clock:
    """The time a transaction may take (0 = any)."""

    def __init__(self, seconds: int) -> None:
        self._until = time.monotonic() + seconds if seconds else float("inf")

    def check(self) -> None:
        """Raise ``OwsError`` when it is over."""
        if time.monotonic() > self._until:
            raise OwsError("OperationProcessingFailed", "The transaction takes too long.", status=503)


# -- checking -------------------------------------------------------------------------------------------------------


def _plan(actions: Sequence[Action], context: OperationContext) -> tuple[list[Step], Store]:
    """All actions, checked as far as that goes without the data, and where they are carried out."""
    kinds = [_permitted(action, context) for action in actions]
    stores = {}
    for action, found in zip(actions, kinds, strict=True):
        for kind in found.values():
            with as_client_sees(action.label):
                store = context.sources.store(kind.layer.source)
            stores[store.key] = store
    if len(stores) > 1:
        # They can't be committed together: one could succeed where the other fails.
        raise OwsError(
            "OperationNotSupported",
            "A transaction can change the layers of one data source only.",
            locator=WHOLE,
        )
    targets: dict[str, Target] = {}
    steps = []
    for action, found in zip(actions, kinds, strict=True):
        with blamed_on(action.label), as_client_sees(action.label):
            for kind in found.values():
                if kind.name not in targets:
                    targets[kind.name] = _target(kind, context)
            steps.append(_step(action, {name: targets[kind.name] for name, kind in found.items()}))
    return steps, next(iter(stores.values()))


def _permitted(action: Action, context: OperationContext) -> dict[str, FeatureType]:
    """The types an action names. Raises ``OwsError`` for those that are not there or must not be changed so."""
    if isinstance(action, Insert):
        names = list(dict.fromkeys(feature.type_name for feature in action.features))
    else:
        names = [action.query.type_name]
    out = {}
    for name in names:
        with blamed_on(action.label):
            out[name] = found = _find_type(action, name, context)
            word = _PERMISSIONS.get(type(action).__name__, type(action).__name__)
            if word not in found.operations:
                raise OwsError("OperationNotSupported", f"{word} is not allowed on '{found.name}'.", status=403)
    return out


_PERMISSIONS = {"Replace": "Update"}
"""What the project must permit for an action that it does not know itself."""


def _find_type(action: Action, name: str, context: OperationContext) -> FeatureType:
    try:
        return find_type(context.project, name)
    except OwsError as error:
        if context.version != V2 or isinstance(action, Delete | Update):
            raise
        raise OwsError("InvalidValue", error.message) from None  # the feature is the value (WFS 2.0 clause 15.2.4)


def _target(kind: FeatureType, context: OperationContext) -> Target:
    project, sources = context.project, context.sources
    schema = sources.open(kind.layer.source, kind.layer.crs).schema()
    context_of_layer = layer_context(project_context(project, sources), kind.layer)
    return make_target(kind, schema, context_of_layer, context.version)


def _step(action: Action, targets: Mapping[str, Target]) -> Step:
    kind, target = type(action).__name__, next(iter(targets.values()))
    if isinstance(action, Insert):
        rows = tuple(_new_rows(action, targets))
        return Step(kind, action.label, target, action.handle, rows)
    if isinstance(action, Delete):
        return Step(kind, action.label, target, query=action.query)
    read = read_changes if isinstance(action, Update) else read_replacement
    changes = read(target, action.values, action.query.srs_name)
    handle = "" if isinstance(action, Update) else action.handle
    return Step(kind, action.label, target, handle, query=action.query, changes=changes)


def _new_rows(action: Insert, targets: Mapping[str, Target]) -> Iterator[tuple[Target, Rows]]:
    features = action.features
    start = 0
    for at in range(1, len(features) + 1):
        if at == len(features) or features[at].type_name != features[start].type_name:
            target = targets[features[start].type_name]
            for rows in new_rows(target, features[start:at], action.srs_name):
                yield target, rows
            start = at


# -- carrying out ---------------------------------------------------------------------------------------------------


class _Attempt:
    """One try, inside one transaction of the source."""

    def __init__(self, editor: Editor, clock: Clock, max_features: int, version: str) -> None:
        self.result = Result()
        self._editor = editor
        self._clock = clock
        self._left = max_features
        self._version = version
        self._layers: dict[str, LayerEditor] = {}

    def lock_ahead(self, steps: Sequence[Step]) -> None:
        """Lock what several steps are about, in one order for all transactions whatever theirs is: two that want the
        same features then wait for each other in a row, not in a ring (which the database takes a second to see)."""
        searches = [step for step in steps if step.query is not None]
        if self._editor.exclusive or len(searches) < 2:
            return
        by_type: dict[str, list[Step]] = {}
        for step in searches:
            by_type.setdefault(step.target.kind.name, []).append(step)
        for name in sorted(by_type):
            found: set[int | str] = set()
            for step in by_type[name]:
                with blamed_on(step.label), as_client_sees(step.label):
                    found.update(self._search(step)[1])
            if found:
                self._layer(by_type[name][0].target).lock(list(found))

    def carry_out(self, step: Step) -> None:
        """Do one step and note what it did."""
        actions = {"Insert": self._insert, "Update": self._update, "Delete": self._delete, "Replace": self._replace}
        count = actions[step.kind](step)
        self.result.counts[step.kind] = self.result.counts.get(step.kind, 0) + count

    def _insert(self, step: Step) -> int:
        ids: list[str] = []
        for target, rows in step.rows:
            for part in _parts(rows):
                self._spend(len(part.values))
                ids += self._ids(target, self._layer(target).insert(part))
        self.result.inserted.append((step.handle, tuple(ids)))
        return len(ids)

    def _ids(self, target: Target, fids: Sequence[int | str]) -> list[str]:
        """The ids of features, as an answer in this version tells them."""
        return [f"{target.kind.name}.{xml_id(str(fid)) if self._version == V2 else fid}" for fid in fids]

    def _replace(self, step: Step) -> int:
        fids = self._find(step)
        self._change(step, fids)
        if fids:
            self.result.replaced.append((step.handle, tuple(self._ids(step.target, fids))))
        return len(fids)

    def _update(self, step: Step) -> int:
        fids = self._find(step)
        self._change(step, fids)
        return len(fids)

    def _change(self, step: Step, fids: Sequence[int | str]) -> None:
        """Write the changes of a step into these features."""
        assert step.changes is not None
        target, changes, layer = step.target, step.changes, self._layer(step.target)
        touched = {*changes.values, *(renewed.field.name for renewed in target.renewed)}
        constrained = any(constraint.field.name in touched for constraint in target.constraints)
        for at in range(0, len(fids), CHUNK):
            self._clock.check()
            some = fids[at : at + CHUNK]
            if target.renewed or constrained:
                layer.update(*_renewed(target, changes, _features(layer.provider, some)))
            else:
                shapes = [changes.shape] if changes.reshapes else None
                layer.update(some, Rows(tuple(changes.values), [tuple(changes.values.values())], shapes))

    def _delete(self, step: Step) -> int:
        fids = self._find(step)
        for at in range(0, len(fids), CHUNK):
            self._clock.check()
            self._layer(step.target).delete(fids[at : at + CHUNK])
        return len(fids)

    def _layer(self, target: Target) -> LayerEditor:
        layer = target.kind.layer
        if target.kind.name not in self._layers:
            self._layers[target.kind.name] = self._editor.layer(layer.source, layer.crs)
        return self._layers[target.kind.name]

    def _search(self, step: Step) -> tuple[SourceQuery, list[int | str]]:
        """What a step asks of its source, and the ids of the features it is about."""
        assert step.query is not None
        provider = self._layer(step.target).provider
        source = select(step.query, step.target.kind, provider, step.target.context).source
        if source is None:
            return SourceQuery(), []
        source = replace(source, columns=(), geometry=False)
        return source, _fids(provider, source)

    def _find(self, step: Step) -> list[int | str]:
        """The ids of the features that a step is about, kept from others."""
        source, fids = self._search(step)
        self._spend(len(fids))
        if not fids or self._editor.exclusive:
            return fids
        layer = self._layer(step.target)
        layer.lock(fids)
        # While we waited others may have changed them so that they are not meant any more.
        return _fids(layer.provider, replace(source, fids=fids))

    def _spend(self, features: int) -> None:
        self._clock.check()
        self._left -= features
        if self._left < 0:
            raise OwsError("OperationProcessingFailed", "The transaction is about too many features.", status=413)


def _parts(rows: Rows) -> Iterator[Rows]:
    for at in range(0, len(rows.values), CHUNK):
        end = at + CHUNK
        yield Rows(rows.columns, rows.values[at:end], None if rows.shapes is None else rows.shapes[at:end])


def _fids(provider: Provider, query: SourceQuery) -> list[int | str]:
    with closing(provider.read(query)) as batches:
        return [fid for batch in batches for fid in batch.fids.tolist()]


def _features(provider: Provider, fids: Sequence[int | str]) -> Batch:
    """These features whole."""
    with closing(provider.read(SourceQuery(fids=fids))) as batches:
        return concat_batches(list(batches))


def _renewed(target: Target, changes: Changes, batch: Batch) -> tuple[list[int | str], Rows]:
    """What is written to each feature: fields with a default for updates get it; constraints are met."""
    count = len(batch)
    columns = dict(batch.columns)
    for name, value in changes.values.items():
        found = target.schema.field(name)
        assert found is not None
        columns[name] = column([columnar(value)] * count, found.type)
    geometry = decode([changes.shape] * count) if changes.reshapes else batch.geometry
    made: dict[str, list[object]] = {}
    for renewed in target.renewed:
        future = Batch(batch.fids, columns, geometry)
        name = renewed.field.name
        columns[name] = compute(renewed.node, renewed.field.type, future, target.context)
        made[name] = list(to_values(columns[name]))
    touched = {*changes.values, *made}
    constraints = [constraint for constraint in target.constraints if constraint.field.name in touched]
    check(constraints, Batch(batch.fids, columns, geometry), target.context)
    written: dict[str, list[object]] = {name: [value] * count for name, value in changes.values.items()} | made
    rows = [tuple(values) for values in zip(*written.values(), strict=True)] if written else [()] * count
    return batch.fids.tolist(), Rows(tuple(written), rows, [changes.shape] * count if changes.reshapes else None)
