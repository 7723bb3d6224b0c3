"""SM2 public keys in the fields of acts."""

from card_core.errors import InvalidActError
from crypto import sm2


def parse_public_key(field: str, public_key: bytes) -> sm2.PublicKey:
    """public_key: 33 or 65 bytes, SEC 1. Raises InvalidActError for anything else."""
    try:
        return sm2.PublicKey.from_bytes(public_key)
    except sm2.InvalidKeyError:
        raise InvalidActError(
            field, "不是有效的 SM2 公钥", "is not a valid SM2 public key"
        ) from None
