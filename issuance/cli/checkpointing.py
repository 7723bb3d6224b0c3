"""What a serving process does for the audit log: it signs checkpoints and copies them out."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from card_core.checkpointing import EVERY_SECONDS, Checkpointer
from card_core.signing import SigningKeys
from issuance import checkpoint_file
from issuance.installation import Installation, random_bytes, utc_now
from scan_api.clock_watch import ClockWatch
from scan_api.repeating import repeated

_log = logging.getLogger("sscard.audit")


@contextmanager
def checkpointing(site: Installation, clock: ClockWatch) -> Iterator[None]:
    """Sign a checkpoint at once and then every EVERY_SECONDS; what fails is logged and tried again.

    Each process that does so copies all of them to its own file, whoever signed them.
    """
    checkpointer = Checkpointer(
        site.kernel,
        SigningKeys(site.store, site.keys, issuer=site.facts.issuer, clock=utc_now),
        clock=clock.now,
        random_bytes=random_bytes,
    )

    def work() -> None:
        try:
            checkpointer.round()
        finally:
            checkpoint_file.bring_up_to_date(site.checkpoint_file, site.store)

    with repeated(
        work,
        every_seconds=EVERY_SECONDS,
        name="checkpoints",
        failure="checkpoint_failed",
        log=_log,
        at_once=True,
    ):
        yield
