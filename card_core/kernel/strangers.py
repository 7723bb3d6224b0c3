"""Names for those whose codes other issuers signed, so that two uses of one code meet here, too."""

from card_core.codes import CheckedCode
from card_core.store.scans import Spending
from crypto import sm3


def stranger_spending(checked: CheckedCode, scan_id: str) -> Spending:
    """The code under a name made of itself alone: whose card it is, its issuer alone can tell.

    The box of an online code is one for each code, and is its nonce as well.
    """
    what = checked.device_key or checked.box or b""
    name = sm3.digest(b"sscard/stranger/v1\n" + checked.issuer.to_bytes(2) + what)
    nonce = checked.nonce or name[16:24]
    return Spending(name[:16].hex(), checked.minted_at, nonce, scan_id)
