"""Issuing the cards of released batches from the desk, one batch after the other, in a thread.

How far it is stands in the batch's ledger, for whoever asks, from wherever (`issuance.progress`).
If this process dies, or is stopped, whole chunks are done, and asked again it goes on.
"""

import logging
import threading
from concurrent.futures import ThreadPoolExecutor

from card_core.errors import CardCoreError
from card_core.kernel import Actor, Kernel
from crypto import CryptoError
from issuance import engine
from issuance.console.problems import ConsoleError
from issuance.errors import IssuanceError

WAITING_MAX = 20
_log = logging.getLogger("sscard.console")


class StoppedError(Exception):
    """The console is stopped."""


class Issuing:
    """For threads."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._work = ThreadPoolExecutor(1, thread_name_prefix="issuing")
        self._lock = threading.Lock()
        self._under_way: set[str] = set()
        self._failed: dict[str, tuple[str, str]] = {}
        self._is_stopping = False

    def start(self, batch_id: str, actor: Actor) -> None:
        """Nothing more where it is under way already. Raises ConsoleError (too_many_batches)."""
        with self._lock:
            if batch_id in self._under_way:
                return
            if len(self._under_way) >= WAITING_MAX:
                raise ConsoleError(
                    503,
                    "too_many_batches",
                    "等待发卡的批次太多，请稍后再试",
                    "Too many batches wait to be issued; try again later",
                )
            self._failed.pop(batch_id, None)
            self._under_way.add(batch_id)
        self._work.submit(self._run, batch_id, actor)

    def is_under_way(self, batch_id: str) -> bool:
        """Here: another process may issue it, too."""
        with self._lock:
            return batch_id in self._under_way

    def failure(self, batch_id: str) -> tuple[str, str] | None:
        """What ended the last try here, in Chinese and English."""
        with self._lock:
            return self._failed.get(batch_id)

    def close(self) -> None:
        """End after the chunk that is under way."""
        self._is_stopping = True
        self._work.shutdown(cancel_futures=True)

    def _run(self, batch_id: str, actor: Actor) -> None:
        failure = None
        try:
            with engine.here(self._kernel) as pool:
                engine.issue(pool, self._kernel.store, batch_id, actor=actor, progress=self._go_on)
        except StoppedError:
            pass
        except (CardCoreError, IssuanceError) as error:
            failure = (error.message_zh, error.message_en)
        except (CryptoError, RuntimeError, OSError) as error:
            _log.error('{"event": "issuing_failed", "error": "%s"}', type(error).__name__)
            failure = ("发卡中断，请再试一次", "Issuing was interrupted; try again")
        with self._lock:
            self._under_way.discard(batch_id)
            if failure is not None:
                self._failed[batch_id] = failure

    def _go_on(self, _done: int, _of: int) -> None:
        if self._is_stopping:
            raise StoppedError
