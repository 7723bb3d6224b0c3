"""Trust lists for tests: authorities, entries, and documents that they signed."""

from datetime import datetime, timedelta

from bureau import Bureau, MemorySigner

from card_core import trust
from card_core.codes import KeyPurpose, KeyState
from card_core.kernel.acts.trust import ImportTrustList, PinTrustAuthority
from card_core.trust import TrustedIssuer, TrustedKey, TrustList
from crypto import sm2

PROVINCE = MemorySigner(sm2.PrivateKey.generate())


def entry(
    number: int = 2,
    *,
    keys: tuple[TrustedKey, ...] = (),
    service_url: str | None = "https://two.example",
    status_list_url: str | None = None,
) -> TrustedIssuer:
    return TrustedIssuer(number, "邻市社保卡中心", service_url, status_list_url, keys)


def key(
    signer: MemorySigner | None = None,
    purpose: KeyPurpose = KeyPurpose.CODE_SIGNING,
    *,
    number: int = 1,
    state: KeyState = KeyState.ACTIVE,
    **bounds: datetime,
) -> TrustedKey:
    signer = signer or MemorySigner(sm2.PrivateKey.generate())
    return TrustedKey(purpose, number, signer.public_key, state, **bounds)


def trust_list(
    now: datetime, *issuers: TrustedIssuer, edition: int = 1, days: float = 30
) -> TrustList:
    now = now.replace(microsecond=0)
    return TrustList(edition, now, now + timedelta(days=days), issuers)


def document(
    now: datetime, *issuers: TrustedIssuer, signer: MemorySigner = PROVINCE, **how: float
) -> bytes:
    return trust.sign(trust_list(now, *issuers, **how), signer)  # type: ignore[arg-type]


def pin(bureau: Bureau, signer: MemorySigner = PROVINCE) -> None:
    point = signer.public_key.to_bytes(compressed=True)
    bureau.decide(PinTrustAuthority(point), bureau.administrator, bureau.security)


def take(bureau: Bureau, signed: bytes) -> None:
    bureau.decide(ImportTrustList(signed), bureau.administrator, bureau.security)
