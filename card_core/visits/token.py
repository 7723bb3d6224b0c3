"""Visit tokens: what the institution keeps of a visit, opaque to it and good nowhere else."""

import base64
import binascii
import hmac
import re
from typing import Final

from card_core.errors import CardCoreError
from crypto import sm3, sm4

KEY_SIZE_BYTES: Final = 32
TOKEN_TEXT_MAX: Final = 44
_VERSION: Final = b"\x01"
_TAG_SIZE_BYTES: Final = 16
_TEXT: Final = re.compile(rf"[A-Za-z0-9_-]{{{TOKEN_TEXT_MAX}}}", re.ASCII)


class InvalidVisitTokenError(CardCoreError):
    """No token of this institution; a forged and a foreign one are told apart by nothing."""

    code = "invalid_visit_token"
    message_zh = "不是本机构的就诊凭据"
    message_en = "This is not a visit token of this institution"


class VisitTokens:
    """Makes and opens tokens under one key of the installation.

    A token is a version byte, the visit's id encrypted as one SM4 block, and the first 16 bytes
    of an HMAC-SM3 over both and the institution. Whether the visit is still open stands in its row.
    key: 32 bytes. Raises ValueError for another size.
    """

    def __init__(self, key: bytes) -> None:
        if len(key) != KEY_SIZE_BYTES:
            raise ValueError(f"the visit key has {KEY_SIZE_BYTES} bytes")
        self._block = sm4.Cipher(sm3.hmac(key, b"sscard/visit-token/v1/id")[: sm4.KEY_SIZE])
        self._mac_key = sm3.hmac(key, b"sscard/visit-token/v1/mac")

    def make(self, visit_id: str, institution_id: str) -> str:
        """Return the token, TOKEN_TEXT_MAX characters. visit_id: 32 hex digits."""
        sealed = _VERSION + self._block.encrypt_block(bytes.fromhex(visit_id))
        tag = self._mac(sealed, institution_id)[:_TAG_SIZE_BYTES]
        return base64.urlsafe_b64encode(sealed + tag).decode()

    def open(self, token: str, institution_id: str) -> str:
        """Return the visit's id, without any look at the store. Raises InvalidVisitTokenError."""
        if not _TEXT.fullmatch(token):
            raise InvalidVisitTokenError
        try:
            data = base64.urlsafe_b64decode(token)
        except binascii.Error:
            raise InvalidVisitTokenError from None
        sealed, tag = data[:-_TAG_SIZE_BYTES], data[-_TAG_SIZE_BYTES:]
        if not hmac.compare_digest(self._mac(sealed, institution_id)[:_TAG_SIZE_BYTES], tag):
            raise InvalidVisitTokenError
        return self._block.decrypt_block(sealed[1:]).hex()

    def _mac(self, sealed: bytes, institution_id: str) -> bytes:
        return sm3.hmac(self._mac_key, sealed + institution_id.encode())
