"""SGD_SM3_SM2 in PyJWT."""

import json
from typing import Any

import jwt
import pytest

from crypto import InvalidKeyError, jose, sm2

KEY = sm2.PrivateKey.from_bytes(bytes(31) + b"\x07")


@pytest.fixture
def codec() -> Any:
    """A codec of this one algorithm. Untyped: PyJWT's hints name the keys that it knows itself."""
    jws = jwt.PyJWS(algorithms=[])
    jws.register_algorithm(jose.ALGORITHM, jose.SM2Algorithm())
    return jws


def test_token_signed_here_is_accepted_by_key_and_by_kept_key(codec: Any) -> None:
    token = codec.encode(b"payload", KEY, algorithm=jose.ALGORITHM)
    assert jwt.get_unverified_header(token)["alg"] == "SGD_SM3_SM2"
    for key in (KEY.public_key(), sm2.Verifier(KEY.public_key())):
        assert codec.decode(token, key, algorithms=[jose.ALGORITHM]) == b"payload"


def test_signature_is_64_bytes_over_header_and_payload(codec: Any) -> None:
    token = codec.encode(b"payload", KEY, algorithm=jose.ALGORITHM)
    signed, _, signature = token.rpartition(".")
    raw = jwt.utils.base64url_decode(signature)
    assert len(raw) == 64
    KEY.public_key().verify(raw, signed.encode())


def test_changed_payload_other_key_and_missing_signature_are_refused(codec: Any) -> None:
    token = codec.encode(b"payload", KEY, algorithm=jose.ALGORITHM)
    header, _, signature = token.split(".")
    other = jwt.utils.base64url_encode(b"paid").decode()
    stranger = sm2.PrivateKey.generate().public_key()
    for bad, key in [
        (f"{header}.{other}.{signature}", KEY.public_key()),
        (token.rpartition(".")[0] + ".", KEY.public_key()),
        (token, stranger),
    ]:
        with pytest.raises(jwt.InvalidSignatureError):
            codec.decode(bad, key, algorithms=[jose.ALGORITHM])


@pytest.mark.parametrize("weaker", ["none", "HS256"])
def test_token_can_not_choose_another_algorithm(codec: Any, weaker: str) -> None:
    secret = KEY.public_key().to_bytes()
    token = jwt.PyJWS().encode(b"payload", "" if weaker == "none" else secret, algorithm=weaker)
    with pytest.raises(jwt.InvalidAlgorithmError):
        codec.decode(token, KEY.public_key(), algorithms=[jose.ALGORITHM, weaker])


@pytest.mark.parametrize("key", [b"secret", "secret", None, 7])
def test_anything_but_an_sm2_key_is_refused(codec: Any, key: object) -> None:
    with pytest.raises(jwt.InvalidKeyError):
        codec.encode(b"payload", key, algorithm=jose.ALGORITHM)


def test_jwk_goes_there_and_back() -> None:
    jwk = jose.SM2Algorithm.to_jwk(KEY.public_key(), as_dict=True)
    assert (jwk["kty"], jwk["crv"]) == ("EC", "sm2p256v1")
    assert "d" not in jwk
    assert jose.SM2Algorithm.from_jwk(jwk) == KEY.public_key()
    assert (
        jose.SM2Algorithm.from_jwk(jose.SM2Algorithm.to_jwk(KEY.public_key())) == KEY.public_key()
    )


@pytest.mark.parametrize(
    "change",
    [{"kty": "OKP"}, {"crv": "P-256"}, {"x": "AAAA"}, {"y": None}, {"x": 7}, {"y": "A" * 43}],
)
def test_jwk_of_another_curve_shape_or_point_is_refused(change: dict[str, object]) -> None:
    jwk = jose.SM2Algorithm.to_jwk(KEY.public_key(), as_dict=True) | change
    with pytest.raises(InvalidKeyError):
        jose.SM2Algorithm.from_jwk(json.dumps(jwk))


@pytest.mark.parametrize("text", ["", "[]", "7", "{}", "no json"])
def test_what_is_no_jwk_is_refused(text: str) -> None:
    with pytest.raises(InvalidKeyError):
        jose.SM2Algorithm.from_jwk(text)
