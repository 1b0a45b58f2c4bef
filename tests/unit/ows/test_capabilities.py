"""The service section of WMS capabilities; expected values from QGIS Server."""

from __future__ import annotations

from qgserver.ows.wms.capabilities import contact
from qgserver.project.model import Contact


def test_an_organization_without_a_person() -> None:
    primary = "<ContactPerson>unknown</ContactPerson><ContactOrganization>3Liz</ContactOrganization>"
    expected = f"<ContactInformation><ContactPersonPrimary>{primary}</ContactPersonPrimary></ContactInformation>"
    assert "".join(contact(Contact(organization="3Liz"))) == expected
    assert not list(contact(Contact()))
