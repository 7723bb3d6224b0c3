"""Nothing that Python can pass in takes the process down or raises what was not declared."""

import random
from collections.abc import Callable
from itertools import repeat

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
DIGEST = sm3.digest(b"message")
SIGNED_DIGEST = PRIVATE.sign_digest(DIGEST)
SEALED = sm4.Gcm(bytes(16)).encrypt(bytes(12), b"plaintext")


def verify_in_a_batch(data: bytes) -> None:
    """Between two good signatures, which its fate must not touch."""
    good = (PUBLIC, SIGNATURE, b"message")
    before, error, after = sm2.verify_batch([good, (PUBLIC, data, b"message"), good])
    assert before is None
    assert after is None
    if error is not None:
        raise error


# What each entry reads, with a good example to spoil.
ENTRIES: dict[str, tuple[Callable[[bytes], object], bytes]] = {
    "private key": (sm2.PrivateKey.from_bytes, PRIVATE.to_bytes()),
    "public key": (sm2.PublicKey.from_bytes, PUBLIC.to_bytes()),
    "compressed key": (sm2.PublicKey.from_bytes, PUBLIC.to_bytes(compressed=True)),
    "verify": (lambda data: PUBLIC.verify(data, b"message"), SIGNATURE),
    "kept verify": (lambda data: KEPT.verify(data, b"message"), SIGNATURE),
    "batch verify": (verify_in_a_batch, SIGNATURE),
    "sign digest": (PRIVATE.sign_digest, DIGEST),
    "verify digest": (lambda data: PUBLIC.verify_digest(data, DIGEST), SIGNED_DIGEST),
    "kept verify digest": (lambda data: KEPT.verify_digest(data, DIGEST), SIGNED_DIGEST),
    "digest verified": (lambda data: PUBLIC.verify_digest(SIGNED_DIGEST, data), DIGEST),
    "derivation": (lambda data: sm3.kdf(data, len(data)), b"z"),
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


def test_a_length_that_is_only_claimed_takes_no_memory() -> None:
    for claimed in (range(1 << 36), range(1 << 62)):
        with pytest.raises(TypeError):
            sm2.verify_batch(claimed)  # type: ignore[arg-type]
    for length in (-1, 0, (32 << 20) + 1, 1 << 63, 1 << 70):
        with pytest.raises(ValueError, match="32 MiB"):
            sm3.kdf(b"z", length)
    for limit in (-1, 1 << 70):
        with pytest.raises(ValueError, match="bytes_max"):
            sm2.KeptKeys(limit)


def test_a_batch_has_an_end() -> None:
    out_of_range = (PUBLIC, bytes(64), b"message")
    assert all(sm2.verify_batch([out_of_range] * 65_536))
    with pytest.raises(ValueError, match="65536"):
        sm2.verify_batch(repeat(out_of_range))  # type: ignore[arg-type]


@pytest.mark.parametrize("wrong", [None, "text", 7, 1.5, [1], bytearray(64), memoryview(b"abc")])
def test_native_entries_take_bytes_only(wrong: object) -> None:
    for call in (call for call, _ in ENTRIES.values()):
        with pytest.raises(TypeError):
            call(wrong)  # type: ignore[arg-type]
    for sign in (PRIVATE.sign, sm3.digest, PUBLIC.encrypt):
        with pytest.raises(TypeError):
            sign(wrong)  # type: ignore[arg-type]
    triples = [(wrong, b"", b""), (PUBLIC, wrong, b""), (PUBLIC, b"", wrong)]
    for one in (wrong, [wrong], *([triple] for triple in triples)):
        with pytest.raises(TypeError):
            sm2.verify_batch(one)  # type: ignore[arg-type]
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
