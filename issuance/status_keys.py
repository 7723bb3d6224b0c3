"""The status keys (状态密钥) that terminals are told to trust before they work with no network."""

from card_core.codes import KeyPurpose, KeyState
from card_core.store import Reader, issuers


def status_keys(tx: Reader) -> list[str]:
    """Those in use, as `sscard terminal trust` takes them: the key's name, then its public key."""
    own = issuers.own(tx)
    found = [] if own is None else issuers.keys_of(tx, own.number, KeyPurpose.STATUS)
    return [
        f"{key.name}:{key.public_key.to_bytes(compressed=True).hex()}"
        for key in found
        if key.state is KeyState.ACTIVE
    ]
