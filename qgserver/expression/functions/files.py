"""Files and paths. None of them is for clients."""

from __future__ import annotations

import os.path

from qgserver.expression.function import Group
from qgserver.expression.values import Value, text_argument

function = Group("Files and Paths", client_safe=False, pure=False)


def _path(value: Value) -> str:
    return text_argument(value).split("\0")[0]


@function("file_exists")
def file_exists(path: Value) -> bool:
    """Whether a file or directory exists."""
    return os.path.exists(_path(path))


@function("is_file")
def is_file(path: Value) -> bool:
    """Whether a path is a file."""
    return os.path.isfile(_path(path))


@function("is_directory")
def is_directory(path: Value) -> bool:
    """Whether a path is a directory."""
    return os.path.isdir(_path(path))


@function("file_size")
def file_size(path: Value) -> int:
    """Size of a file in bytes, 0 when there is none."""
    name = _path(path)
    return os.path.getsize(name) if os.path.isfile(name) else 0


@function("file_name")
def file_name(path: Value) -> str:
    """The name after the last slash."""
    return os.path.basename(_path(path))


@function("base_file_name")
def base_file_name(path: Value) -> str:
    """The name after the last slash, without what follows the last dot."""
    name = os.path.basename(_path(path))
    return name.rpartition(".")[0] if "." in name else name


@function("file_path")
def file_path(path: Value) -> str:
    """The directory of a file."""
    return os.path.dirname(os.path.abspath(_path(path)))


@function("file_suffix")
def file_suffix(path: Value) -> str | None:
    """What follows the first dot of the name."""
    text = text_argument(path)
    if not text:
        return ""
    _, dot, suffix = os.path.basename(text).partition(".")
    return suffix if dot else None


@function("exif")
def exif(path: Value, tag: Value = None) -> Value:
    """Metadata of a photograph: not read on a server, so an empty map or NULL."""
    return {} if tag is None else None


@function("exif_geotag")
def exif_geotag(path: Value) -> Value:
    """The place a photograph was taken: not read on a server."""
    return None
