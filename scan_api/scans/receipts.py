"""The receipt of an earlier scan, for the institution that scanned.

A scan that only identified was answered before its record was written, so its receipt is fetched
here, within a second or so of the answer.
"""

from card_core import receipts
from card_core.errors import NotFoundError
from card_core.store import scans
from scan_api.scans.models import ScanReceipt
from scan_api.services import Services
from scan_api.signed_requests import SignedRequest


def view_receipt(services: Services, signed: SignedRequest, scan_id: str) -> ScanReceipt:
    """Raises: ProblemError, ReplayedRequestError, StoreError; NotFoundError for another
    institution's scan as for none, and for one that was refused or is not recorded yet."""
    caller = services.authentication.authenticate(signed, services.clock())
    if caller.proof is not None:
        services.kernel.spend_proof(caller.proof, actor=caller.actor)
    with services.store.read() as tx:
        scan = scans.get(tx, scan_id)
    if scan is None or scan.institution_id != caller.institution.id or scan.receipt is None:
        raise NotFoundError("scan")
    grants, named = services.kernel.grants, scan.operator or scan.department
    salt = grants.pseudonyms.clerk_salt(scan.id).hex() if grants and named else None
    return ScanReceipt(scan_id=scan.id, receipt=receipts.to_text(scan.receipt), clerk_salt=salt)
