"""The key ring of a worker: never a stale yes, and one bad row takes one key out."""

import logging
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from bureau import ISSUER, KEY_NUMBER, Bureau, MemorySigner
from scan_service import ScanService
from sqlalchemy import update
from trusting import document, entry, key, pin, take

from card_core import business_types, codes
from card_core.codes import KeyPurpose, KeyRing, KeyState, key_name
from card_core.codes.key_life import ACTIVATION_LEAD, OVERLAP, RING_AGE_SECONDS_MAX
from card_core.errors import StoreBusyError
from card_core.kernel.acts.issuer_keys import (
    ActivateIssuerKey,
    RegisterIssuerKey,
    RevocationCause,
    RevokeIssuerKey,
)
from card_core.store import schema
from card_core.verdicts import Reason
from crypto import sm2
from scan_api.key_ring import KeyRingCache

CODES = KeyPurpose.CODE_SIGNING
WAIT_SECONDS = 10


@dataclass
class Seconds:
    now: float = 100.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Worker:
    """A ring over the bureau's database, with seconds of its own."""

    bureau: Bureau
    seconds: Seconds = field(default_factory=Seconds)

    def __post_init__(self) -> None:
        self.cache = KeyRingCache(self.bureau.store, self.bureau.clock, monotonic=self.seconds)
        self.cache.refresh()

    def reason(self, text: str) -> Reason:
        try:
            codes.check(
                text,
                keys=self.cache.ring(),
                now=self.bureau.clock(),
                business_type=business_types.get("01101"),
                terminal=self.bureau.hospital.serial_number,
                amount_fen=None,
            )
        except codes.RefusedError as refused:
            return refused.reason
        return Reason.ACCEPTED


@pytest.fixture
def worker(bureau: Bureau) -> Worker:
    return Worker(bureau)


def mint(bureau: Bureau) -> str:
    return bureau.minter.mint(bureau.person().holder_id).text


def rotate(bureau: Bureau, number: int) -> None:
    signer = bureau.keys.make(key_name(CODES, ISSUER, number))
    point = signer.public_key.to_bytes(compressed=True)
    for act in (RegisterIssuerKey(ISSUER, number, point), ActivateIssuerKey(CODES, number)):
        bureau.decide(act, bureau.administrator, bureau.security)


def test_it_asks_nothing_between_refreshes_and_then_refuses(
    worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(worker.bureau.store), "read", lambda _: pytest.fail("it asked"))
    worker.seconds.now += RING_AGE_SECONDS_MAX
    assert isinstance(worker.cache.ring(), KeyRing)
    worker.seconds.now += 0.1
    with pytest.raises(StoreBusyError):
        worker.cache.ring()


def test_before_the_first_refresh_it_refuses(bureau: Bureau) -> None:
    with pytest.raises(StoreBusyError):
        KeyRingCache(bureau.store, bureau.clock).ring()


