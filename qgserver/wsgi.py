"""The WSGI door: ``gunicorn qgserver.wsgi:application``. Needs no project and opens nothing when imported."""

from __future__ import annotations

import gc

import qgserver.process  # noqa: F401  (first: the others are slower and bigger without)
from qgserver.app import create_application

application = create_application()
gc.freeze()  # what is loaded stays: it need not be looked at again, nor copied by processes that fork from here
