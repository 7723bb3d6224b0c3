"""What has outlived its promise goes, a bounded number of rows at a time."""

from datetime import datetime, timedelta

from card_core.store import (
    Transaction,
    answers,
    checkpoints,
    credentials,
    devices,
    holder_exports,
    outbox,
    person_checks,
    printed_codes,
    proofs,
    sessions,
    short_codes,
    status_lists,
)

ANSWERS_KEPT = timedelta(hours=24)
EXPORTS_COUNTED = timedelta(hours=24)
FAILURES_KEPT = timedelta(hours=24)
# Whoever shows one then is told that it is over, and not that it never was.
PRINTED_CODES_KEPT = timedelta(hours=24)
# Of device credentials and status lists, after their day has ended.
OFFLINE_DAYS_KEPT = timedelta(days=2)
# In the database; they are copied out of it and kept there.
CHECKPOINTS_KEPT = timedelta(days=90)
# Once everybody has taken them.
EVENTS_KEPT = timedelta(days=30)


def sweep(tx: Transaction, now: datetime) -> dict[str, int]:
    """Delete old answers, nonces, sessions, checks of people, counted failures, and what was for
    offline scans of days that are over; how many of each went."""
    days_gone = int((now - OFFLINE_DAYS_KEPT).timestamp())
    return {
        "answers": answers.sweep(tx, now - ANSWERS_KEPT),
        "proofs": proofs.sweep(tx, now),
        "person_checks": person_checks.sweep(tx, now),
        "sessions": sessions.sweep(tx, now),
        "short_codes": short_codes.sweep(tx, now),
        "printed_codes": printed_codes.sweep(tx, now - PRINTED_CODES_KEPT),
        "sign_in_attempts": credentials.sweep_attempts(tx, now - FAILURES_KEPT),
        "device_credentials": devices.sweep(tx, days_gone),
        "holder_exports": holder_exports.sweep(tx, now - EXPORTS_COUNTED),
        "outbox": outbox.sweep(tx, now - EVENTS_KEPT),
        "audit_checkpoints": checkpoints.sweep(tx, now - CHECKPOINTS_KEPT),
        "status_lists": status_lists.sweep(tx, days_gone),
    }
