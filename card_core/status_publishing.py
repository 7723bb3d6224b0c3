"""Making status lists and the bundle, again and again, in the background of a service."""

from collections.abc import Callable
from datetime import datetime
from typing import Final

from card_core.codes import KeyPurpose
from card_core.kernel import Act, Actor, ActorKind, Answer, Kernel
from card_core.kernel.acts.status import (
    PrepareBundle,
    PrepareStatusList,
    PublishBundle,
    PublishStatusList,
    bundle_content,
    is_bundle_due,
    is_list_due,
)
from card_core.kernel.days import DAY, days_carried, end_of_day
from card_core.signing import SigningKeys
from card_core.store import Store, bundles

EVERY_SECONDS: Final = 15
# A round ends here even if changes come faster than lists are made; the next one goes on.
VERSIONS_A_ROUND_MAX: Final = 40
_PUBLISHING: Final = Actor(ActorKind.SYSTEM, "status")


class StatusPublisher:
    """Signs under the issuer's status key of that instant. Several processes may each have one."""

    def __init__(
        self,
        store: Store,
        kernel: Kernel,
        signing_keys: SigningKeys,
        *,
        clock: Callable[[], datetime],
        random_bytes: Callable[[int], bytes],
    ) -> None:
        self._store = store
        self._kernel = kernel
        self._signing_keys = signing_keys
        self._issuer = signing_keys.issuer
        self._clock = clock
        self._random_bytes = random_bytes

    def round(self) -> int:
        """Make what is due and return how many versions were published.

        To be called every EVERY_SECONDS, so that what changed is out within a minute. What is not
        due costs a look and leaves no trace. Raises CardCoreError, CryptoError.
        """
        made = 0
        for day in self._days():
            while made < VERSIONS_A_ROUND_MAX and self._is_due(day) and self._make_list(day):
                made += 1
        return made + self._make_bundle()

    def _days(self) -> list[datetime]:
        """The lists that terminals carry, and tomorrow's, so that it is there when they do."""
        now = self._clock()
        return sorted({*days_carried(now), end_of_day(now) + DAY})

    def _is_due(self, day: datetime) -> bool:
        with self._store.read() as tx:
            return is_list_due(tx, self._issuer, day, self._clock())

    def _make_list(self, day: datetime) -> bool:
        key = self._signing_keys.current(KeyPurpose.STATUS)
        prepared = self._perform(PrepareStatusList(self._issuer, key.number, day))
        if prepared["to_be_signed"] is None:
            return False
        signature = key.signer.sign(bytes.fromhex(prepared["to_be_signed"]))
        version = prepared["list_version"]
        self._perform(PublishStatusList(self._issuer, day, version, signature))
        return True

    def _make_bundle(self) -> int:
        now = self._clock()
        with self._store.read() as tx:
            last = bundles.latest(tx, self._issuer)
            content = bundle_content(tx, self._issuer, now)
            is_due = is_bundle_due(tx, last, content, now)
        if not is_due:
            return 0
        key = self._signing_keys.current(KeyPurpose.STATUS)
        prepared = self._perform(PrepareBundle(self._issuer, key.number))
        if prepared["to_be_signed"] is None:
            return 0
        signature = key.signer.sign(bytes.fromhex(prepared["to_be_signed"]))
        version = prepared["bundle_version"]
        self._perform(PublishBundle(self._issuer, version, signature))
        return 1

    def _perform(self, act: Act) -> Answer:
        return self._kernel.perform(act, actor=_PUBLISHING, request_id=self._random_bytes(16).hex())
