"""What the service is built from; the composition root makes it once and passes it down."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from card_core.application import Application
from card_core.card_reading import CardReading
from card_core.codes import KeyRing
from card_core.device_credentials import CredentialIssuer
from card_core.kernel import Kernel
from card_core.minting import Minter
from card_core.presenting import Presenter
from card_core.printed_codes import PrintedCodes
from card_core.short_codes import ShortCodes
from card_core.sign_in import Profile
from card_core.sign_in.person_check import PersonCheck
from card_core.store import Store
from scan_api.holders.idempotency import RunningRequests
from scan_api.issuers.asking import PeerClient
from scan_api.scans.identifying import IdentifyDesk
from scan_api.scans.writing import ScanWriter
from scan_api.terminals.authentication import TerminalAuthentication

ApplicationCheck = Callable[[Mapping[str, str], date], Application]
"""Given the fields as they were typed and the day in Asia/Shanghai; raises
ApplicationFaultsError."""


@dataclass(frozen=True, slots=True, repr=False)
class Services:
    """presenter: opens checked codes. writer: records scans; to be stopped with the process.
    short_codes: names codes and finds them. printed_codes: the same for paper.
    card_reading: takes chip cards.
    peers: asks other issuers, and knows which are trusted.
    key_ring: the keys that codes are checked with, as `KeyRingCache.ring` gives them.
    authentication: who the terminals are, from a registry that is kept fresh while serving.
    check_application: judges an application as a roster's row is judged, where rosters are read.
    pepper: the key under holders' passwords. profile: by which they are hashed.
    clock: the time now, aware, UTC; raises ClockOffError where it can't be believed
    (`clock_watch`).
    running: the holders' requests that have an Idempotency-Key and are under way.
    identifying: takes codes signed for identifying only, in one event loop; None where there is no
    fast store, and such codes are refused.
    person_check: who checks people online; None where nobody does.
    """

    kernel: Kernel
    store: Store
    minter: Minter
    credential_issuer: CredentialIssuer
    presenter: Presenter
    writer: ScanWriter
    short_codes: ShortCodes
    printed_codes: PrintedCodes
    card_reading: CardReading
    peers: PeerClient
    key_ring: Callable[[], KeyRing]
    authentication: TerminalAuthentication
    check_application: ApplicationCheck
    pepper: bytes
    clock: Callable[[], datetime]
    identifying: IdentifyDesk | None = None
    profile: Profile = Profile.SM
    person_check: PersonCheck | None = None
    running: RunningRequests = field(default_factory=RunningRequests)
