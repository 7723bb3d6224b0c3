"""From an upload to settled records: each code is checked again, as of the time of its scan."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from card_core import business_types
from card_core.business_types import BusinessType, UnknownBusinessTypeError
from card_core.codes import (
    CheckedCode,
    CodeKey,
    CodeKind,
    KeyPurpose,
    KeyRing,
    KeyState,
    RefusedError,
    key_life,
)
from card_core.kernel.acts.offline_scans import RecordOfflineScans, Uploaded
from card_core.offline_checking import check_offline
from card_core.offline_records import OfflineRecord
from card_core.store import issuers
from card_core.store.institutions import Terminal
from card_core.verdicts import Reason
from crypto import sm2
from scan_api.bodies import check_media_type, parse_body
from scan_api.offline_scans.models import OfflineScanRecord, OfflineScanUpload, SettledRecords
from scan_api.services import Services
from scan_api.signed_requests import WINDOW_SECONDS, SignedRequest
from scan_api.terminals.authentication import Caller

_AHEAD_MAX = timedelta(seconds=WINDOW_SECONDS)
_PURPOSES = {
    CodeKind.ONLINE: KeyPurpose.CODE_SIGNING,
    CodeKind.OFFLINE: KeyPurpose.DEVICE_CREDENTIAL,
}


def settle(services: Services, signed: SignedRequest, content_type: str) -> bytes:
    """Return what became of each record as JSON. Raises: ProblemError, KernelError, StoreError."""
    now = services.clock()
    caller = services.authentication.authenticate(signed, now)
    proof = caller.require_signature()
    check_media_type(content_type)
    upload = parse_body(OfflineScanUpload, signed.body)
    check = _Check(services, caller, now)
    act = RecordOfflineScans(check.uploaded(upload.records))
    answer = services.kernel.perform(
        act, actor=caller.actor, request_id=upload.request_id, proof=proof
    )
    return SettledRecords(**answer).model_dump_json().encode()


class _Check:
    """Steps 1 to 6 with the keys as they were: what is revoked now is flagged, not forgotten."""

    def __init__(self, services: Services, caller: Caller, now: datetime) -> None:
        self._services, self._caller, self._now = services, caller, now
        with services.store.read() as tx:
            own = issuers.sound_keys(tx).keys
        trusted = services.peers.trusted()
        self._keys = [*own, *(trusted.code_keys(now) if trusted else ())]
        self._ring = _ring_of(tuple(_believed(self._keys)))

    def uploaded(self, sent: Sequence[OfflineScanRecord]) -> tuple[Uploaded, ...]:
        records = [self._record(one) for one in sent]
        signatures = [bytes.fromhex(one.signature) for one in sent]
        genuine = _genuine(self._caller.terminal, records, signatures)
        return tuple(map(self._one, records, signatures, genuine))

    def _record(self, sent: OfflineScanRecord) -> OfflineRecord:
        return OfflineRecord(
            terminal=self._caller.terminal.serial_number,
            sequence=sent.sequence,
            scanned_at=datetime.fromtimestamp(sent.scanned_at, UTC),
            business_type=sent.business_type,
            amount_fen=sent.amount_fen,
            request_id=sent.request_id,
            code=sent.code,
        )

    def _one(self, record: OfflineRecord, signature: bytes, is_genuine: bool) -> Uploaded:
        uploaded = Uploaded(
            request_id=record.request_id,
            sequence=record.sequence,
            scanned_at=record.scanned_at,
            business_type=record.business_type,
            amount_fen=record.amount_fen,
            code_digest=record.code_digest(),
            signature=signature,
            is_genuine=is_genuine,
        )
        return self._judged(uploaded, record) if is_genuine else uploaded

    def _judged(self, uploaded: Uploaded, record: OfflineRecord) -> Uploaded:
        try:
            checked = self._checked(record)
        except RefusedError as refused:
            return replace(uploaded, refusal=refused.reason)
        state = self._key_state(checked, record.scanned_at)
        if state is KeyState.PENDING:
            return replace(uploaded, refusal=Reason.KEY_NOT_ACTIVE)
        is_ours = checked.issuer == self._services.peers.issuer
        presented = self._services.presenter.present(checked) if is_ours else None
        return replace(
            uploaded,
            checked=checked,
            presented=presented,
            key_revoked=state is KeyState.REVOKED,
        )

    def _checked(self, record: OfflineRecord) -> CheckedCode:
        """Raises RefusedError."""
        if record.scanned_at > self._now + _AHEAD_MAX:
            raise RefusedError(Reason.NOT_YET_VALID)
        return check_offline(
            record.code,
            keys=self._ring,
            now=record.scanned_at,
            business_type=_business_type(self._caller, record.business_type),
            terminal=record.terminal,
            amount_fen=record.amount_fen,
        )

    def _key_state(self, checked: CheckedCode, at: datetime) -> KeyState:
        named = (checked.issuer, _PURPOSES[checked.kind], checked.key_number)
        for key in self._keys:
            if (key.issuer, key.purpose, key.number) == named:
                return key_life.at(key, at).state
        return KeyState.REVOKED


def _business_type(caller: Caller, code: str) -> BusinessType:
    try:
        found = business_types.get(code)
    except UnknownBusinessTypeError:
        raise RefusedError(Reason.PURPOSE_MISMATCH) from None
    if not caller.institution.may_scan_for(found):
        raise RefusedError(Reason.PURPOSE_MISMATCH)
    return found


@lru_cache(maxsize=1)
def _ring_of(keys: tuple[CodeKey, ...]) -> KeyRing:
    """Each key costs a millisecond or two, and a quarter of a mebibyte: once while all stay."""
    return KeyRing(keys)


def _believed(keys: Iterable[CodeKey]) -> list[CodeKey]:
    """With those that are revoked, which are flagged afterwards."""
    return [
        replace(key, state=KeyState.VERIFY_ONLY) if key.state is KeyState.REVOKED else key
        for key in keys
    ]


def _genuine(
    terminal: Terminal, records: Sequence[OfflineRecord], signatures: Sequence[bytes]
) -> list[bool]:
    """Which are signed by the terminal: under its key in use, or the one before it, which may have
    ended since the scan. All at once: of 64 each costs a third of what it does alone."""
    genuine = [False] * len(records)
    for key in (terminal.public_key, terminal.previous_key):
        waiting = [at for at, is_good in enumerate(genuine) if not is_good]
        if key is None or not waiting:
            continue
        public_key = sm2.PublicKey.from_bytes(key)
        answers = sm2.verify_batch(
            [(public_key, signatures[at], records[at].to_be_signed()) for at in waiting]
        )
        for at, error in zip(waiting, answers, strict=True):
            genuine[at] = error is None
    return genuine
