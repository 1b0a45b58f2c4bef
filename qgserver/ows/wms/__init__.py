"""WMS 1.1.1 and 1.3.0. Importing the package makes its operations known."""

from qgserver.ows.wms import capabilities, getfeatureinfo, getmap, projectsettings, schemaextension

__all__ = ["capabilities", "getfeatureinfo", "getmap", "projectsettings", "schemaextension"]
