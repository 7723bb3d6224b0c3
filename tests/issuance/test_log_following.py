"""Following the audit log: what fails is told once, and following goes on."""

import logging
from typing import Any

import pytest
from sqlalchemy import select, update

from card_core.store import audit, schema
from issuance.cli.log_following import LogFollower
from issuance.installation import Installation

HEADS = schema.audit_heads


def put_head(site: Installation, **columns: Any) -> None:
    with site.store.write() as tx:
        ours = HEADS.c.chain == audit.FOLLOWED
        tx.connection.execute(update(HEADS).where(ours).values(columns))


def test_a_log_with_a_false_head_is_told_once_and_followed_again_when_it_is_whole(
    site: Installation, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, logger="sscard.integrity")
    with site.store.read() as tx:
        statement = select(HEADS.c.seq).where(HEADS.c.chain == audit.FOLLOWED)
        last: int = tx.connection.execute(statement).scalar_one()
    follower = LogFollower(site.store)
    follower.round()
    assert (caplog.text, site.store.integrity.tampered_rows()) == ("", 0)
    put_head(site, seq=last - 1)
    follower.round()
    follower.round()
    assert caplog.text.count('{"event": "log_not_followed", "error": "audit_chain_broken"}') == 1
    assert site.store.integrity.tampered_rows() == 1
    put_head(site, seq=last)
    follower.round()
    assert site.store.integrity.tampered_rows() == 0
    put_head(site, seq=last - 1)
    follower.round()
    assert caplog.text.count("log_not_followed") == 2
