"""A service with published lists, a phone with credentials, terminals that were online once."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from bureau import Bureau
from offline_rig import Ward
from phone import Phone, publisher_of, registered_phone, with_offline_keys
from scan_service import ScanService


@pytest.fixture
def service(bureau: Bureau) -> Iterator[ScanService]:
    with_offline_keys(bureau)
    service = ScanService(bureau)
    publisher_of(bureau).round()
    yield service
    service.services.writer.stop()


@pytest.fixture
def phone(service: ScanService) -> Phone:
    return registered_phone(service.bureau, service.person, days=2)


@pytest.fixture
def ward(service: ScanService, tmp_path: Path) -> Ward:
    return Ward(service, tmp_path)
