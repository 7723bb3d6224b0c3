"""Checkpoints show a log that was rewritten, also by somebody who has every key of the database."""

import json
import random
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from bureau import SYSTEM, Bureau
from falsifying import WAYS, repeat
from phone import publisher_of, status_signer, with_offline_keys
from sqlalchemy import delete, insert, select, update

from card_core import checkpoint
from card_core.bundles import open_bundle
from card_core.checkpoint import Checkpoint, CheckpointRefusedError, Head
from card_core.checkpointing import Checkpointer
from card_core.codes import KeyPurpose
from card_core.errors import (
    AlreadyExistsError,
    AuditChainError,
    AuditRewrittenError,
    InvalidActError,
)
from card_core.kernel.acts.cards import ReportTemporaryLoss, WithdrawTemporaryLoss
from card_core.kernel.acts.checkpoints import KeepCheckpoint
from card_core.kernel.acts.issuer_keys import RevocationCause, RevokeIssuerKey
from card_core.kernel.acts.status import is_bundle_due
from card_core.store import Transaction, audit, bundles, checkpoints, issuers
from card_core.store.schema import audit_checkpoints, audit_events, audit_heads
from issuance import checkpoint_file
from issuance.errors import FileRefusedError

CHAIN = "bureau"
Rows = list[dict[str, Any]]
Signed = dict[int, list[bytes]]


def checkpointer_of(bureau: Bureau) -> Checkpointer:
    return Checkpointer(
        bureau.kernel,
        with_offline_keys(bureau),
        clock=bureau.clock,
        random_bytes=bureau.kernel.random_bytes,
    )


def head(bureau: Bureau, chain: str = CHAIN) -> Head:
    with bureau.store.read() as tx:
        return Head(*audit.head(tx, chain))


def latest(bureau: Bureau) -> Checkpoint:
    """The last checkpoint, verified with the issuer's status key alone."""
    with bureau.store.read() as tx:
        kept = checkpoints.latest(tx)
    assert kept is not None
    return checkpoint.verify(kept.content, kept.signature, status_signer(bureau).public_key)


def in_file(path: Path, bureau: Bureau) -> Signed:
    """What the file says of the chain, by the number of the event."""
    key = status_signer(bureau).public_key
    found = [checkpoint.verify(*one, key).heads[CHAIN] for one in checkpoint_file.read_all(path)]
    return {one.seq: [one.link] for one in found}


def chained_anew(tx: Transaction, rows: Rows) -> Rows:
    """Numbers and links as they should be: what somebody does who has the audit key, too."""
    link, out = audit.FIRST_LINK, []
    for seq, row in enumerate(sorted(rows, key=lambda one: int(one["seq"])), 1):
        event = audit.Event(*(row[name] for name in audit.Event.__slots__))
        link = audit._link(tx, link, CHAIN, seq, event)
        out.append({**row, "seq": seq, "link": link})
    return out


def put(tx: Transaction, rows: Rows) -> None:
    """These events for the chain's, under a head that fits them."""
    tx.connection.execute(delete(audit_events).where(audit_events.c.chain == CHAIN))
    if rows:
        tx.connection.execute(insert(audit_events), rows)
    seq, link = (rows[-1]["seq"], rows[-1]["link"]) if rows else (0, audit.FIRST_LINK)
    mac = tx.cipher.audit_head_mac(CHAIN, seq, link)
    new = {"seq": seq, "link": link, "mac": mac}
    tx.connection.execute(update(audit_heads).where(audit_heads.c.chain == CHAIN).values(new))


@pytest.mark.parametrize("rounds", [44, pytest.param(1000, marks=pytest.mark.long)])
def test_a_chain_that_was_recomputed_with_the_key_is_seen(
    bureau: Bureau, tmp_path: Path, rounds: int
) -> None:
    person, checkpointer, path = bureau.person(), checkpointer_of(bureau), tmp_path / "log"
    for act in (ReportTemporaryLoss, WithdrawTemporaryLoss, ReportTemporaryLoss):
        bureau.perform(act(person.card_id), person.actor)
        assert checkpointer.round()
    assert checkpoint_file.bring_up_to_date(path, bureau.store) == 3
    signed = in_file(path, bureau)
    rng, tried = random.Random(7), Counter[str]()
    # An event more at the end is what anybody adds who has the keys; no checkpoint is about it.
    ways = [way for way in WAYS if way is not repeat]
    with bureau.store.write() as tx:
        found = tx.connection.execute(
            select(audit_events).where(audit_events.c.chain == CHAIN).order_by(audit_events.c.seq)
        )
        before = [dict(row._mapping) for row in found]
        assert audit.verify_chain(tx, CHAIN, signed) == len(before)
        # What comes behind the last checkpoint is not under it yet.
        covered = max(signed)
        for number in range(rounds):
            way = ways[number % len(ways)]
            falsified = chained_anew(tx, way([dict(row) for row in before[:covered]], rng))
            if falsified == before[:covered]:
                continue  # a link alone was edited, and is right again
            put(tx, falsified)
            # The chain itself holds: nothing in the database shows it.
            assert audit.verify_chain(tx, CHAIN) == len(falsified)
            with pytest.raises(AuditRewrittenError):
                audit.verify_chain(tx, CHAIN, signed)
            tried[way.__name__] += 1
        put(tx, before)
        assert audit.verify_chain(tx, CHAIN, signed) == len(before)
    assert set(tried) == {way.__name__ for way in ways}
    assert sum(tried.values()) > rounds * 0.9


