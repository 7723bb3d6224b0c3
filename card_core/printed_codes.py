"""Printed codes (打印码): what a kiosk prints for a holder without a phone.

On the paper there are 28 digits, in the form of a short code. A code that its holder shows on a
screen lives a minute; paper is carried to a window first. So the digits stand for nothing until
they are shown: then a code is made of the holder's e-card as it is at that moment, and kept. From
then on the digits are a name of that one code, which lives its minute and is spent once like any
other: whoever shows the paper a second time shows the same code.

A printed code is for seeing a doctor and getting medicine: signed for these purposes, and no other.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Final

from card_core.business_types import Purpose
from card_core.codes import RefusedError
from card_core.codes.short_text import SHORT_CODE_DIGITS
from card_core.errors import CardUnusableError
from card_core.kernel import Actor, Kernel
from card_core.kernel.acts.printed_codes import PrintCode
from card_core.minting import Minter
from card_core.store import Store
from card_core.store import printed_codes as stored
from card_core.verdicts import Reason

PURPOSES: Final = Purpose.MEDICAL_IDENTIFY | Purpose.SETTLE | Purpose.DISPENSE


class PrintedCodes:
    """Prints codes, and finds what a paper stands for."""

    def __init__(
        self,
        store: Store,
        kernel: Kernel,
        minter: Minter,
        *,
        random_bytes: Callable[[int], bytes],
    ) -> None:
        self._store = store
        self._kernel = kernel
        self._minter = minter
        self._random_bytes = random_bytes

    def print(self, holder: Actor) -> tuple[str, datetime]:
        """New digits for the holder, who acts at a service channel, and until when they are good.

        Whoever got no answer prints again: the digits from before end, and nothing is kept of them.
        Raises CardUnusableError, KernelError, StoreError.
        """
        number = int.from_bytes(self._random_bytes(16)) % 10**SHORT_CODE_DIGITS
        text = f"{number:0{SHORT_CODE_DIGITS}d}"
        with self._store.read() as tx:
            index = stored.index(tx, text)
        request_id = self._random_bytes(16).hex()
        answer = self._kernel.perform(PrintCode(index), actor=holder, request_id=request_id)
        return text, datetime.fromisoformat(answer["valid_until"])

    def find_code(self, text: str) -> str | None:
        """The long code that the digits stand for, made now if they are shown for the first time.

        None for digits that were never printed, or long ago.
        Raises RefusedError where it can't be made (any more); StoreError.
        """
        with self._store.read() as tx:
            found = stored.find(tx, stored.index(tx, text))
        if found is None or found.code is not None:
            return None if found is None else found.code
        if self._kernel.clock() >= found.valid_until:
            raise RefusedError(Reason.EXPIRED)
        try:
            minted = self._minter.mint(found.holder_id, purposes=PURPOSES)
        except CardUnusableError as error:
            raise RefusedError(Reason(error.reason)) from None
        return self._kernel.keep_code_of_print(found.id, minted.text)
