"""All functions of the language, one file per group. Adding one = one decorated function in its file.

The files are imported when an expression first calls a function, those that need shapely (80 ms) when it is not among
the others: most maps call none.
"""

from qgserver.expression.function import Function, functions
from qgserver.expression.nodes import Call, Node, walk


def find(name: str) -> Function | None:
    """The function of a name in lower case, None when there is none."""
    for load in (_load_plain, load_all):
        found = functions.get(name)
        if found is not None:
            return found
        load()
    return functions.get(name)


def _load_plain() -> None:
    from qgserver.expression.functions import arrays as arrays
    from qgserver.expression.functions import color as color
    from qgserver.expression.functions import conditional as conditional
    from qgserver.expression.functions import conversion as conversion
    from qgserver.expression.functions import dates as dates
    from qgserver.expression.functions import files as files
    from qgserver.expression.functions import fuzzy as fuzzy
    from qgserver.expression.functions import maps as maps
    from qgserver.expression.functions import math as math
    from qgserver.expression.functions import string as string


def load_all() -> None:
    """Make all functions known, those too that need shapely, or the evaluator itself."""
    _load_plain()
    from qgserver.expression.functions import aggregates as aggregates
    from qgserver.expression.functions import features as features
    from qgserver.expression.functions import general as general
    from qgserver.expression.functions import geometry_edit as geometry_edit
    from qgserver.expression.functions import geometry_line as geometry_line
    from qgserver.expression.functions import geometry_make as geometry_make
    from qgserver.expression.functions import geometry_newer as geometry_newer
    from qgserver.expression.functions import geometry_read as geometry_read
    from qgserver.expression.functions import geometry_relate as geometry_relate
    from qgserver.expression.functions import overlay as overlay


def unsafe_functions(node: Node) -> list[str]:
    """Names of the functions in a tree that a client's expression must not call, sorted."""
    names = {part.name for part in walk(node) if isinstance(part, Call)}
    return sorted(name for name in names if not ((found := find(name.lower())) and found.client_safe))
