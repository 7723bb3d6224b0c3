"""A holder's phones: register, list, remove, and fetch credentials for the days ahead."""

from datetime import UTC, datetime

from card_core.errors import InvalidActError
from card_core.kernel import Actor
from card_core.kernel.acts.devices import DayKey, RegisterDevice, RemoveDevice
from card_core.store import devices
from card_core.store.devices import Grade
from scan_api import problems
from scan_api.holders import session
from scan_api.holders.device_models import (
    CredentialRequest,
    Credentials,
    CredentialView,
    DeviceRegistration,
    Devices,
    DeviceView,
    RegisteredDevice,
)
from scan_api.holders.idempotency import HeldKey, keys_told_apart, perform_once
from scan_api.problems import ProblemError
from scan_api.services import Services


def list_devices(services: Services, holder: Actor, challenge: bytes) -> Devices:
    with services.store.read() as tx:
        found = devices.of_holder(tx, holder.id)
    return Devices(
        challenge=challenge.hex(),
        server_time=services.clock(),
        devices=[
            DeviceView(device_id=one.id, grade=one.grade, registered_at=one.registered_at)
            for one in found
        ],
    )


def register_device(
    services: Services,
    holder: Actor,
    held: HeldKey,
    challenge: bytes,
    request: DeviceRegistration,
    *,
    from_page: bool,
) -> RegisteredDevice:
    """An app's codes may consume, so that an open session alone is not enough to register one.

    from_page: whether a browser says that a page asks. Then it is no app, whatever the page says:
    a script in a browser can keep no key from another script of its page.

    Raises: ProblemError (sign_in_refused); KernelError, SignInError.
    """
    if from_page and request.grade is not Grade.BROWSER:
        raise InvalidActError(
            "grade", "浏览器只能登记为 browser", "a page in a browser can only register as browser"
        )
    act = RegisterDevice(
        grade=request.grade,
        public_key=bytes.fromhex(request.public_key),
        challenge=challenge,
        signature=bytes.fromhex(request.signature),
    )
    if request.grade is Grade.APP:
        if request.password is None:
            raise ProblemError(problems.SIGN_IN_REFUSED)
        session.check_password(services, holder, request.password)
    with keys_told_apart():
        answer = services.kernel.perform(act, actor=holder, request_id=held.key)
    return RegisteredDevice(device_id=answer["device_id"], grade=answer["grade"])


def remove_device(services: Services, holder: Actor, held: HeldKey, device_id: str) -> None:
    """Raises: KernelError."""
    perform_once(services.kernel, held, lambda: RemoveDevice(device_id), holder=holder)


def fetch_credentials(
    services: Services,
    holder: Actor,
    held: HeldKey,
    *,
    challenge: bytes,
    device_id: str,
    request: CredentialRequest,
) -> Credentials:
    """Raises: CardUnusableError, KernelError."""
    keys = [
        DayKey(
            datetime.fromtimestamp(key.expires_at, UTC),
            bytes.fromhex(key.public_key),
            bytes.fromhex(key.signature),
        )
        for key in request.keys
    ]
    with keys_told_apart():
        issued = services.credential_issuer.issue(
            holder,
            device_id,
            challenge=challenge,
            keys=keys,
            signature=bytes.fromhex(request.signature),
            request_id=held.key,
        )
    return Credentials(
        credentials=[
            CredentialView(
                expires_at=int(one.expires_at.timestamp()), credential=one.credential.hex()
            )
            for one in issued
        ]
    )
