"""Every dialect of exceptions against its schema or DTD."""

from __future__ import annotations

import pytest
import schemas

from qgserver.ows.exceptions import DIALECTS, Report, exception_response

OPENGIS = "http://schemas.opengis.net"
SCHEMAS = {
    ("WMS", "1.3.0"): f"http://www.opengis.net/ogc {OPENGIS}/wms/1.3.0/exceptions_1_3_0.xsd",
    ("WFS", "1.0.0"): f"http://www.opengis.net/ogc {OPENGIS}/wfs/1.0.0/OGC-exception.xsd",
    ("WFS", "1.1.0"): f"http://www.opengis.net/ows {OPENGIS}/ows/1.0.0/owsExceptionReport.xsd",
    ("WFS", "2.0.0"): f"http://www.opengis.net/ows/1.1 {OPENGIS}/ows/1.1.0/owsExceptionReport.xsd",
}


@pytest.mark.parametrize("locator", ["", "typeName"])
@pytest.mark.parametrize(("service", "version"), [*DIALECTS, ("", "")])
def test_valid(service: str, version: str, locator: str) -> None:
    found = Report("InvalidParameterValue", 'No layer <a> & "b" \x07', locator, 400)
    document = exception_response(found, service, version).get_data()
    if (service, version) == ("WMS", "1.1.1"):
        schemas.check_dtd(document)
    else:
        schemas.check(document, SCHEMAS.get((service, version), SCHEMAS["WFS", "1.1.0"]))
