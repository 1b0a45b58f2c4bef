"""GetSchemaExtension: the schema of the requests that QGIS adds to WMS 1.3.0."""

from __future__ import annotations

from qgserver.ows.operations import OperationContext, operation
from qgserver.ows.xmlio import DECLARATION
from qgserver.web.response import Response, document

NAMES = ("GetPrint", "GetStyles")

SCHEMA = "\n".join(
    [
        DECLARATION + '<schema xmlns="http://www.w3.org/2001/XMLSchema" xmlns:wms="http://www.opengis.net/wms"'
        ' xmlns:qgs="http://www.qgis.org/wms" targetNamespace="http://www.qgis.org/wms"'
        ' elementFormDefault="qualified" version="1.0.0">',
        '<import namespace="http://www.opengis.net/wms"'
        ' schemaLocation="http://schemas.opengis.net/wms/1.3.0/capabilities_1_3_0.xsd"/>',
        *(f'<element name="{n}" type="wms:OperationType" substitutionGroup="wms:_ExtendedOperation"/>' for n in NAMES),
        "</schema>",
    ]
)


@operation("WMS", "GetSchemaExtension", versions=("1.3.0",))
def get_schema_extension(context: OperationContext) -> Response:
    """The schema, the same for every project."""
    return document(SCHEMA)
