"""WFS: one file per request."""

from qgserver.ows.operations import locate

locate(
    "WFS",
    {
        "GetCapabilities": "qgserver.ows.wfs.capabilities",
        "DescribeFeatureType": "qgserver.ows.wfs.describefeaturetype",
        "GetFeature": "qgserver.ows.wfs.getfeature",
        "Transaction": "qgserver.ows.wfs.transaction",
    },
)
