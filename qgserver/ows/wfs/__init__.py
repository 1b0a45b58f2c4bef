"""WFS: one file per request; importing the package registers them all."""

from qgserver.ows.wfs import capabilities, describefeaturetype, getfeature  # noqa: F401
