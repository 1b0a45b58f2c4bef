"""Mathematics."""

from __future__ import annotations

import math
import random
import zlib

from qgserver.errors import ExpressionError
from qgserver.expression.coerce import LooseInt
from qgserver.expression.function import Group
from qgserver.expression.operators import double_power
from qgserver.expression.twister import MASK, first_number
from qgserver.expression.values import Value, text_to_int, to_double, to_text

function = Group("Math")


@function("pi", "$pi")
def pi() -> float:
    """3.14159..."""
    return math.pi


@function("abs")
def abs_(value: float) -> float:
    """The value without its sign."""
    return abs(value)


@function("sqrt")
def sqrt(value: float) -> float:
    """Square root; nan of a negative value."""
    return math.sqrt(value) if value >= 0 else math.nan


@function("radians")
def radians(degrees: float) -> float:
    """Degrees to radians."""
    return math.pi * degrees / 180


@function("degrees")
def degrees(radians: float) -> float:
    """Radians to degrees."""
    return 180 * radians / math.pi


@function("sin")
def sin(angle: float) -> float:
    """Sine of an angle in radians."""
    return math.sin(angle) if math.isfinite(angle) else math.nan


@function("cos")
def cos(angle: float) -> float:
    """Cosine of an angle in radians."""
    return math.cos(angle) if math.isfinite(angle) else math.nan


@function("tan")
def tan(angle: float) -> float:
    """Tangent of an angle in radians."""
    return math.tan(angle) if math.isfinite(angle) else math.nan


@function("asin")
def asin(value: float) -> float:
    """Inverse sine in radians; nan outside -1..1."""
    return math.asin(value) if -1 <= value <= 1 else math.nan


@function("acos")
def acos(value: float) -> float:
    """Inverse cosine in radians; nan outside -1..1."""
    return math.acos(value) if -1 <= value <= 1 else math.nan


@function("atan")
def atan(value: float) -> float:
    """Inverse tangent in radians."""
    return math.atan(value)


@function("atan2")
def atan2(dx: float, dy: float) -> float:
    """Angle of a vector in radians."""
    return math.atan2(dx, dy)


@function("exp")
def exp(value: float) -> float:
    """e to the power of the value."""
    try:
        return math.exp(value)
    except OverflowError:
        return math.inf


@function("ln")
def ln(value: float) -> float | None:
    """Natural logarithm; NULL for what is not positive."""
    return math.log(value) if value > 0 else None


@function("log10")
def log10(value: float) -> float | None:
    """Logarithm to base 10; NULL for what is not positive."""
    return math.log10(value) if value > 0 else None


@function("log")
def log(base: float, value: float) -> float | None:
    """Logarithm to any base; NULL where there is none."""
    if value <= 0 or base <= 0:
        return None
    top, bottom = math.log(value), math.log(base)
    if bottom:
        return top / bottom
    return math.copysign(math.inf, top) if top else math.nan


def round_half_away(value: float) -> float:
    """To the nearest whole number, halves away from zero."""
    return math.copysign(math.floor(abs(value) + 0.5), value) if abs(value) < 2**52 else value


@function("round")
def round_(value: float, places: LooseInt = 0) -> Value:
    """Rounded, halves away from zero: an integer without ``places``."""
    if places:
        scale = double_power(10.0, places)
        return round_half_away(value * scale) / scale if math.isfinite(scale) and scale else math.nan
    whole = round_half_away(value)
    return int(whole) if -(2.0**63) <= whole < 2.0**63 else -(2**63)


@function("ceil")
def ceil(value: float) -> float:
    """The next whole number upwards."""
    return float(math.ceil(value)) if math.isfinite(value) else value


@function("floor")
def floor(value: float) -> float:
    """The next whole number downwards."""
    return float(math.floor(value)) if math.isfinite(value) else value


@function("max", handles_null=True)
def max_(*values: Value) -> float | None:
    """The largest of some numbers; NULLs are skipped."""
    numbers = [to_double(value) for value in values if value is not None]
    return max(numbers) if numbers else None


@function("min", handles_null=True)
def min_(*values: Value) -> float | None:
    """The smallest of some numbers; NULLs are skipped."""
    numbers = [to_double(value) for value in values if value is not None]
    return min(numbers) if numbers else None


@function("clamp")
def clamp(min: float, value: float, max: float) -> float | None:
    """The value kept between two others."""
    if value <= min:
        return min
    return max if value >= max else value


@function("scale_linear")
def scale_linear(value: float, domain_min: float, domain_max: float, range_min: float, range_max: float) -> Value:
    """A value of one range mapped to another, kept inside it."""
    if domain_min >= domain_max:
        raise ExpressionError("Domain max must be greater than domain min")
    if value <= domain_min:
        return range_min
    if value >= domain_max:
        return range_max
    return (range_max - range_min) / (domain_max - domain_min) * (value - domain_min) + range_min


@function("scale_exp")
def scale_exp(
    value: float, domain_min: float, domain_max: float, range_min: float, range_max: float, exponent: float
) -> Value:
    """As ``scale_linear``, along a power curve."""
    if domain_min >= domain_max:
        raise ExpressionError("Domain max must be greater than domain min")
    if exponent <= 0:
        raise ExpressionError("Exponent must be greater than 0")
    if value <= domain_min:
        return range_min
    if value >= domain_max:
        return range_max
    scale = double_power(domain_max - domain_min, exponent)
    if not scale:
        return math.nan
    return (range_max - range_min) / scale * double_power(value - domain_min, exponent) + range_min


@function("rand", pure=False)
def rand(min: int, max: int, seed: Value = None) -> int | None:
    """A random integer; the same one for the same ``seed``."""
    return min + _random_bits(seed) % (max - min + 1) if min <= max else None


@function("randf", pure=False)
def randf(min: float = 0.0, max: float = 1.0, seed: Value = None) -> float | None:
    """A random number; the same one for the same ``seed``."""
    return min + _random_bits(seed) / MASK * (max - min) if min <= max else None


def _random_bits(seed: Value) -> int:
    """64 bits; with a seed that is an integer, those that QGIS gets from it."""
    if seed is None:
        return random.getrandbits(64)
    number = to_text(seed)
    whole = text_to_int(number)
    return first_number(zlib.crc32(number.encode()) if whole is None else whole & 0xFFFFFFFF)
