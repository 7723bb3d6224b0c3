"""Tickets (登录码): how a browser comes by the session of an operator whose key is not in it.

    7KQM-X2VT-NC9R

An SM2 key can't be used in a browser, so it signs where it lies (`sscard operator desk`). The
answer to that program is a ticket, which the operator reads there and types into the sign-in page:

1. It stands in no address: not in a history, a log, a referrer or a list of processes.
2. Nobody else can put a browser into their own session by a link (login CSRF): a page must be
   given a ticket by the person before it, and never sends one by itself.
3. It is good once, for a minute. What comes twice was read by somebody else: the session that the
   first use opened ends, too.
4. An operator has one ticket at a time, and one that is never used takes its session with it.

Twelve characters are 60 random bits: with every place taken, a million guesses hit with a chance
of one in four billion. So no guess need be counted, and nobody can shut the door by guessing.
"""

import re
import threading
from collections import OrderedDict
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from card_core.errors import CardCoreError
from card_core.kernel import Kernel
from card_core.kernel.enrolment_codes import ALPHABET, READ_AS
from card_core.sign_in import SignedIn, sign_out
from crypto import sm3
from issuance.console.problems import ConsoleError

TICKET_LASTS: Final = timedelta(minutes=1)
TICKETS_MAX: Final = 256
_CHARACTERS: Final = 12
_GROUP: Final = 4
_RANDOM_BYTES: Final = 8
_TICKET: Final = re.compile(rf"[{ALPHABET}]{{{_CHARACTERS}}}")


@dataclass(slots=True, repr=False)
class _Waiting:
    opened: SignedIn
    ends_at: datetime
    is_spent: bool = False


class Tickets:
    """Sessions that wait for their browser, in this process alone. For threads.

    They lie under a digest of their ticket, so that how long a look takes tells nothing of it.
    """

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._waiting: OrderedDict[bytes, _Waiting] = OrderedDict()
        self._lock = threading.Lock()

    def give(self, opened: SignedIn) -> tuple[str, datetime]:
        """A ticket for a session that was just opened, as people read it, and until when."""
        bits = int.from_bytes(self._kernel.random_bytes(_RANDOM_BYTES))
        text = "".join(ALPHABET[bits >> 5 * at & 31] for at in range(_CHARACTERS))
        with self._lock:
            over = self._take_what_is_over() + self._take_before(opened)
            ends_at = self._kernel.clock() + TICKET_LASTS
            self._waiting[sm3.digest(text.encode())] = _Waiting(opened, ends_at)
        self._end(over)
        starts = range(0, _CHARACTERS, _GROUP)
        return "-".join(text[start : start + _GROUP] for start in starts), ends_at

    def redeem(self, typed: str) -> SignedIn:
        """The session of a ticket, in any case, with hyphens and spaces or without.

        Raises ConsoleError (ticket_refused), whatever is wrong with it.
        """
        text = typed.upper().translate(READ_AS)
        with self._lock:
            over = self._take_what_is_over()
            found = (
                self._waiting.get(sm3.digest(text.encode())) if _TICKET.fullmatch(text) else None
            )
            is_first = found is not None and not found.is_spent
            if found is not None:
                found.is_spent = True
        self._end(over)
        if found is not None and is_first:
            return found.opened
        if found is not None:
            sign_out(self._kernel, found.opened.token)
        raise ConsoleError(
            401,
            "ticket_refused",
            "登录码不对、已用过或已超过一分钟。请再运行一次命令，填新的登录码",
            "The ticket is wrong, was used, or is over a minute old. Run the command again",
        )

    def close(self) -> None:
        """End the sessions that no browser came for."""
        with self._lock:
            left = [one for one in self._waiting.values() if not one.is_spent]
            self._waiting.clear()
        self._end(left)

    def _take_what_is_over(self) -> list[_Waiting]:
        """Those past their minute, whose sessions nobody came for."""
        now = self._kernel.clock()
        return self._take([at for at, one in self._waiting.items() if one.ends_at <= now])

    def _take_before(self, opened: SignedIn) -> list[_Waiting]:
        """Those that go for a new one: the operator's own, and the oldest where all is full."""
        own = [
            at
            for at, one in self._waiting.items()
            if one.opened.actor == opened.actor and not one.is_spent
        ]
        taken = self._take(own)
        if len(self._waiting) >= TICKETS_MAX:
            taken += self._take([next(iter(self._waiting))])
        return taken

    def _take(self, digests: list[bytes]) -> list[_Waiting]:
        taken = [self._waiting.pop(at) for at in digests]
        return [one for one in taken if not one.is_spent]

    def _end(self, waiting: list[_Waiting]) -> None:
        for one in waiting:
            # Another's ticket must not fail by it; an idle session ends by itself, too.
            with suppress(CardCoreError):
                sign_out(self._kernel, one.opened.token)
