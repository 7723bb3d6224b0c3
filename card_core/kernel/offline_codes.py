"""An offline code that is scanned where there is a network: whose e-card it is."""

from datetime import timedelta

from card_core.codes import CODE_LIFE_SECONDS, OFFLINE_SKEW_SECONDS, CheckedCode, CodeKind
from card_core.presented import Medium, Presented
from card_core.status_list import CredentialState
from card_core.store import Reader, devices, restores
from card_core.verdicts import Reason

USABLE = timedelta(seconds=CODE_LIFE_SECONDS + OFFLINE_SKEW_SECONDS + 1)


def present_offline_code(tx: Reader, checked: CheckedCode) -> Presented | Reason:
    """What an offline code that passed steps 1 to 6 stands for, or why it stands for nothing.

    The credential's own row names the e-card; the issuer signed nothing else than that row. A
    credential that was withdrawn with its phone is refused here. Of a card that is lost or
    cancelled step 7 tells, which knows more. Raises TamperedRowError.
    """
    if (
        checked.kind is not CodeKind.OFFLINE
        or checked.credential_expires_at is None
        or checked.status_index is None
        or checked.nonce is None
    ):
        raise ValueError("not an offline code")
    credential = devices.find_credential(
        tx, checked.issuer, int(checked.credential_expires_at.timestamp()), checked.status_index
    )
    if credential is None or credential.device_key != checked.device_key:
        return Reason.UNKNOWN_CARD
    if credential.state is CredentialState.WITHDRAWN:
        return Reason.CREDENTIAL_WITHDRAWN
    restored_at = restores.last(tx)
    if restored_at is not None and checked.minted_at <= restored_at:
        # Whether it was spent is among what the database has forgotten.
        return Reason.SHOW_NEW_CODE
    return Presented(
        medium=Medium.OFFLINE_CODE,
        issuer=checked.issuer,
        minted_at=checked.minted_at,
        usable_until=checked.minted_at + USABLE,
        nonce=checked.nonce,
        ecard_id=credential.ecard_id,
        purpose_class=checked.purpose_class,
        for_whom=checked.for_whom,
        presence=checked.presence,
    )
