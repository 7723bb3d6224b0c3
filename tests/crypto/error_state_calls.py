"""Everything that crypto's native core offers, called in the error state; a program of its own.

The error state lasts as long as a process, so the tests run this in a child. It prints the names
of the calls that were not refused, and those that have no call here, as JSON.
"""

import json
from collections.abc import Callable

from crypto import SelfTestError, _native, fields, random_source, self_test, sm2, sm3, sm4

KEY = sm2.PrivateKey.generate()
PUBLIC = KEY.public_key()
KEPT = sm2.Verifier(PUBLIC)
KEPT_KEYS = sm2.KeptKeys(1 << 20)
HASH = sm3.Hash()
SIGNATURE = KEY.sign(b"message")
CIPHERTEXT = PUBLIC.encrypt(b"plaintext")
BLOCK = bytes(16)
CIPHER = sm4.Cipher(BLOCK)
GCM = sm4.Gcm(BLOCK)
FIELDS_KEY = fields.Key(b"key")
SEALED = GCM.encrypt(bytes(12), b"plaintext")

CALLS: dict[str, Callable[[], object]] = {
    "PrivateKey.generate": sm2.PrivateKey.generate,
    "PrivateKey.from_bytes": lambda: sm2.PrivateKey.from_bytes(bytes(31) + b"\5"),
    "PrivateKey.to_bytes": KEY.to_bytes,
    "PrivateKey.sign": lambda: KEY.sign(b"message"),
    "PrivateKey.sign_digest": lambda: KEY.sign_digest(bytes(32)),
    "PrivateKey.decrypt": lambda: KEY.decrypt(CIPHERTEXT),
    "PublicKey.from_bytes": lambda: sm2.PublicKey.from_bytes(PUBLIC.to_bytes()),
    "PublicKey.verify": lambda: PUBLIC.verify(SIGNATURE, b"message"),
    "PublicKey.verify_digest": lambda: PUBLIC.verify_digest(SIGNATURE, bytes(32)),
    "PublicKey.encrypt": lambda: PUBLIC.encrypt(b"plaintext"),
    "Verifier": lambda: sm2.Verifier(PUBLIC),
    "Verifier.verify": lambda: KEPT.verify(SIGNATURE, b"message"),
    "Verifier.verify_digest": lambda: KEPT.verify_digest(SIGNATURE, bytes(32)),
    "KeptKeys": lambda: sm2.KeptKeys(9),
    "KeptKeys.verify": lambda: KEPT_KEYS.verify(PUBLIC.to_bytes(), SIGNATURE, b"message"),
    "Hash": sm3.Hash,
    "Hash.update": lambda: HASH.update(b"more"),
    "Hash.digest": HASH.digest,
    "verify_batch": lambda: sm2.verify_batch([(PUBLIC, SIGNATURE, b"message")]),
    "signature_to_der": lambda: sm2.signature_to_der(SIGNATURE),
    "signature_from_der": lambda: sm2.signature_from_der(b""),
    "ciphertext_to_der": lambda: sm2.ciphertext_to_der(CIPHERTEXT),
    "ciphertext_from_der": lambda: sm2.ciphertext_from_der(b""),
    "sm3_digest": lambda: sm3.digest(b"message"),
    "sm3_hmac": lambda: sm3.hmac(b"key", b"message"),
    "sm3_hmac_verify": lambda: sm3.hmac_verify(b"key", b"message", bytes(32)),
    "sm3_kdf": lambda: sm3.kdf(b"secret", 16),
    "sm3_tree": lambda: sm3.tree([b"leaf"]),
    "Gcm": lambda: sm4.Gcm(BLOCK),
    "Gcm.encrypt": lambda: GCM.encrypt(bytes(12), b"plaintext"),
    "Gcm.decrypt": lambda: GCM.decrypt(bytes(12), SEALED),
    "Gcm.encrypt_each": lambda: GCM.encrypt_each(b"", bytes(12), [b"plaintext"], [b""], [b""]),
    "Gcm.decrypt_each": lambda: GCM.decrypt_each(b"", [bytes(12) + SEALED], [b""], [b""]),
    "FieldsKey": lambda: fields.Key(b"key"),
    "FieldsKey.tag": lambda: FIELDS_KEY.tag("table", {}),
    "FieldsKey.tags": lambda: FIELDS_KEY.tags("table", ("id",), [("1",)]),
    "fields_encode": lambda: fields.encode("table", {}),
    "fields_digest": lambda: fields.digest("table", []),
    "sm4_encrypt_block": lambda: sm4.encrypt_block(BLOCK, BLOCK),
    "sm4_decrypt_block": lambda: sm4.decrypt_block(BLOCK, BLOCK),
    "Cipher": lambda: sm4.Cipher(BLOCK),
    "Cipher.encrypt_block": lambda: CIPHER.encrypt_block(BLOCK),
    "Cipher.decrypt_block": lambda: CIPHER.decrypt_block(BLOCK),
    "sm4_diversify": lambda: sm4.diversify(BLOCK, bytes(8)),
    "sm4_wrap_diversified": lambda: sm4.wrap_diversified(BLOCK, bytes(8), CIPHER),
    "sm4_cbc_mac": lambda: sm4.cbc_mac(BLOCK, BLOCK, b"message"),
    "random_bytes": lambda: random_source.random_bytes(16),
    "require_operational": self_test.require_operational,
}
# They tell of the state, show what is public already, or are empty still.
ALLOWED = {
    "KeptKeys.bytes",
    "KeptKeys.tables",
    "PrivateKey.public_key",
    "PublicKey.to_bytes",
    "Verifier.public_key",
    "available_backends",
    "backend",
    "fail_bulk_cipher",
    "run_self_tests",
}


def offered() -> set[str]:
    """The names of all functions, classes that can be made, and methods of the native core."""
    names = set()
    for name, thing in vars(_native).items():
        if name.startswith("_"):
            continue
        if not isinstance(thing, type):
            names.add(name)
            continue
        if "__new__" in vars(thing):
            names.add(name)
        names |= {f"{name}.{method}" for method in vars(thing) if not method.startswith("_")}
    return names


def is_refused(call: Callable[[], object]) -> bool:
    try:
        call()
    except SelfTestError:
        return True
    except Exception:  # noqa: BLE001 - refused for another reason is not refused for this one
        return False
    return False


def main() -> None:
    calls = CALLS
    refused_before = [name for name, call in calls.items() if is_refused(call)]
    _native.fail_bulk_cipher()
    found = {
        "refused_before": refused_before,
        "answered": [name for name, call in calls.items() if not is_refused(call)],
        "without_a_call": sorted(offered() - set(CALLS) - ALLOWED),
        "calls": len(calls),
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main()
