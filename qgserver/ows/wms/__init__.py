"""WMS 1.1.1 and 1.3.0: one file per request."""

from qgserver.ows.operations import locate

locate(
    "WMS",
    {
        "GetCapabilities": "qgserver.ows.wms.capabilities",
        "GetMap": "qgserver.ows.wms.getmap",
        "GetFeatureInfo": "qgserver.ows.wms.getfeatureinfo",
        "GetProjectSettings": "qgserver.ows.wms.projectsettings",
        "GetSchemaExtension": "qgserver.ows.wms.schemaextension",
    },
)
