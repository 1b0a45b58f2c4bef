"""WMS 1.1.1 and 1.3.0: one file per request."""

from qgserver.ows.operations import locate

locate(
    "WMS",
    {
        "GetCapabilities": "qgserver.ows.wms.capabilities",
        "GetMap": "qgserver.ows.wms.getmap",
        "GetFeatureInfo": "qgserver.ows.wms.getfeatureinfo",
        "GetLegendGraphic": "qgserver.ows.wms.getlegendgraphic",
        "GetLegendGraphics": "qgserver.ows.wms.getlegendgraphic",
        "GetPrint": "qgserver.ows.wms.getprint",
        "GetProjectSettings": "qgserver.ows.wms.projectsettings",
        "DescribeLayer": "qgserver.ows.wms.describelayer",
        "GetStyles": "qgserver.ows.wms.getstyles",
        "GetStyle": "qgserver.ows.wms.getstyles",
        "GetContext": "qgserver.ows.wms.getcontext",
        "GetSchemaExtension": "qgserver.ows.wms.schemaextension",
    },
)
