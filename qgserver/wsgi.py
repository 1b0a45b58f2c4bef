"""The WSGI door: ``gunicorn qgserver.wsgi:application``. Needs no project and opens nothing when imported."""

from __future__ import annotations

from qgserver.app import create_application

application = create_application()
