"""Something done again and again in the background, in a thread of its own, while a block runs."""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def repeated(
    work: Callable[[], object],
    *,
    every_seconds: float,
    name: str,
    failure: str,
    log: logging.Logger,
    at_once: bool = False,
    stop: threading.Event | None = None,
) -> Iterator[None]:
    """Call `work` every so often until the block ends; the last call is waited for.

    name: the thread's. failure: the event that is logged, with no more than the kind of the error,
    when a call raises; the next one comes all the same. at_once: the first call begins now.
    stop: is set when the block ends, for work that takes long and asks.
    """
    stop = stop or threading.Event()

    def run() -> None:
        if not at_once and stop.wait(every_seconds):
            return
        while True:
            try:
                work()
            except Exception as error:  # noqa: BLE001 - a thread that ended would be silence
                code = getattr(error, "code", None)
                level = logging.WARNING if isinstance(code, str) else logging.ERROR
                told = code if isinstance(code, str) else type(error).__name__
                log.log(level, '{"event": "%s", "error": "%s"}', failure, told)
            if stop.wait(every_seconds):
                return

    thread = threading.Thread(target=run, name=name)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
