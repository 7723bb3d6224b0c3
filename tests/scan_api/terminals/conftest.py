"""What terminals prove themselves by is tested on both databases."""

import pytest
from servers.databases import Databases


@pytest.fixture(params=["sqlite", "postgresql"])
def databases(request: pytest.FixtureRequest) -> Databases:
    found: Databases = request.getfixturevalue(f"{request.param}_databases")
    return found
