"""Of the tests of keys themselves."""

import pytest


@pytest.fixture(autouse=True)
def slow_keys() -> None:
    """Each passphrase is worked out as often as somebody asks."""
