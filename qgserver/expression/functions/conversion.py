"""Conversions."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re

from qgserver.errors import ExpressionError
from qgserver.expression.coerce import Map
from qgserver.expression.function import Group
from qgserver.expression.values import NO_TEXT, Value, text_argument, to_bytes, to_double, to_int

function = Group("Conversions")


@function("to_int", "toint")
def to_int_(value: Value) -> int:
    """An integer; doubles round half upwards."""
    return to_int(value)


@function("to_real", "toreal")
def to_real(value: Value) -> float:
    """A number."""
    return to_double(value)


@function("to_string", "tostring")
def to_string(value: Value) -> str | None:
    """The text of a value; NULL for arrays, maps and geometries."""
    text = text_argument(value)
    return None if text is NO_TEXT else text


@function("to_bool", since="3.24")
def to_bool(value: Value) -> bool:
    """false for zero, an empty text, array or map, else true."""
    if isinstance(value, int | float | str | list | dict):
        return bool(value)
    return value is not None


@function("to_base64")
def to_base64(value: Value) -> str:
    """A text or binary value in base 64."""
    return base64.b64encode(to_bytes(value)).decode("ascii")


@function("from_base64")
def from_base64(string: str) -> bytes:
    """The binary value of a base 64 text; characters that don't belong there are skipped."""
    text = re.sub(r"[^A-Za-z0-9+/]", "", string.split("=")[0])
    text = text[:-1] if len(text) % 4 == 1 else text
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4))
    except binascii.Error as error:
        raise ExpressionError("Cannot decode base 64") from error


@function("hash")
def hash_(string: str, method: str) -> str:
    """A hash in hexadecimal: md4, md5, sha1, sha224, ..., sha3_512, keccak_224, ..."""
    name = method.lower()
    data = string.encode("utf-8", "surrogatepass")
    if name == "md4":
        return _md4(data).hex()
    if name in _HASHES:
        return hashlib.new(name, data, usedforsecurity=False).hexdigest()
    raise ExpressionError(f"Hash method {method} is not available")


_HASHES = frozenset(
    {"md5", "sha1", "sha224", "sha256", "sha384", "sha512", "sha3_224", "sha3_256", "sha3_384", "sha3_512"}
)


@function("md5")
def md5(string: str) -> str:
    """MD5 in hexadecimal."""
    return hash_(string, "md5")


@function("sha256")
def sha256(string: str) -> str:
    """SHA-256 in hexadecimal."""
    return hash_(string, "sha256")