def test_a_cut_tail_and_an_older_database_are_seen(bureau: Bureau, tmp_path: Path) -> None:
    old = head(bureau)
    assert checkpointer_of(bureau).round()
    path = tmp_path / "log"
    checkpoint_file.bring_up_to_date(path, bureau.store)
    with bureau.store.write() as tx:
        tx.connection.execute(delete(audit_events).where(audit_events.c.seq > old.seq))
        new = {"seq": old.seq, "link": old.link}
        mac = tx.cipher.audit_head_mac(CHAIN, old.seq, old.link)
        tx.connection.execute(
            update(audit_heads).where(audit_heads.c.chain == CHAIN).values(**new, mac=mac)
        )
        assert audit.verify_chain(tx, CHAIN) == old.seq
        with pytest.raises(AuditRewrittenError):
            audit.verify_chain(tx, CHAIN, in_file(path, bureau))


def test_without_the_key_a_change_behind_the_last_checkpoint_is_seen_too(bureau: Bureau) -> None:
    assert checkpointer_of(bureau).round()
    last = head(bureau)
    with bureau.store.write() as tx:
        tx.connection.execute(
            update(audit_events)
            .where(audit_events.c.chain == CHAIN, audit_events.c.seq == last.seq)
            .values(subject="checkpoint/9")
        )
        with pytest.raises(AuditChainError):
            audit.verify_chain(tx, CHAIN)


def test_a_checkpoint_says_where_the_chains_stood_and_comes_when_they_moved(
    bureau: Bureau,
) -> None:
    checkpointer, person = checkpointer_of(bureau), bureau.person()
    before = {chain: head(bureau, chain) for chain in audit.CHAINS}
    assert checkpointer.round()
    first = latest(bureau)
    assert (first.number, first.issuer, dict(first.heads)) == (1, bureau.issuer, before)
    # Its own event moves the log, and is no reason for another one.
    assert not checkpointer.round()
    bureau.scan(bureau.minter.mint(person.holder_id).text)
    assert checkpointer.round()
    assert latest(bureau).number == 2
    assert latest(bureau).heads["scan"] == head(bureau, "scan")


def signed(bureau: Bureau, **more: Any) -> KeepCheckpoint:
    heads = {CHAIN: head(bureau)}
    usual: dict[str, Any] = {"issuer": bureau.issuer, "key_number": 1, "number": 1, "heads": heads}
    content = Checkpoint(at=bureau.clock(), **usual | more).to_bytes()
    signature = status_signer(bureau).sign(checkpoint.to_be_signed(content))
    return KeepCheckpoint(content, signature)


def test_only_true_checkpoints_are_kept(bureau: Bureau) -> None:
    with_offline_keys(bureau)
    good, at = signed(bureau), head(bureau)
    others = [
        KeepCheckpoint(good.content, bytes(64)),
        KeepCheckpoint(good.content[:-1] + b" }", good.signature),
        signed(bureau, issuer=bureau.issuer + 1),
        signed(bureau, key_number=2),
        signed(bureau, heads={CHAIN: Head(at.seq, bytes([1]) * 32)}),
        signed(bureau, heads={CHAIN: Head(at.seq + 1, at.link)}),
        signed(bureau, heads={"other": at}),
    ]
    for act in others:
        with pytest.raises(InvalidActError):
            bureau.perform(act, SYSTEM)
    with pytest.raises(AlreadyExistsError):
        bureau.perform(signed(bureau, number=2), SYSTEM)
    assert bureau.perform(good, SYSTEM) == {"checkpoint_number": 1}
    with pytest.raises(AlreadyExistsError):
        bureau.perform(good, SYSTEM)
    revoke = RevokeIssuerKey(KeyPurpose.STATUS, 1, RevocationCause.LEAKED)
    bureau.decide(revoke, bureau.administrator)
    with pytest.raises(InvalidActError):
        bureau.perform(signed(bureau, number=2), SYSTEM)


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{}",
        b"[]",
        b'{"checkpoint":"AA","signature":"AA=="}',
        b'{"checkpoint":"","signature":"","more":""}',
        b"{" * 4000,
        b" " * (checkpoint.TEXT_BYTES_MAX + 1),
    ],
)
def test_what_is_no_checkpoint_is_refused(text: bytes) -> None:
    with pytest.raises(CheckpointRefusedError):
        checkpoint.read(text)


