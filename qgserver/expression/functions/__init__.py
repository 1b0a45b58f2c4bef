"""All functions of the language, one file per group. Adding one = one decorated function in its file."""

from qgserver.expression.function import functions as functions
from qgserver.expression.functions import conditional as conditional
from qgserver.expression.functions import math as math
from qgserver.expression.functions import string as string
