"""The profile of an installation: which password hashes and second factors it admits."""

from enum import StrEnum


class Profile(StrEnum):
    """Chosen at the founding, and kept.

    sm: only algorithms of the SM series, as an assessment of commercial cryptography (密评, GB/T
    39786) asks: passwords by PBKDF2-HMAC-SM3, an SM2 key as the second factor.
    standard: passwords by Argon2id; as the second factor an SM2 key or a dynamic password (TOTP).
    """

    SM = "sm"
    STANDARD = "standard"

    @property
    def admits_dynamic_passwords(self) -> bool:
        return self is Profile.STANDARD
