"""What a verification accepts, and that the kept key gives the same answers as the key."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sm2_textbook import digest_e

from crypto import sm2

N = 0xFFFFFFFE_FFFFFFFF_FFFFFFFF_FFFFFFFF_7203DF6B_21C6052B_53BBF409_39D54123
D = 0x3945208F_7B2144B1_3F36E38A_C6D39F95_88939369_2860B51A_42FB81EF_4DF7C5B8

PRIVATE = sm2.PrivateKey.from_bytes(D.to_bytes(32, "big"))
PUBLIC = PRIVATE.public_key()
KEPT = sm2.Verifier(PUBLIC)
MESSAGE = b"what is signed"
GOOD = PRIVATE.sign(MESSAGE)
R, S = int.from_bytes(GOOD[:32], "big"), int.from_bytes(GOOD[32:], "big")


def raw(r: int, s: int) -> bytes:
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def assert_refused(
    signature: bytes, message: bytes = MESSAGE, signer_id: bytes = sm2.DEFAULT_SIGNER_ID
) -> None:
    for key in (PUBLIC, KEPT):
        with pytest.raises(sm2.InvalidSignatureError) as refusal:
            key.verify(signature, message, signer_id)
        assert refusal.value.args == ()


@pytest.mark.parametrize("length", [0, 1, 55, 56, 64, 100, 5000, 20_000, 200_000])
def test_messages_of_any_length_are_signed_and_verified(length: int) -> None:
    message = bytes(length)
    for signer_id in (b"", b"id", sm2.DEFAULT_SIGNER_ID, b"i" * 8191):
        signature = PRIVATE.sign(message, signer_id=signer_id)
        assert len(signature) == 64
        PUBLIC.verify(signature, message, signer_id=signer_id)
        KEPT.verify(signature, message, signer_id=signer_id)


def test_any_flipped_bit_of_the_signature_is_refused() -> None:
    for bit in range(512):
        bad = bytearray(GOOD)
        bad[bit // 8] ^= 1 << bit % 8
        assert_refused(bytes(bad))


def test_any_flipped_bit_of_the_message_is_refused() -> None:
    for bit in range(8 * len(MESSAGE)):
        bad = bytearray(MESSAGE)
        bad[bit // 8] ^= 1 << bit % 8
        assert_refused(GOOD, bytes(bad))
    assert_refused(GOOD, MESSAGE + b"\x00")
    assert_refused(GOOD, b"")


@pytest.mark.parametrize("signer_id", [b"", b"1234567812345679", b"12345678123456781", b"x" * 8191])
def test_another_signer_id_is_refused(signer_id: bytes) -> None:
    assert_refused(GOOD, signer_id=signer_id)


def test_another_key_is_refused() -> None:
    other = sm2.PrivateKey.generate()
    assert_refused(other.sign(MESSAGE))


@pytest.mark.parametrize("length", [8192, 65_536])
def test_signer_id_of_more_bits_than_16_bits_can_count_is_the_callers_mistake(length: int) -> None:
    too_long = b"i" * length
    with pytest.raises(ValueError, match="8191"):
        PRIVATE.sign(MESSAGE, too_long)
    for key in (PUBLIC, KEPT):
        with pytest.raises(ValueError, match="8191"):
            key.verify(GOOD, MESSAGE, too_long)


@pytest.mark.parametrize(
    "signature",
    [
        pytest.param(raw(0, S), id="r = 0"),
        pytest.param(raw(R, 0), id="s = 0"),
        pytest.param(raw(0, 0), id="both 0"),
        pytest.param(raw(N, S), id="r = n"),
        pytest.param(raw(R, N), id="s = n"),
        pytest.param(raw(N + 1, S), id="r = n + 1"),
        pytest.param(raw(R, N + 1), id="s = n + 1"),
        pytest.param(raw(2**256 - 1, S), id="r all ones"),
        pytest.param(raw(R, 2**256 - 1), id="s all ones"),
        pytest.param(raw(R, N - S), id="s negated"),
        pytest.param(raw(N - R, S), id="r negated"),
        pytest.param(raw(S, R), id="swapped"),
        pytest.param(raw(R, N - R), id="r + s = n"),
        pytest.param(raw(1, N - 1), id="1 + (n - 1) = n"),
        pytest.param(raw(1, 1), id="ones"),
        pytest.param(raw(R, -R * D * pow(1 + D, -1, N) % N), id="sum at infinity"),
        pytest.param(raw(1, -D * pow(1 + D, -1, N) % N), id="sum at infinity, r = 1"),
    ],
)
def test_halves_that_no_signature_has_are_refused(signature: bytes) -> None:
    assert_refused(signature)


@pytest.mark.parametrize("length", [*range(64), 65, 96, 128])
def test_other_lengths_are_refused(length: int) -> None:
    assert_refused((GOOD + GOOD)[:length])


def test_der_goes_there_and_back_for_every_length_of_a_half() -> None:
    for bits in range(1, 256):
        for r, s in [(1 << bits - 1, 5), (7, (1 << bits) - 1), ((1 << bits) - 1, 1 << bits - 1)]:
            der = sm2.signature_to_der(raw(r, s))
            assert der == sequence(integer(r), integer(s))
            assert sm2.signature_from_der(der) == raw(r, s)


def integer(value: int) -> bytes:
    content = value.to_bytes(value.bit_length() // 8 + 1, "big", signed=True)
    return bytes([2, len(content)]) + content


def sequence(*parts: bytes) -> bytes:
    content = b"".join(parts)
    return bytes([0x30, len(content)]) + content


HALF = integer(5)
DER = sequence(HALF, HALF)


@pytest.mark.parametrize(
    "der",
    [
        pytest.param(b"", id="empty"),
        pytest.param(DER[:1], id="tag alone"),
        pytest.param(b"\x31" + DER[1:], id="a set"),
        pytest.param(b"\x30\x81\x06" + DER[2:], id="length in two bytes"),
        pytest.param(b"\x30\x82\x00\x06" + DER[2:], id="length in three bytes"),
        pytest.param(b"\x30\x80" + DER[2:] + b"\x00\x00", id="indefinite length"),
        pytest.param(b"\x30\x84\xff\xff\xff\xff" + DER[2:], id="length beyond memory"),
        pytest.param(b"\x30\x05" + DER[2:], id="sequence too short"),
        pytest.param(b"\x30\x07" + DER[2:], id="sequence too long"),
        pytest.param(DER + b"\x00", id="a byte follows"),
        pytest.param(sequence(HALF, HALF, b"\x05\x00"), id="null follows inside"),
        pytest.param(sequence(HALF, HALF, HALF), id="three integers"),
        pytest.param(sequence(HALF), id="one integer"),
        pytest.param(sequence(), id="no integer"),
        pytest.param(sequence(sequence(HALF, HALF)), id="nested"),
        pytest.param(sequence(b"\x02\x02\x00\x05", HALF), id="zero too many"),
        pytest.param(sequence(b"\x02\x01\x85", HALF), id="negative, its zero missing"),
        pytest.param(sequence(b"\x02\x01\xff", HALF), id="minus one"),
        pytest.param(sequence(b"\x02\x81\x01\x05", HALF), id="integer's length in two bytes"),
        pytest.param(sequence(b"\x02\x00", HALF), id="integer without content"),
        pytest.param(sequence(b"\x03\x01\x05", HALF), id="bit string"),
        pytest.param(sequence(b"\x04\x01\x05", HALF), id="octet string"),
        pytest.param(sequence(b"\x0a\x01\x05", HALF), id="enumerated"),
        pytest.param(sequence(b"\x05\x00", HALF), id="null"),
        pytest.param(sequence(integer(0), HALF), id="r = 0"),
        pytest.param(sequence(HALF, integer(0)), id="s = 0"),
        pytest.param(sequence(integer(N), HALF), id="r = n"),
        pytest.param(sequence(HALF, integer(N)), id="s = n"),
        pytest.param(sequence(integer(N + 5), HALF), id="r = n + 5"),
        pytest.param(sequence(integer(-5), HALF), id="r = -5"),
        pytest.param(sequence(integer(2**256 - 1), HALF), id="r all ones"),
        pytest.param(sequence(integer(2**256), HALF), id="r of 257 bits"),
        pytest.param(sequence(integer(1 << 600), HALF), id="r of 601 bits"),
        pytest.param(GOOD, id="raw"),
    ],
)
def test_all_but_der_is_refused(der: bytes) -> None:
    with pytest.raises(sm2.InvalidSignatureError):
        sm2.signature_from_der(der)


def test_der_cut_or_changed_anywhere_is_refused_or_another_signature() -> None:
    der = sm2.signature_to_der(GOOD)
    for length in range(len(der)):
        with pytest.raises(sm2.InvalidSignatureError):
            sm2.signature_from_der(der[:length])
    for bit in range(8 * len(der)):
        bad = bytearray(der)
        bad[bit // 8] ^= 1 << bit % 8
        try:
            read = sm2.signature_from_der(bytes(bad))
        except sm2.InvalidSignatureError:
            continue
        assert read != GOOD
        assert sm2.signature_to_der(read) == bytes(bad)


@pytest.mark.parametrize(
    "signature",
    [raw(0, S), raw(R, N), GOOD[:63], GOOD + b"\x00", b""],
    ids=["r of 0", "s of n", "cut", "longer", "empty"],
)
def test_der_is_not_written_of_what_is_no_signature(signature: bytes) -> None:
    with pytest.raises(sm2.InvalidSignatureError):
        sm2.signature_to_der(signature)


def test_one_kept_key_serves_many_threads() -> None:
    signatures = [PRIVATE.sign(bytes([i])) for i in range(64)]

    def accepted(i: int) -> bool:
        KEPT.verify(signatures[i], bytes([i]))
        try:
            KEPT.verify(signatures[i], bytes([i ^ 1]))
        except sm2.InvalidSignatureError:
            return True
        return False

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(accepted, list(range(64)) * 4))


def test_a_digest_is_signed_and_verified_as_its_message_is() -> None:
    private = sm2.PrivateKey.generate()
    public, kept = private.public_key(), sm2.Verifier(private.public_key())
    e = digest_e(public.to_bytes(), b"message")
    public.verify(private.sign_digest(e), b"message")
    for verify in (public.verify_digest, kept.verify_digest):
        verify(private.sign(b"message"), e)
        with pytest.raises(sm2.InvalidSignatureError):
            verify(private.sign(b"another message"), e)
        for wrong in (b"", e[:31], e + b"\0"):
            with pytest.raises(ValueError, match="32 bytes"):
                verify(private.sign(b"message"), wrong)
    with pytest.raises(ValueError, match="32 bytes"):
        private.sign_digest(e[:31])


def test_each_signature_of_a_batch_gets_its_own_verdict() -> None:
    keys = [sm2.PrivateKey.generate() for _ in range(3)]
    signed = [(key.public_key(), key.sign(b"%d" % i), b"%d" % i) for i, key in enumerate(keys * 4)]
    assert sm2.verify_batch(signed) == [None] * 12
    assert sm2.verify_batch([]) == []
    kept = [(sm2.Verifier(public), *rest) for public, *rest in signed]
    assert sm2.verify_batch(kept + signed) == [None] * 24
    public, signature, message = signed[5]
    signed[5] = (public, signature, message + b"!")
    signed[7] = (signed[7][0], b"short", signed[7][2])
    verdicts = sm2.verify_batch(signed)
    assert [type(verdict) for verdict in verdicts if verdict] == [sm2.InvalidSignatureError] * 2
    assert [i for i, verdict in enumerate(verdicts) if verdict] == [5, 7]
    assert all(sm2.verify_batch(signed, signer_id=b"another"))
    with pytest.raises(ValueError, match="signer id"):
        sm2.verify_batch(signed, signer_id=bytes(8192))


def test_keys_met_often_are_kept_and_answer_alike() -> None:
    private = sm2.PrivateKey.generate()
    public, signature = private.public_key().to_bytes(compressed=True), private.sign(b"message")
    keys = sm2.KeptKeys(bytes_max=1 << 20)
    for _ in range(10):
        keys.verify(public, signature, b"message")
        with pytest.raises(sm2.InvalidSignatureError):
            keys.verify(public, signature, b"another message")
        with pytest.raises(sm2.InvalidSignatureError):
            keys.verify(public, signature, b"message", b"another id")
    assert keys.tables == 1
    assert 50_000 < keys.bytes < 60_000
    with pytest.raises(sm2.InvalidKeyError):
        keys.verify(public[1:], signature, b"message")
    with pytest.raises(ValueError, match="signer id"):
        keys.verify(public, signature, b"message", bytes(8192))