def test_its_age_counts_from_before_it_was_read(
    worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A slow read may have missed what was committed while it went on."""
    read = type(worker.bureau.store).read

    def slow(store: object) -> object:
        worker.seconds.now += 3
        return read(store)  # type: ignore[arg-type]

    monkeypatch.setattr(type(worker.bureau.store), "read", slow)
    worker.cache.refresh()
    worker.seconds.now += 1.5
    with pytest.raises(StoreBusyError):
        worker.cache.ring()


def test_a_failing_database_leaves_the_old_ring_to_its_age(
    worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(_: object) -> None:
        raise StoreBusyError

    ring = worker.cache.ring()
    monkeypatch.setattr(type(worker.bureau.store), "read", away)
    with pytest.raises(StoreBusyError):
        worker.cache.refresh()
    assert worker.cache.ring() is ring


def test_the_same_keys_are_not_built_again_and_new_ones_before_they_sign(worker: Worker) -> None:
    bureau = worker.bureau
    ring = worker.cache.ring()
    worker.cache.refresh()
    assert worker.cache.ring() is ring
    rotate(bureau, 2)
    worker.cache.refresh()
    ready = worker.cache.ring()
    assert ready is not ring
    old = mint(bureau)
    bureau.clock.now += ACTIVATION_LEAD
    new = mint(bureau)
    assert [worker.reason(text) for text in (old, new)] == [Reason.ACCEPTED] * 2
    worker.cache.refresh()
    assert worker.cache.ring() is ready


def test_a_superseded_key_is_refused_by_itself_when_its_overlap_is_over(worker: Worker) -> None:
    """Somebody who kept the old private key makes fresh codes with it: nobody had to end it."""
    bureau = worker.bureau
    rotate(bureau, 2)
    bureau.clock.now += ACTIVATION_LEAD + OVERLAP[CODES]
    worker.cache.refresh()
    forged = codes.OnlineCode(
        ISSUER,
        KEY_NUMBER,
        bureau.clock(),
        codes.PurposeClass.ANY_USE,
        business_types.ALL_PURPOSES,
        bytes(16),
    ).to_be_signed()
    text = codes.assemble(forged, bureau.keys.code_signing.sign(forged))
    assert worker.reason(text) is Reason.ACCEPTED
    bureau.clock.advance(1)
    worker.cache.refresh()
    assert worker.reason(text) is Reason.KEY_NOT_ACTIVE
    assert worker.reason(mint(bureau)) is Reason.ACCEPTED


def test_a_state_flipped_by_hand_takes_that_key_out_and_is_reported(
    worker: Worker, caplog: pytest.LogCaptureFixture
) -> None:
    bureau = worker.bureau
    rotate(bureau, 2)
    old = mint(bureau)
    bureau.clock.now += ACTIVATION_LEAD
    bureau.decide(
        RevokeIssuerKey(CODES, KEY_NUMBER, RevocationCause.LEAKED),
        bureau.administrator,
        bureau.security,
    )
    worker.cache.refresh()
    assert worker.reason(old) is Reason.KEY_NOT_ACTIVE
    flip(bureau, KEY_NUMBER, "active")
    with caplog.at_level(logging.ERROR, logger="sscard.keys"):
        worker.cache.refresh()
        worker.cache.refresh()
    assert worker.reason(old) is Reason.UNKNOWN_KEY
    assert worker.reason(mint(bureau)) is Reason.ACCEPTED
    assert worker.cache.distrusted == {"code_signing.1.1"}
    assert [record.message for record in caplog.records] == [
        '{"event": "key_row_tampered", "key": "code_signing.1.1"}'
    ]


def flip(bureau: Bureau, number: int, state: str) -> None:
    table = schema.issuer_keys
    with bureau.store.write() as tx:
        tx.connection.execute(
            update(table).where(table.c.id == key_name(CODES, ISSUER, number)).values(state=state)
        )


def test_an_old_row_put_back_fits_its_hmac_and_is_refused_all_the_same(worker: Worker) -> None:
    bureau, table = worker.bureau, schema.issuer_keys
    with bureau.store.read() as tx:
        row = tx.connection.execute(table.select().where(table.c.id == "code_signing.1.1")).one()
    text = mint(bureau)
    bureau.decide(
        RevokeIssuerKey(CODES, KEY_NUMBER, RevocationCause.LEAKED),
        bureau.administrator,
        bureau.security,
    )
    worker.cache.refresh()
    assert worker.reason(text) is Reason.KEY_NOT_ACTIVE
    with bureau.store.write() as tx:
        tx.connection.execute(update(table).where(table.c.id == row.id).values(**row._mapping))
    worker.cache.refresh()
    assert worker.reason(text) is Reason.UNKNOWN_KEY
    assert worker.cache.distrusted == {"code_signing.1.1"}


@pytest.fixture
def refreshed(bureau: Bureau) -> Iterator[KeyRingCache]:
    cache = KeyRingCache(bureau.store, bureau.clock)
    with cache.refreshed():
        yield cache


def test_the_background_takes_a_change_up_and_survives_an_error(
    bureau: Bureau, refreshed: KeyRingCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed, back = threading.Event(), threading.Event()
    read = type(bureau.store).read

    def faulty(store: object) -> object:
        if threading.current_thread().name == "key ring" and not back.is_set():
            failed.set()
            raise ZeroDivisionError
        return read(store)  # type: ignore[arg-type]

    before = refreshed.ring()
    monkeypatch.setattr(type(bureau.store), "read", faulty)
    assert failed.wait(WAIT_SECONDS)
    back.set()
    rotate(bureau, 2)
    done = threading.Event()
    for _ in range(WAIT_SECONDS * 20):
        if refreshed.ring() is not before or done.wait(0.05):
            break
    assert refreshed.ring() is not before


def test_a_service_whose_keys_are_stale_is_not_ready_and_scans_nothing(
    service: ScanService, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    code = service.mint()
    seconds = Seconds()
    cache = KeyRingCache(service.bureau.store, service.clock, monotonic=seconds)
    cache.refresh()
    monkeypatch.setattr(service, "key_ring", cache)
    monkeypatch.setattr(cache, "refresh", lambda: None)
    seconds.now += RING_AGE_SECONDS_MAX + 1
    answer = service.scan(service.hospital, code)
    assert (answer.status_code, answer.json()["code"]) == (503, "not_ready")
    assert '"status": 503' in caplog.text
    assert f'"error": "{StoreBusyError.code}"' in caplog.text
    assert service.http.get("/readyz").status_code == 503
    seconds.now -= 2
    assert service.scan(service.hospital, code).json()["outcome"] == "accepted"


def foreign_code(bureau: Bureau, signer: MemorySigner) -> str:
    code = codes.OnlineCode(
        2,
        1,
        bureau.clock(),
        codes.PurposeClass.ANY_USE,
        business_types.ALL_PURPOSES,
        bytes(16),
    ).to_be_signed()
    return codes.assemble(code, signer.sign(code))


def test_another_issuers_keys_are_in_the_ring_for_as_long_as_its_list_holds(
    worker: Worker, caplog: pytest.LogCaptureFixture
) -> None:
    bureau, theirs = worker.bureau, MemorySigner(sm2.PrivateKey.generate())
    text = foreign_code(bureau, theirs)
    assert worker.reason(text) is Reason.UNKNOWN_KEY
    pin(bureau)
    peer = key(purpose=KeyPurpose.PEER)
    take(bureau, document(bureau.clock(), entry(2, keys=(key(theirs), peer)), days=1))
    worker.cache.refresh()
    assert worker.reason(text) is Reason.ACCEPTED
    trusted = worker.cache.trusted()
    assert trusted is not None
    assert [issuer.number for issuer in trusted.issuers] == [2]
    revoked = entry(2, keys=(key(theirs, state=KeyState.REVOKED),))
    take(bureau, document(bureau.clock(), revoked, edition=2, days=1))
    worker.cache.refresh()
    assert worker.reason(text) is Reason.KEY_NOT_ACTIVE
    take(bureau, document(bureau.clock(), entry(2, keys=(key(theirs),)), edition=3, days=1))
    bureau.clock.advance(24 * 3600)
    worker.cache.refresh()
    assert worker.cache.trusted() is None
    assert worker.reason(foreign_code(bureau, theirs)) is Reason.UNKNOWN_KEY
    assert worker.reason(mint(bureau)) is Reason.ACCEPTED
    assert caplog.records == []


@pytest.mark.parametrize("how", ["changed", "put back"])
def test_a_trust_list_changed_by_hand_trusts_nobody_and_is_reported(
    worker: Worker, caplog: pytest.LogCaptureFixture, how: str
) -> None:
    bureau, theirs = worker.bureau, MemorySigner(sm2.PrivateKey.generate())
    pin(bureau)
    take(bureau, document(bureau.clock(), entry(2, keys=(key(theirs),))))
    worker.cache.refresh()
    with bureau.store.read() as tx:
        row = tx.connection.execute(schema.trust.select()).one()._mapping
    take(bureau, document(bureau.clock(), edition=2))
    worker.cache.refresh()
    values = dict(row) if how == "put back" else {"document": row["document"]}
    with bureau.store.write() as tx:
        tx.connection.execute(update(schema.trust).values(**values))
    worker.cache.refresh()
    assert worker.reason(foreign_code(bureau, theirs)) is Reason.UNKNOWN_KEY
    assert worker.cache.distrusted == {"trust"}
    assert "trust" in caplog.text
    assert worker.reason(mint(bureau)) is Reason.ACCEPTED
