"""Of the tests of keys themselves."""

import pytest


@pytest.fixture(autouse=True)
def key_derivation() -> None:
    """Each passphrase is worked out as often as somebody asks."""
