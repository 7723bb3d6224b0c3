"""Issuing device credentials: the kernel writes their rows, then the key signs them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from card_core import codes
from card_core.business_types import ALL_PURPOSES
from card_core.codes import DeviceCredential, KeyPurpose, Presence, PurposeClass
from card_core.errors import CardUnusableError, NotFoundError
from card_core.kernel import Actor, Answer, Kernel
from card_core.kernel.acts.devices import DayKey, IssueDeviceCredentials
from card_core.signing import NoSigningKeyError, SigningKey, SigningKeys
from card_core.store import Store, devices
from card_core.verdicts import Reason
from crypto.keys import Signer


@dataclass(frozen=True, slots=True)
class IssuedCredential:
    """expires_at: aware; the end of its day. credential: 113 bytes, as a code begins."""

    expires_at: datetime
    credential: bytes


class CredentialIssuer:
    """Issues credentials of one issuer, under the key that signs at that instant."""

    def __init__(self, store: Store, kernel: Kernel, signing_keys: SigningKeys) -> None:
        self._store = store
        self._kernel = kernel
        self._signing_keys = signing_keys

    def issue(
        self,
        holder: Actor,
        device_id: str,
        *,
        challenge: bytes,
        keys: Sequence[DayKey],
        signature: bytes,
        request_id: str,
    ) -> list[IssuedCredential]:
        """Return a credential for each day; for the same request id the same bytes again.

        Raises CardUnusableError with the reason that a scan would get; KernelError, StoreError.
        """
        with self._store.read() as tx:
            device = devices.get(tx, device_id)
        if device is None or device.holder_id != holder.id:
            raise NotFoundError("device")
        # 1 a key that will sign, before anything is written
        key = self._signing_key()
        # 2 the rows
        act = IssueDeviceCredentials(
            device_id=device_id,
            device_key=device.public_key,
            challenge=challenge,
            keys=tuple(keys),
            signature=signature,
            issuer=self._signing_keys.issuer,
        )
        answer = self._kernel.perform(act, actor=holder, request_id=request_id)
        if "signed" in answer:
            return _issued(answer)
        # 3 the signatures, with no transaction open
        signed = [
            _sign(
                key.signer,
                DeviceCredential(
                    issuer=answer["issuer"],
                    key_number=key.number,
                    expires_at=datetime.fromtimestamp(one["expires_at"], UTC),
                    purpose_class=PurposeClass(answer["purpose_class"]),
                    purposes=ALL_PURPOSES,
                    status_index=one["status_index"],
                    device_key=bytes.fromhex(one["device_key"]),
                    presence=Presence(answer["presence"]),
                ),
            ).hex()
            for one in answer["credentials"]
        ]
        # 4 kept before anybody gets them, so that a retry gets the same ones
        return _issued(self._kernel.complete(request_id, {"signed": signed}, actor=holder))

    def _signing_key(self) -> SigningKey:
        try:
            return self._signing_keys.current(KeyPurpose.DEVICE_CREDENTIAL)
        except NoSigningKeyError:
            raise CardUnusableError(Reason.KEY_NOT_ACTIVE) from None


def _sign(signer: Signer, credential: DeviceCredential) -> bytes:
    to_be_signed = credential.to_be_signed()
    return codes.assemble_credential(to_be_signed, signer.sign(to_be_signed))


def _issued(answer: Answer) -> list[IssuedCredential]:
    return [
        IssuedCredential(datetime.fromtimestamp(one["expires_at"], UTC), bytes.fromhex(signed))
        for one, signed in zip(answer["credentials"], answer["signed"], strict=True)
    ]
