"""What a function is, and how one is added: write it, decorate it.

    @function("left")
    def left(string: str, length: int) -> str:
        "The first characters of a text."
        return string[:length]

Parameter names, defaults and conversions come from the signature. Annotations are the keys of
``coerce.COERCIONS``, or ``Lazy``: the argument comes unevaluated. A first parameter ``Frame`` receives the evaluation's
own state, ``*args`` take any number. As in QGIS, a NULL argument makes the result NULL without a call, unless the
parameter's default is None or the function says ``handles_null``.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from qgserver.errors import ExpressionError
from qgserver.expression.context import Frame
from qgserver.expression.nodes import Node
from qgserver.expression.values import Value
from qgserver.registry import Registry

Implementation = Callable[..., Value]
F = TypeVar("F", bound=Implementation)

FAULTS: tuple[type[Exception], ...] = (ArithmeticError, ValueError, RecursionError, MemoryError)
"""What an implementation may raise besides ``ExpressionError``: the call turns it into one."""

REQUIRED = object()
"""The default of a parameter that has none."""


class Lazy:
    """An argument that the function evaluates itself: as often, and on whichever feature, as it likes."""

    __slots__ = ("compiled", "node")

    def __init__(self, node: Node, compiled: Callable[[Frame], Value]) -> None:
        self.node = node
        self.compiled = compiled

    def __call__(self, frame: Frame) -> Value:
        return self.compiled(frame)


@dataclass(frozen=True, slots=True)
class Parameter:
    """``kind`` is the annotation: how the argument is converted. ``default`` is REQUIRED or a Python value."""

    name: str
    kind: str
    default: object = REQUIRED

    @property
    def nullable(self) -> bool:
        """A NULL given here does not make the result NULL."""
        return self.default is None


@dataclass(frozen=True, slots=True)
class Function:
    """A registered function. ``names[0]`` is the main name. ``variadic``: the last parameter repeats (``least`` of them
    are needed before evaluation even starts, QGIS's variadic functions check only when evaluated). ``client_safe``:
    reads nothing but its arguments, the current feature and published layers. ``pure``: the value depends on nothing
    but the arguments. ``since``: QGIS version that brought it, "" = 3.22 or older."""

    names: tuple[str, ...]
    group: str
    doc: str
    parameters: tuple[Parameter, ...]
    implementation: Implementation
    takes_frame: bool = False
    variadic: str = ""
    handles_null: bool = False
    client_safe: bool = True
    pure: bool = True
    since: str = ""
    faults: tuple[type[Exception], ...] = FAULTS

    @property
    def name(self) -> str:
        return self.names[0]

    @property
    def least(self) -> int:
        """How many arguments must be given."""
        return sum(1 for parameter in self.parameters if parameter.default is REQUIRED)

    def arrange(self, positional: Sequence[Node], named: Mapping[str, Node], position: int) -> tuple[Node | None, ...]:
        """Arguments in the order of the parameters. Raises ``ExpressionError`` when the number or a name is wrong."""
        if self.variadic:
            if named:
                raise ExpressionError(f"{self.name} takes no named arguments", position=position)
            return tuple(positional)
        if len(positional) > len(self.parameters) or (not named and len(positional) < self.least):
            wanted = (
                f"{self.least}" if self.least == len(self.parameters) else f"{self.least} to {len(self.parameters)}"
            )
            raise ExpressionError(
                f"{self.name} takes {wanted} arguments, {len(positional) + len(named)} given", position=position
            )
        if not named:
            return tuple(positional)
        rest = {parameter.name.lower() for parameter in self.parameters[len(positional) :]}
        if unknown := sorted(set(named) - rest):
            raise ExpressionError(f"{self.name} has no argument named {unknown[0]} left", position=position)
        args: list[Node | None] = list(positional)
        for parameter in self.parameters[len(positional) :]:
            given = named.get(parameter.name.lower())
            if given is None and parameter.default is REQUIRED:
                raise ExpressionError(f"{self.name}: argument {parameter.name} is missing", position=position)
            args.append(given)
        while args and args[-1] is None:
            args.pop()
        return tuple(args)


functions: Registry[Function] = Registry("expression function")
"""Every function by every one of its names, in lower case."""


@dataclass(frozen=True, slots=True)
class Group:
    """The decorator of one ``functions/*.py``: what all its functions have in common."""

    title: str
    client_safe: bool = True
    pure: bool = True
    faults: tuple[type[Exception], ...] = ()

    def __call__(
        self,
        *names: str,
        handles_null: bool = False,
        client_safe: bool | None = None,
        pure: bool | None = None,
        since: str = "",
    ) -> Callable[[F], F]:
        """Register the decorated function under ``names``, the main one first."""

        def add(implementation: F) -> F:
            parameters, takes_frame, variadic = _read_signature(implementation)
            spec = Function(
                names=names,
                group=self.title,
                doc=inspect.getdoc(implementation) or "",
                parameters=parameters,
                implementation=implementation,
                takes_frame=takes_frame,
                variadic=variadic,
                handles_null=handles_null,
                client_safe=self.client_safe if client_safe is None else client_safe,
                pure=(self.pure if pure is None else pure) and not takes_frame,
                since=since,
                faults=FAULTS + self.faults,
            )
            functions.register(*dict.fromkeys(name.lower() for name in names))(spec)
            return implementation

        return add


def _read_signature(implementation: Implementation) -> tuple[tuple[Parameter, ...], bool, str]:
    """Parameters, whether the first one is the frame, and the annotation of ``*args`` ("" = none)."""
    parameters: list[Parameter] = []
    takes_frame, variadic = False, ""
    for spec in inspect.signature(implementation).parameters.values():
        kind = str(spec.annotation)
        if kind == "Frame":
            takes_frame = True
        elif spec.kind is spec.VAR_POSITIONAL:
            variadic = kind
        else:
            default = REQUIRED if spec.default is spec.empty else spec.default
            parameters.append(Parameter(spec.name.removesuffix("_"), kind.removesuffix(" | None"), default))
    return tuple(parameters), takes_frame, variadic
