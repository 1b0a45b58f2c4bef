"""The fixture of the fault tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from stand import Stand, running_stand


@pytest.fixture(scope="module")
def stand() -> Iterator[Stand]:
    with running_stand() as running:
        yield running
