"""The bureau as an issuer (发卡机构), its card numbers, and the issuer keys that are trusted."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, Select, select

from card_core.codes import CodeKey, KeyPurpose, KeyState, key_name
from card_core.errors import NotFoundError, TamperedRowError
from card_core.store import guarded, stock_cards
from card_core.store.database import Lock, Reader, Transaction
from card_core.store.schema import issuer_keys, issuers
from crypto import sm2

CARD_SERIAL_MAX = 9_999_999


class CardNumbersUsedUpError(NotFoundError):
    """The issuer's two letters have no numbers left; another issuer number is needed."""

    code = "card_numbers_used_up"

    def __init__(self) -> None:
        super().__init__("card number")


@dataclass(frozen=True, slots=True)
class Issuer:
    """number: 1 to 65535. card_letters: two capitals. next_card_serial: 1 to 10000000.

    is_sandbox: founded for tests alone; fixed with the number, and never changed.
    """

    number: int
    card_letters: str
    name: str
    next_card_serial: int
    is_sandbox: bool

    def card_number(self, serial: int) -> str:
        """The issuer's letters and seven digits."""
        return f"{self.card_letters}{serial:07d}"

    def has_allocated(self, card_number: str) -> bool:
        """Whether this is one of the numbers that were taken for batches, made or not."""
        letters, digits = card_number[:2], card_number[2:]
        is_own = letters == self.card_letters and len(digits) == 7 and digits.isdecimal()
        return is_own and int(digits) < self.next_card_serial


def own(tx: Reader) -> Issuer | None:
    """The issuer that this bureau is; None before it is set up."""
    row = guarded.first(tx, issuers, select(issuers))
    if row is None:
        return None
    return Issuer(
        int(row.id), row.card_letters, row.name, row.next_card_serial, row.sandbox is not None
    )


def add(
    tx: Transaction, number: int, card_letters: str, name: str, *, is_sandbox: bool = False
) -> None:
    guarded.add(
        tx,
        issuers,
        {
            "id": str(number),
            "card_letters": card_letters,
            "name": name,
            "next_card_serial": 1,
            "sandbox": 1 if is_sandbox else None,
        },
    )


def required(tx: Reader) -> Issuer:
    """The issuer that this bureau is. Raises NotFoundError before it is set up."""
    issuer = own(tx)
    if issuer is None:
        raise NotFoundError("issuer")
    return issuer


def take_card_serials(tx: Transaction, count: int) -> int:
    """Allocate the next `count` card numbers (卡号) and return the first one's serial.

    They are taken in this transaction, under a lock that it keeps: numbers follow each other
    with no gap but for those that cards from before this service have, and a transaction that
    fails gives its numbers back.
    Raises NotFoundError before the issuer is set up, CardNumbersUsedUpError at the end of
    the range.
    """
    tx.lock("issuers", Lock.OWN)
    issuer = required(tx)
    first = issuer.next_card_serial
    while True:
        if first + count - 1 > CARD_SERIAL_MAX:
            raise CardNumbersUsedUpError
        last = issuer.card_number(first + count - 1)
        held = stock_cards.last_number_held(tx, issuer.card_number(first), last)
        if held is None:
            break
        first = int(held[len(issuer.card_letters) :]) + 1
    guarded.change(tx, issuers, str(issuer.number), next_card_serial=first + count)
    return first


def lock_card_numbers(tx: Transaction) -> None:
    """Nobody takes new card numbers until this transaction ends."""
    tx.lock("issuers", Lock.SHARED)


@dataclass(frozen=True, slots=True)
class StoredKeys:
    """keys: those whose rows are sound. tampered: the names of those that nobody may rely on.

    versions: of every sound row, by the key's name; a row's version only grows.
    """

    keys: tuple[CodeKey, ...]
    tampered: tuple[str, ...]
    versions: Mapping[str, int]


def keys(tx: Reader) -> list[CodeKey]:
    """All issuer keys, of every purpose and state; what a KeyRing is made of.

    Raises TamperedRowError.
    """
    return [_key(row) for row in guarded.rows(tx, issuer_keys, _all_keys())]


def sound_keys(
    tx: Reader, *, issuer: int | None = None, purpose: KeyPurpose | None = None
) -> StoredKeys:
    """As `keys`, but one row that was tampered with doesn't take the others out of service.

    issuer, purpose: of these alone.
    """
    statement = _all_keys()
    if issuer is not None:
        statement = statement.where(issuer_keys.c.issuer == issuer)
    if purpose is not None:
        statement = statement.where(issuer_keys.c.purpose == purpose.value)
    sound, tampered, versions = [], [], {}
    for row in tx.connection.execute(statement).all():
        try:
            key = _key(guarded.check(tx, issuer_keys, row))
        except TamperedRowError as error:
            tampered.append(error.row_id)
        else:
            sound.append(key)
            versions[key.name] = row.version
    return StoredKeys(tuple(sound), tuple(tampered), versions)


def keys_of(tx: Reader, issuer: int, purpose: KeyPurpose) -> list[CodeKey]:
    """An issuer's keys of one purpose, by number. Raises TamperedRowError."""
    statement = (
        select(issuer_keys)
        .where(issuer_keys.c.issuer == issuer, issuer_keys.c.purpose == purpose.value)
        .order_by(issuer_keys.c.number)
    )
    return [_key(row) for row in guarded.rows(tx, issuer_keys, statement)]


def get_key(tx: Reader, issuer: int, number: int, purpose: KeyPurpose) -> CodeKey | None:
    row = guarded.get(tx, issuer_keys, key_name(purpose, issuer, number))
    return None if row is None else _key(row)


def lock_keys(tx: Transaction) -> None:
    """Of acts on issuer keys one goes on at a time: each looks at more keys than its own."""
    tx.lock("issuer_keys", Lock.OWN)


def add_key(tx: Transaction, key: CodeKey) -> None:
    guarded.add(
        tx,
        issuer_keys,
        {
            "id": key.name,
            "issuer": key.issuer,
            "number": key.number,
            "purpose": key.purpose.value,
            "public_key": key.public_key.to_bytes(compressed=True),
            "state": key.state.value,
            "signs_from": key.signs_from,
            "signs_until": key.signs_until,
        },
    )


def change_key(tx: Transaction, key: CodeKey) -> None:
    """Write a key's state and times as they are in `key`; the rest of a key never changes."""
    guarded.change(
        tx,
        issuer_keys,
        key.name,
        state=key.state.value,
        signs_from=key.signs_from,
        signs_until=key.signs_until,
    )


def _all_keys() -> Select[Any]:
    return select(issuer_keys).order_by(issuer_keys.c.id)


def _key(row: Row[Any]) -> CodeKey:
    return CodeKey(
        row.issuer,
        row.number,
        sm2.PublicKey.from_bytes(row.public_key),
        KeyState(row.state),
        KeyPurpose(row.purpose),
        row.signs_from,
        row.signs_until,
    )
