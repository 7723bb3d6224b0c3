"""SM4 (GB/T 32907): one block, and GCM (GB/T 36624).

encrypt_block(key, block)     # one block under a key of its own
Cipher(key)                   # a key met often: the same for blocks, faster; wiped at its end
diversify(master, factor)     # the key of one card, or of one session
wrap_diversified(masters, factor, transport)  # those of one card, for the way to its maker
cbc_mac(key, iv, message)     # 16 bytes; secure messaging of cards keeps the first 4
Gcm(key)                      # whatever is stored or sent; wiped at its end
"""

from typing import Final

from crypto._native import Cipher, Gcm, fail_bulk_cipher
from crypto._native import sm4_cbc_mac as cbc_mac
from crypto._native import sm4_decrypt_block as decrypt_block
from crypto._native import sm4_diversify as diversify
from crypto._native import sm4_encrypt_block as encrypt_block
from crypto._native import sm4_wrap_diversified as wrap_diversified
from crypto.errors import DecryptionError, SelfTestError

KEY_SIZE: Final = 16
TAG_SIZE: Final = 16

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
    "wrap_diversified",
]


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

    Runs when this module is loaded, through the face that everybody uses.
    """
    changed = bytes([_KNOWN_CIPHERTEXT[0] ^ 1]) + _KNOWN_CIPHERTEXT[1:]
    try:
        cipher = Gcm(_KNOWN_KEY)
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
