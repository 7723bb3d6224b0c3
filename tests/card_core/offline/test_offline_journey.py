"""From a phone's registration to a terminal with no network, over HTTP, on both databases."""

from collections.abc import Iterator

import pytest
from bureau import HOLDER_PASSWORD, Bureau
from phone import PhoneApp, day_ends, publisher_of, status_signer, with_offline_keys
from scan_service import ScanService, TerminalDevice

from card_core import business_types, codes
from card_core.bundles import Bundle, open_bundle
from card_core.codes import CodeKey, KeyPurpose, KeyRing, KeyState
from card_core.status_list import Age, CredentialState, HeldList, open_list


@pytest.fixture
def service(bureau: Bureau) -> Iterator[ScanService]:
    with_offline_keys(bureau)
    service = ScanService(bureau)
    yield service
    service.services.writer.stop()


class OfflineTerminal:
    """What a terminal carries, fetched over HTTP; it trusts one status key, from its enrolment."""

    def __init__(self, service: ScanService, device: TerminalDevice) -> None:
        self.service, self.device = service, device
        trusted = status_signer(service.bureau).public_key
        self.keys: tuple[CodeKey, ...] = (
            CodeKey(1, 1, trusted, KeyState.ACTIVE, KeyPurpose.STATUS),
        )
        self.bundle: Bundle | None = None
        self.lists: dict[int, HeldList] = {}

    def get(self, target: str) -> bytes:
        headers = {"Authorization": self.device.authorization("GET", target)}
        answer = self.service.http.get(target, headers=headers)
        answer.raise_for_status()
        return answer.content

    def refresh(self) -> None:
        self.bundle = open_bundle(self.get("/v1/terminal/bundle"), keys=self.keys, held=self.bundle)
        self.keys = self.bundle.content.keys
        for one in self.bundle.content.status_lists:
            day = int(one.day_ends_at.timestamp())
            held = self.lists.get(day)
            have = "" if held is None else f"?have={held.head.version}"
            answer = self.get(f"/v1/terminal/status-lists/{one.issuer}/{day}{have}")
            self.lists[day] = open_list(answer, keys=self.keys, held=held)

    def scan(self, text: str, business_type: str = "01101") -> CredentialState:
        """Steps 1 to 7 with nothing but what is carried."""
        assert self.bundle is not None
        found = {one.code: one for one in self.bundle.content.business_types}[business_type]
        assert found == business_types.get(business_type)
        of_codes = {KeyPurpose.CODE_SIGNING, KeyPurpose.DEVICE_CREDENTIAL}
        checked = codes.check(
            text,
            keys=KeyRing([key for key in self.keys if key.purpose in of_codes]),
            now=self.service.clock(),
            business_type=found,
            terminal=self.device.serial_number,
            amount_fen=None,
        )
        assert checked.credential_expires_at is not None
        assert checked.status_index is not None
        held = self.lists[int(checked.credential_expires_at.timestamp())]
        assert held.age(self.service.clock()) is Age.FRESH
        return held.state(checked.status_index)


def test_a_phone_shows_codes_offline_until_its_card_is_lost(service: ScanService) -> None:
    holder = service.signed_in()
    app = PhoneApp(holder)
    assert app.register(password=HOLDER_PASSWORD).status_code == 201
    days = day_ends(service.clock(), 7)
    assert app.fetch(days).status_code == 201
    assert list(app.phone.credentials) == days
    publisher = publisher_of(service.bureau)
    publisher.round()
    terminal = OfflineTerminal(service, service.hospital)
    terminal.refresh()
    assert terminal.scan(app.phone.show(service.clock())) is CredentialState.GOOD

    # Lost at 01:30; within a minute the lists say so.
    lost = holder.post("/v1/holder/loss-reports", json={})
    assert lost.status_code == 200
    service.clock.advance(15)
    publisher.round()
    terminal.refresh()
    assert terminal.scan(app.phone.show(service.clock())) is CredentialState.SUSPENDED

    found = {"password": HOLDER_PASSWORD}
    assert holder.post("/v1/holder/loss-withdrawals", json=found).status_code == 200
    service.clock.advance(15)
    publisher.round()
    terminal.refresh()
    assert terminal.scan(app.phone.show(service.clock())) is CredentialState.GOOD

    # Another day has another list and another key.
    service.clock.advance(24 * 3600)
    holder = service.signed_in()
    app.http = holder
    publisher.round()
    terminal.refresh()
    assert terminal.scan(app.phone.show(service.clock())) is CredentialState.GOOD
    assert app.fetch(day_ends(service.clock(), 8)[6:]).status_code == 201

    assert app.remove().status_code == 204
    publisher.round()
    terminal.refresh()
    assert terminal.scan(app.phone.show(service.clock())) is CredentialState.WITHDRAWN
    assert len(terminal.lists) == 2


def test_tomorrows_list_is_carried_in_the_evening(service: ScanService) -> None:
    app = PhoneApp(service.signed_in())
    app.register(password=HOLDER_PASSWORD)
    today, tomorrow = day_ends(service.clock(), 2)
    app.fetch([today, tomorrow])
    service.clock.now = today.replace(hour=15, minute=59, second=58)
    publisher_of(service.bureau).round()
    terminal = OfflineTerminal(service, service.pharmacy)
    terminal.refresh()
    assert sorted(terminal.lists) == [int(today.timestamp()), int(tomorrow.timestamp())]
    assert terminal.scan(app.phone.show(service.clock()), "02122") is CredentialState.GOOD
    service.clock.advance(4)
    text = app.phone.show(service.clock())
    assert terminal.scan(text, "02122") is CredentialState.GOOD
