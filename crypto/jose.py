"""JOSE signatures by SM2: the algorithm `SGD_SM3_SM2` of GM/T 0125 for PyJWT.

    jws = jwt.PyJWS(algorithms=[])
    jws.register_algorithm(jose.ALGORITHM, jose.SM2Algorithm())

A codec made like this knows one algorithm and no other, so nothing in a token can choose a weaker
one. The signature is r and s, 64 bytes, under the default signer id. A key is a JWK of type EC on
the curve `sm2p256v1`, x and y of 32 bytes each.
"""

import json
from typing import Any, Final, Literal, overload

import jwt
from jwt.algorithms import Algorithm
from jwt.types import JWKDict
from jwt.utils import base64url_decode, base64url_encode

from crypto.errors import InvalidKeyError, InvalidSignatureError
from crypto.sm2 import PrivateKey, PublicKey, Verifier

ALGORITHM: Final = "SGD_SM3_SM2"
CURVE: Final = "sm2p256v1"

__all__ = ["ALGORITHM", "CURVE", "SM2Algorithm"]


class SM2Algorithm(Algorithm):
    """Signs with a PrivateKey; verifies with a PublicKey or a Verifier."""

    def prepare_key(self, key: object) -> PrivateKey | PublicKey | Verifier:
        """Take SM2 keys as they are. Raises jwt.InvalidKeyError for all else, secrets included."""
        if not isinstance(key, PrivateKey | PublicKey | Verifier):
            raise jwt.InvalidKeyError("an SM2 key is needed")
        return key

    def sign(self, msg: bytes, key: PrivateKey) -> bytes:
        """Return r and s, 64 bytes."""
        return key.sign(msg)

    def verify(self, msg: bytes, key: PublicKey | Verifier, sig: bytes) -> bool:
        """Whether the signature is valid; PyJWT raises when it is not."""
        try:
            key.verify(sig, msg)
        except InvalidSignatureError:
            return False
        return True

    @overload
    @staticmethod
    def to_jwk(key_obj: PublicKey, as_dict: Literal[True]) -> JWKDict: ...

    @overload
    @staticmethod
    def to_jwk(key_obj: PublicKey, as_dict: Literal[False] = False) -> str: ...

    @staticmethod
    def to_jwk(key_obj: PublicKey, as_dict: bool = False) -> JWKDict | str:
        """Return the JWK of a public key; private keys don't travel as JWK here."""
        point = key_obj.to_bytes()
        jwk = {
            "kty": "EC",
            "crv": CURVE,
            "x": base64url_encode(point[1:33]).decode(),
            "y": base64url_encode(point[33:]).decode(),
        }
        return jwk if as_dict else json.dumps(jwk)

    @staticmethod
    def from_jwk(jwk: str | JWKDict) -> PublicKey:
        """Read the JWK of a public key. Raises crypto.InvalidKeyError, whatever is wrong."""
        try:
            fields: dict[str, Any] = json.loads(jwk) if isinstance(jwk, str) else jwk
            named = (fields["kty"], fields["crv"])
            x, y = base64url_decode(fields["x"]), base64url_decode(fields["y"])
        except (ValueError, TypeError, KeyError, AttributeError):
            raise InvalidKeyError from None
        if named != ("EC", CURVE) or len(x) != len(y):
            raise InvalidKeyError
        return PublicKey.from_bytes(b"\x04" + x + y)
