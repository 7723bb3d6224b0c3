"""Nothing that Python can pass in takes the process down or raises what was not declared."""

import random
from collections.abc import Callable

import pytest

from crypto import CryptoError, sm2, sm3, sm4

SEED = 20_260_102
DECLARED = (CryptoError, ValueError)
COUNTS = [
    pytest.param(3000, id="3000 calls each"),
    pytest.param(100_000, id="100000 calls each", marks=pytest.mark.long),
]

PRIVATE = sm2.PrivateKey.generate()
PUBLIC = PRIVATE.public_key()
KEPT = sm2.Verifier(PUBLIC)
SIGNATURE = PRIVATE.sign(b"message")
CIPHERTEXT = PUBLIC.encrypt(b"plaintext")
SEALED = sm4.Gcm(bytes(16)).encrypt(bytes(12), b"plaintext")

# What each entry reads, with a good example to spoil.
ENTRIES: dict[str, tuple[Callable[[bytes], object], bytes]] = {
    "private key": (sm2.PrivateKey.from_bytes, PRIVATE.to_bytes()),
    "public key": (sm2.PublicKey.from_bytes, PUBLIC.to_bytes()),
    "compressed key": (sm2.PublicKey.from_bytes, PUBLIC.to_bytes(compressed=True)),
    "verify": (lambda data: PUBLIC.verify(data, b"message"), SIGNATURE),
    "kept verify": (lambda data: KEPT.verify(data, b"message"), SIGNATURE),
    "signature to DER": (sm2.signature_to_der, SIGNATURE),
    "signature from DER": (sm2.signature_from_der, sm2.signature_to_der(SIGNATURE)),
    "decrypt": (PRIVATE.decrypt, CIPHERTEXT),
    "ciphertext to DER": (sm2.ciphertext_to_der, CIPHERTEXT),
    "ciphertext from DER": (sm2.ciphertext_from_der, sm2.ciphertext_to_der(CIPHERTEXT)),
    "hmac tag": (lambda data: sm3.hmac_verify(b"key", b"data", data), sm3.hmac(b"key", b"data")),
    "block": (lambda data: sm4.encrypt_block(bytes(16), data), bytes(16)),
    "block key": (lambda data: sm4.decrypt_block(data, bytes(16)), bytes(16)),
    "gcm": (lambda data: sm4.Gcm(bytes(16)).decrypt(bytes(12), data), SEALED),
}


def spoilt(source: random.Random, good: bytes) -> bytes:
    """Cut, lengthened, with some bytes changed, or nothing of the good one at all."""
    data = bytearray(good if source.random() < 0.9 else source.randbytes(source.randrange(200)))
    for _ in range(source.randrange(4)):
        if data:
            data[source.randrange(len(data))] = source.choice((0, 1, 0x7F, 0x80, 0xFF, 0x30, 2, 4))
    if source.random() < 0.3:
        del data[source.randrange(len(data) + 1) :]
    if source.random() < 0.2:
        data += source.randbytes(source.randrange(40))
    return bytes(data)


@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize("name", ENTRIES)
def test_only_declared_errors_come_out(name: str, count: int) -> None:
    print(f"seed {SEED}")
    call, good = ENTRIES[name]
    source = random.Random(f"{SEED} {name}")
    answered = refused = 0
    for _ in range(count):
        try:
            call(spoilt(source, good))
        except DECLARED:
            refused += 1
        else:
            answered += 1
    assert answered + refused == count
    assert answered > count // 100
    assert refused > count // 10


@pytest.mark.parametrize("wrong", [None, "text", 7, 1.5, [1], bytearray(64), memoryview(b"abc")])
def test_native_entries_take_bytes_only(wrong: object) -> None:
    for call in (call for name, (call, _) in ENTRIES.items() if name != "gcm"):
        with pytest.raises(TypeError):
            call(wrong)  # type: ignore[arg-type]
    for sign in (PRIVATE.sign, sm3.digest, PUBLIC.encrypt):
        with pytest.raises(TypeError):
            sign(wrong)  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        sm2.Verifier(wrong)  # type: ignore[arg-type]


def test_errors_say_what_happened_in_both_languages_and_nothing_else() -> None:
    kinds = [sm2.InvalidKeyError, sm2.InvalidSignatureError, sm2.DecryptionError]
    kinds += [sm3.InvalidMacError]
    codes = {kind.code for kind in kinds}
    assert codes == {"invalid_key", "invalid_signature", "decryption", "invalid_mac"}
    for kind in kinds:
        text = str(kind())
        assert text == f"{kind.message_zh} {kind.message_en}"
        assert text.isprintable()
