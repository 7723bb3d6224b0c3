"""Checking a code with no network: the same steps 1 to 6, the carried list, and the own memory.

1 this terminal can judge at all: its clock was not set back, what it carries is not too old, and it
may scan for the business type · 2 steps 1 to 6 (card_core.offline_checking) · 3 an offline code's
state in the list of its day · 4 not seen here, within the caps, remembered and signed: on disk
before it is said. The first failure is the reason.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, NoReturn

from card_core.bundles import Bundle, OfflinePolicy
from card_core.business_types import BusinessType, Purpose
from card_core.codes import CheckedCode, CodeKind, KeyRing, RefusedError
from card_core.codes.short_text import is_short_code
from card_core.offline_checking import check_offline
from card_core.offline_records import OfflineRecord
from card_core.presented import Medium
from card_core.status_list import Age, CredentialState, HeldList, InvalidListError
from card_core.store.terminal_journal import CapReachedError, Journal, Seen, SeenBeforeError
from card_core.verdicts import Reason
from scan_api.code_parts import code_name
from scan_api.terminal.carried import Carried
from scan_api.terminal.offline_verdict import OfflineReason, Standing, accepted, refused
from scan_api.terminal.service_clock import ServiceClock

_REASON_BY_STATE = {
    CredentialState.SUSPENDED: Reason.CARD_LOST,
    CredentialState.CANCELLED: Reason.CARD_CANCELLED,
    CredentialState.WITHDRAWN: Reason.CREDENTIAL_WITHDRAWN,
}
_MEDIUM = {CodeKind.ONLINE: Medium.ONLINE_CODE, CodeKind.OFFLINE: Medium.OFFLINE_CODE}


@dataclass(frozen=True, slots=True, repr=False)
class Asked:
    """One scan at the counter."""

    code: str
    business_type: str
    request_id: str
    amount_fen: int | None = None


class _NoError(Exception):
    """A refusal on its way out; `reason` says why."""

    def __init__(self, reason: Reason | OfflineReason, held: HeldList | None = None) -> None:
        self.reason, self.held = reason, held
        super().__init__(reason.value)


class OfflineDesk:
    """Judges by itself; safe in many threads. serial_number: the terminal's, 8 bytes."""

    def __init__(
        self, serial_number: bytes, carried: Carried, journal: Journal, clock: ServiceClock
    ) -> None:
        self._serial_number = serial_number
        self.carried, self.journal, self.clock = carried, journal, clock

    def judge(self, asked: Asked) -> dict[str, Any]:
        """A verdict as the service's, with `offline` and its ages. Raises: sqlite3.Error, OSError:
        what could not be written down was not accepted."""
        now = self.clock.now().replace(microsecond=0)
        try:
            return self._accept(asked, now)
        except _NoError as no:
            standing = self.standing(now, no.held)
            return refused(no.reason, now, standing, code=asked.code)

    def standing(self, now: datetime, held: HeldList | None = None) -> Standing:
        bundle = self.carried.view.bundle
        is_stale = bundle is None or now > bundle.head.fresh_until
        if held is not None and held.age(now) is not Age.FRESH:
            is_stale = True
        return Standing(
            bundle_age_seconds=None if bundle is None else _age(bundle.head.issued_at, now),
            list_age_seconds=None if held is None else _age(held.head.issued_at, now),
            is_stale=is_stale,
            clock_offset_seconds=self.clock.offset_seconds,
            set_back_seconds=self.clock.set_back_seconds,
        )

    def _accept(self, asked: Asked, now: datetime) -> dict[str, Any]:
        # 1 this terminal
        bundle, ring = self._carried_now(now)
        business_type = self._business_type(bundle, asked)
        policy = _policy(bundle, business_type, asked.amount_fen)
        if is_short_code(asked.code):
            raise _NoError(OfflineReason.NEEDS_NETWORK)
        before = self.journal.find(asked.request_id)
        # 2 steps 1 to 6; a retry is judged at its first time
        at = now if before is None else before.record.scanned_at
        checked = self._checked(asked, ring, business_type, at)
        if policy is not None and checked.issuer != bundle.head.issuer:
            # The caps are our issuer's word; another one has given none for its holders.
            raise _NoError(Reason.OFFLINE_NOT_ALLOWED)
        # 3 the list of the credential's day
        held = self._list_of(checked, now)
        if before is not None:
            self._check_same(asked, before.record, held)
        else:
            # 4 not seen here
            self._remember(asked, checked, policy, now, held)
        return accepted(
            at,
            _MEDIUM[checked.kind].value,
            checked.presence.name.lower(),
            checked.for_whom.name.lower(),
            self.standing(now, held),
        )

    def _carried_now(self, now: datetime) -> tuple[Bundle, KeyRing]:
        if self.clock.is_set_back:
            raise _NoError(OfflineReason.CLOCK_SET_BACK)
        bundle = self.carried.view.bundle
        if bundle is None:
            raise _NoError(OfflineReason.NOTHING_CARRIED)
        if now > bundle.head.usable_until:
            raise _NoError(OfflineReason.BUNDLE_EXPIRED)
        return bundle, self.carried.ring(now)

    def _business_type(self, bundle: Bundle, asked: Asked) -> BusinessType:
        """One that the service offered to this terminal, as the bundle has it."""
        described = self.carried.view.terminal or {}
        offered = {one["code"] for one in described.get("business_types", [])}
        for one in bundle.content.business_types:
            if one.code == asked.business_type and one.code in offered:
                return one
        raise _NoError(OfflineReason.BUSINESS_TYPE_NOT_HERE)

    def _checked(
        self, asked: Asked, ring: KeyRing, business_type: BusinessType, at: datetime
    ) -> CheckedCode:
        try:
            return check_offline(
                asked.code,
                keys=ring,
                now=at,
                business_type=business_type,
                terminal=self._serial_number,
                amount_fen=asked.amount_fen,
            )
        except RefusedError as refusal:
            raise _NoError(refusal.reason) from None

    def _list_of(self, checked: CheckedCode, now: datetime) -> HeldList | None:
        """The list that lets an offline code pass; an online code has none."""
        if checked.credential_expires_at is None or checked.status_index is None:
            return None
        name = (checked.issuer, checked.credential_expires_at)
        held = self.carried.list_at(name, now)
        if held is None:
            raise _NoError(OfflineReason.LIST_MISSING)
        if held.age(now) is Age.EXPIRED:
            raise _NoError(OfflineReason.LIST_EXPIRED, held)
        try:
            state = held.state(checked.status_index)
        except InvalidListError:
            raise _NoError(Reason.UNKNOWN_CARD, held) from None
        if state is not CredentialState.GOOD:
            raise _NoError(_REASON_BY_STATE[state], held)
        return held

    def _remember(
        self,
        asked: Asked,
        checked: CheckedCode,
        policy: OfflinePolicy | None,
        now: datetime,
        held: HeldList | None,
    ) -> None:
        def make(sequence: int) -> OfflineRecord:
            return OfflineRecord(
                terminal=self._serial_number,
                sequence=sequence,
                scanned_at=now,
                business_type=asked.business_type,
                amount_fen=asked.amount_fen,
                request_id=asked.request_id,
                code=asked.code,
            )

        try:
            self.journal.accept(
                code_name(asked.code), make=make, credential=checked.device_key, policy=policy
            )
        except SeenBeforeError as before:
            _refuse_seen(before.seen, held)
        except CapReachedError:
            raise _NoError(OfflineReason.OFFLINE_LIMIT_REACHED, held) from None

    def _check_same(self, asked: Asked, before: OfflineRecord, held: HeldList | None) -> None:
        """The same request id with something else is no retry."""
        sent = (asked.code, asked.business_type, asked.amount_fen)
        if sent != (before.code, before.business_type, before.amount_fen):
            raise _NoError(Reason.ALREADY_USED, held)


def _refuse_seen(seen: Seen, held: HeldList | None) -> NoReturn:
    in_doubt = seen is Seen.IN_DOUBT
    raise _NoError(OfflineReason.OUTCOME_UNKNOWN if in_doubt else Reason.ALREADY_USED, held)


def _policy(
    bundle: Bundle, business_type: BusinessType, amount_fen: int | None
) -> OfflinePolicy | None:
    """The caps of a scan that consumes; None for one that identifies."""
    if not business_type.consumes:
        return None
    if not bundle.content.policy.consumes:
        raise _NoError(Reason.OFFLINE_NOT_ALLOWED)
    # Money that is not named would pass under any cap; dispensing need not move any.
    if not amount_fen and business_type.purpose is not Purpose.DISPENSE:
        raise _NoError(OfflineReason.AMOUNT_NEEDED)
    return bundle.content.policy


def _age(issued_at: datetime, now: datetime) -> int:
    return max(0, int((now - issued_at).total_seconds()))
