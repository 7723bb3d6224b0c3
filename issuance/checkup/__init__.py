"""What `sscard doctor` looks at: is everything here fit to serve, and what is slow?

    machine      cryptography, random source, clock, disk, limits
    home         the home, its key files, the passphrase file, a signature
    database     structure, what a commit is worth, distance, clock, room for workers, partitions
    fast_store   the Redis servers, as a worker sees them
    records      what only the keys open: issuers' keys, the trust list, operators, status lists
    person_check who checks people online, and that it is nobody's simulation
    service      the numbers of a running service, where it is told their port

Each check returns findings and leaves nothing behind. No passphrase is asked for: with
SSCARD_KEY_PASSPHRASE_FILE the keys are opened and a signature is made, without it their files are
looked at from outside. A finding that is not `well` says in both languages what to do.
"""

from collections.abc import Iterator
from datetime import datetime

from issuance.checkup import database, fast_store, home, machine, person_check, records, service
from issuance.checkup.finding import Finding, Grade
from issuance.settings import Settings


def look(
    settings: Settings, now: datetime, *, metrics_port: int | None = None
) -> Iterator[Finding]:
    """All checks, the deepest layer first. now: aware, UTC. metrics_port: of a running service."""
    yield from machine.look(settings, now)
    if not settings.home.path.exists():
        yield home.missing(settings)
        return
    yield from home.look(settings)
    yield from database.look(settings)
    yield from fast_store.look(settings)
    yield from machine.look_at_speed(settings)
    yield from records.look(settings, now)
    yield from person_check.look(settings)
    if metrics_port is not None:
        yield from service.look(metrics_port)


__all__ = ["Finding", "Grade", "look"]
