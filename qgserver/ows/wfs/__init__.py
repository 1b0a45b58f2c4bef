"""WFS: one file per request."""

from qgserver.ows.operations import locate

locate(
    "WFS",
    {
        "GetCapabilities": "qgserver.ows.wfs.capabilities",
        "DescribeFeatureType": "qgserver.ows.wfs.describefeaturetype",
        "GetFeature": "qgserver.ows.wfs.getfeature",
        "GetPropertyValue": "qgserver.ows.wfs.getpropertyvalue",
        "ListStoredQueries": "qgserver.ows.wfs.storedqueries",
        "DescribeStoredQueries": "qgserver.ows.wfs.storedqueries",
        "CreateStoredQuery": "qgserver.ows.wfs.storedqueries",
        "DropStoredQuery": "qgserver.ows.wfs.storedqueries",
        "Transaction": "qgserver.ows.wfs.transaction",
    },
)