def _md4(data: bytes) -> bytes:
    """RFC 1320; OpenSSL 3 no longer has it."""
    message = data + b"\x80" + b"\0" * ((55 - len(data)) % 64) + (8 * len(data)).to_bytes(8, "little")
    state = [0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476]
    orders = (range(16), [4 * (i % 4) + i // 4 for i in range(16)], [int(f"{i:04b}"[::-1], 2) for i in range(16)])
    shifts = ((3, 7, 11, 19), (3, 5, 9, 13), (3, 9, 11, 15))
    for start in range(0, len(message), 64):
        words = [int.from_bytes(message[start + 4 * i : start + 4 * i + 4], "little") for i in range(16)]
        a, b, c, d = state
        for turn, (order, amounts) in enumerate(zip(orders, shifts, strict=True)):
            for step, index in enumerate(order):
                mixed = ((b & c) | (~b & d), (b & c) | (b & d) | (c & d), b ^ c ^ d)[turn]
                total = (a + mixed + words[index] + (0, 0x5A827999, 0x6ED9EBA1)[turn]) & 0xFFFFFFFF
                amount = amounts[step % 4]
                a, b, c, d = d, ((total << amount) | (total >> (32 - amount))) & 0xFFFFFFFF, b, c
        state = [(old + new) & 0xFFFFFFFF for old, new in zip(state, (a, b, c, d), strict=True)]
    return b"".join(word.to_bytes(4, "little") for word in state)


# -- degrees --------------------------------------------------------------------------------------------------------


@function("to_dms", "todms")
def to_dms(value: float, axis: str, precision: int, formatting: str | None = None) -> str:
    """Degrees as degrees, minutes and seconds."""
    return _sexagesimal(value, axis, precision, formatting, 2)


@function("to_dm", "todm")
def to_dm(value: float, axis: str, precision: int, formatting: str | None = None) -> str:
    """Degrees as degrees and minutes."""
    return _sexagesimal(value, axis, precision, formatting, 1)


_MARKS = ("°", "′", "″")


def _sexagesimal(value: float, axis: str, precision: int, formatting: str | None, levels: int) -> str:
    if axis.lower() not in ("x", "y"):
        raise ExpressionError(f"Invalid axis name: '{axis[:20]}'. It must be either 'x' or 'y'.")
    style = (formatting or "").lower()
    if style not in ("", "suffix", "aligned"):
        raise ExpressionError(f"Invalid formatting parameter: '{style[:20]}'")
    if not -1e15 < value < 1e15:
        raise ExpressionError("The angle is too large")
    numbers = _split(abs(value), precision, levels)
    decimals = min(precision, 300) if precision >= 0 else 6
    texts = [f"{numbers[0]:.0f}"]
    texts += [f"{number:02.0f}" if style == "aligned" else f"{number:.0f}" for number in numbers[1:-1]]
    last = f"{numbers[-1]:.{decimals}f}"
    texts.append(last.zfill(2 + (decimals > 0) + decimals) if style == "aligned" else last)
    body = "".join(text + mark for text, mark in zip(texts, _MARKS, strict=False))
    if style:
        return body + {"x": "EW", "y": "NS"}[axis.lower()][value < 0]
    return "-" + body if value < 0 else body


def _split(value: float, precision: int, levels: int) -> list[float]:
    """Degrees and sixtieths; what rounds up to 60 carries over."""
    numbers = [float(int(value))]
    rest = (value - numbers[0]) * 60
    for _ in range(levels - 1):
        numbers.append(float(int(rest)))
        rest = (rest - numbers[-1]) * 60
    numbers.append(rest)
    scale = 10.0**precision if 0 <= precision < 300 else 0.0 if precision < 0 else 1e300
    if round(rest * scale) >= 60 * scale:
        numbers[-1] = 0.0
        for level in range(levels - 1, -1, -1):
            numbers[level] += 1
            if level == 0 or numbers[level] < 60:
                break
            numbers[level] = 0.0
    return numbers


@function("extract_degrees", since="3.36")
def extract_degrees(value: float) -> int:
    """The whole degrees of an angle."""
    return int(value)


@function("extract_minutes", since="3.36")
def extract_minutes(value: float) -> int:
    """The whole minutes of an angle beyond its degrees."""
    return int(abs(value) % 1 * 60)


@function("extract_seconds", since="3.36")
def extract_seconds(value: float) -> float:
    """The seconds of an angle beyond its minutes."""
    return abs(value) * 60 % 1 * 60


@function("url_encode", since="3.24")
def url_encode(map: Map) -> str:
    """A map as the query of a URL."""
    from urllib.parse import quote

    pairs = ((key, text_argument(map[key])) for key in sorted(map))
    return "&".join(f"{quote(key, safe='')}={quote(value, safe='')}" for key, value in pairs)


_DMS = re.compile(
    r"\s*([-+NSEW])?\s*(\d{1,3})(?:[^0-9.]+([0-5]?\d))?[^0-9.]+([0-5]?\d(?:\.\d+)?)[^0-9.]*?([-+NSEW])?\s*",
    re.ASCII | re.IGNORECASE,
)


@function("to_decimal", "todecimal")
def to_decimal(value: str) -> float | None:
    """Degrees of a text in degrees, minutes and seconds."""
    match = _DMS.fullmatch(value)
    if match is None:
        return None
    before, degrees, minutes, last, after = match.groups()
    if minutes is None:
        result = int(degrees) + float(last) / 60
    else:
        result = int(degrees) + int(minutes) / 60 + float(last) / 3600
    return -result if (before or after or "").upper() in ("-", "S", "W") else result