@pytest.mark.parametrize(
    "change",
    [
        {"issuer": 0},
        {"key_number": 256},
        {"number": 0},
        {"number": True},
        {"at": -1},
        {"at": 2**60},
        {"heads": {"Bureau": [0, "00" * 32]}},
        {"heads": {"bureau": [0, "01" * 32]}},
        {"heads": {"bureau": [1, "00" * 32]}},
        {"heads": {"bureau": [1, "01" * 31]}},
        {"heads": {f"chain{n}": [0, "00" * 32] for n in range(9)}},
        {"heads": [1]},
        {"more": 1},
    ],
)
def test_a_checkpoint_that_this_program_would_not_write_is_refused(
    bureau: Bureau, change: dict[str, Any]
) -> None:
    content = json.loads(signed(bureau).content) | change
    with pytest.raises(CheckpointRefusedError):
        Checkpoint.parse(json.dumps(content, sort_keys=True, separators=(",", ":")).encode())


def test_the_file_catches_up_and_mends_a_line_that_was_cut(bureau: Bureau, tmp_path: Path) -> None:
    checkpointer, person = checkpointer_of(bureau), bureau.person()
    path = tmp_path / "elsewhere" / "checkpoints.jsonl"
    assert checkpoint_file.bring_up_to_date(path, bureau.store) == 0
    for number, act in enumerate((ReportTemporaryLoss, WithdrawTemporaryLoss), 1):
        bureau.perform(act(person.card_id), person.actor)
        checkpointer.round()
        assert checkpoint_file.bring_up_to_date(path, bureau.store) == 1
        assert len(list(checkpoint_file.read_all(path))) == number
    whole = path.read_bytes()
    # A power failure in the middle of the last line.
    path.write_bytes(whole[:-7])
    assert len(list(checkpoint_file.read_all(path))) == 1
    assert checkpoint_file.bring_up_to_date(path, bureau.store) == 1
    assert path.read_bytes() == whole
    # A line in the middle that was changed is no checkpoint any more; nothing passes over it.
    path.write_bytes(b"x" + whole)
    with pytest.raises(FileRefusedError):
        list(checkpoint_file.read_all(path))
    path.write_bytes(b"somebody's notes\n")
    with pytest.raises(FileRefusedError):
        checkpoint_file.bring_up_to_date(path, bureau.store)
    assert path.read_bytes() == b"somebody's notes\n"


def test_a_bundle_carries_the_heads_and_is_not_issued_anew_for_them(bureau: Bureau) -> None:
    publisher = publisher_of(bureau)
    publisher.round()
    with bureau.store.read() as tx:
        version = bundles.published(tx, bureau.issuer)
        keys = issuers.keys(tx)
    assert version is not None
    assert version.signature is not None
    data = version.to_be_signed.removeprefix(b"sscard/bundle/v1\n") + version.signature
    heads = open_bundle(data, keys=keys).content.audit_heads
    with bureau.store.read() as tx:
        assert set(heads) == set(audit.CHAINS)
        assert audit.holds(tx, CHAIN, heads[CHAIN])
        assert not audit.holds(tx, CHAIN, Head(heads[CHAIN].seq, bytes([1]) * 32))
    person = bureau.person()
    bureau.perform(ReportTemporaryLoss(person.card_id), person.actor)
    with bureau.store.read() as tx:
        assert not is_bundle_due(tx, version, version.content, bureau.clock())
    assert head(bureau).seq > heads[CHAIN].seq


def test_old_checkpoints_are_swept_and_the_last_one_stays(bureau: Bureau) -> None:
    checkpointer, person = checkpointer_of(bureau), bureau.person()
    for act in (ReportTemporaryLoss, WithdrawTemporaryLoss):
        bureau.perform(act(person.card_id), person.actor)
        checkpointer.round()
        bureau.clock.advance(91 * 86_400)
    assert bureau.kernel.sweep()["audit_checkpoints"] == 1
    with bureau.store.read() as tx:
        numbers = tx.connection.execute(select(audit_checkpoints.c.number)).scalars().all()
    assert numbers == [2]
    bureau.perform(ReportTemporaryLoss(person.card_id), person.actor)
    assert checkpointer.round()
    assert latest(bureau).number == 3
