"""SM4 (GB/T 32907): one block natively, and GCM (GB/T 36624) from `cryptography`.

encrypt_block(key, block)     # one block under a key of its own
Cipher(key)                   # a key met often: the same for blocks, faster; wiped at its end
diversify(master, factor)     # the key of one card, or of one session
cbc_mac(key, iv, message)     # 16 bytes; secure messaging of cards keeps the first 4
Gcm(key)                      # whatever is stored or sent
"""

from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import ciphers
from cryptography.hazmat.primitives.ciphers.algorithms import SM4
from cryptography.hazmat.primitives.ciphers.modes import GCM

from crypto._native import Cipher, fail_bulk_cipher, require_operational
from crypto._native import sm4_cbc_mac as cbc_mac
from crypto._native import sm4_decrypt_block as decrypt_block
from crypto._native import sm4_diversify as diversify
from crypto._native import sm4_encrypt_block as encrypt_block
from crypto.errors import DecryptionError, SelfTestError

KEY_SIZE: Final = 16
TAG_SIZE: Final = 16
_NONCE_SIZES: Final = range(8, 129)

__all__ = [
    "KEY_SIZE",
    "TAG_SIZE",
    "Cipher",
    "DecryptionError",
    "Gcm",
    "cbc_mac",
    "decrypt_block",
    "diversify",
    "encrypt_block",
]


class Gcm:
    """Authenticated encryption under one key of 16 bytes; the tag of 16 bytes comes last.

    A nonce serves once for a key: 12 bytes, from a counter, or random for at most 2^32 messages.
    Others of 8 to 128 bytes are taken too, because partners use them. Raises ValueError for
    another length of key or nonce, SelfTestError in the error state (crypto.self_test).
    """

    __slots__ = ("_algorithm",)

    def __init__(self, key: bytes) -> None:
        if len(key) != KEY_SIZE:
            raise ValueError("an SM4 key has 16 bytes")
        self._algorithm = SM4(key)

    def encrypt(self, nonce: bytes, plaintext: bytes, aad: bytes = b"") -> bytes:
        """Return ciphertext and tag; `aad` is covered by the tag and not sent."""
        require_operational()
        _check_nonce(nonce)
        encryptor = ciphers.Cipher(self._algorithm, GCM(nonce)).encryptor()
        encryptor.authenticate_additional_data(aad)
        ciphertext = encryptor.update(plaintext) + encryptor.finalize()
        return ciphertext + encryptor.tag

    def decrypt(self, nonce: bytes, ciphertext: bytes, aad: bytes = b"") -> bytes:
        """Return the plaintext, or raise DecryptionError, whatever is wrong."""
        require_operational()
        _check_nonce(nonce)
        if len(ciphertext) < TAG_SIZE:
            raise DecryptionError
        text, tag = ciphertext[:-TAG_SIZE], ciphertext[-TAG_SIZE:]
        decryptor = ciphers.Cipher(self._algorithm, GCM(nonce, tag)).decryptor()
        decryptor.authenticate_additional_data(aad)
        try:
            return decryptor.update(text) + decryptor.finalize()
        except InvalidTag:
            raise DecryptionError from None


def _check_nonce(nonce: bytes) -> None:
    if len(nonce) not in _NONCE_SIZES:
        raise ValueError("a GCM nonce has 8 to 128 bytes")


# RFC 8998, appendix A.1.
_KNOWN_KEY: Final = bytes.fromhex("0123456789abcdeffedcba9876543210")
_KNOWN_NONCE: Final = bytes.fromhex("00001234567800000000abcd")
_KNOWN_AAD: Final = bytes.fromhex("feedfacedeadbeeffeedfacedeadbeefabaddad2")
_KNOWN_PLAINTEXT: Final = bytes.fromhex(
    "aaaaaaaaaaaaaaaabbbbbbbbbbbbbbbbccccccccccccccccdddddddddddddddd"
    "eeeeeeeeeeeeeeeeffffffffffffffffeeeeeeeeeeeeeeeeaaaaaaaaaaaaaaaa"
)
_KNOWN_CIPHERTEXT: Final = bytes.fromhex(
    "17f399f08c67d5ee19d0dc9969c4bb7d5fd46fd3756489069157b282bb200735"
    "d82710ca5c22f0ccfa7cbf93d496ac15a56834cbcf98c397b4024a2691233b8d"
    "83de3541e4c2b58177e065a9bf7b62ec"
)


def run_known_answer() -> None:
    """Encrypt and decrypt a known text; enter the error state when the answer is another one.

    Runs when this module is loaded: GCM is computed by another library than the native core.
    """
    cipher = Gcm(_KNOWN_KEY)
    changed = bytes([_KNOWN_CIPHERTEXT[0] ^ 1]) + _KNOWN_CIPHERTEXT[1:]
    try:
        right = (
            cipher.encrypt(_KNOWN_NONCE, _KNOWN_PLAINTEXT, _KNOWN_AAD) == _KNOWN_CIPHERTEXT
            and cipher.decrypt(_KNOWN_NONCE, _KNOWN_CIPHERTEXT, _KNOWN_AAD) == _KNOWN_PLAINTEXT
            and not _opens(cipher, changed)
        )
    except SelfTestError:
        return
    except Exception:  # noqa: BLE001 - a library that fails here gives a wrong answer, too
        right = False
    if not right:
        fail_bulk_cipher()


def _opens(cipher: Gcm, ciphertext: bytes) -> bool:
    try:
        cipher.decrypt(_KNOWN_NONCE, ciphertext, _KNOWN_AAD)
    except DecryptionError:
        return False
    return True


run_known_answer()
