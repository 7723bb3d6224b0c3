"""When Python looks for garbage: seldom, and never among what a start has made."""

import gc

COLLECT_THRESHOLDS = (50_000, 20, 100)


def collect_less() -> None:
    """Look seldom while the program imports itself: all of that stays, and looking it through
    again and again takes a tenth of a start."""
    gc.set_threshold(*COLLECT_THRESHOLDS)


def settle_memory() -> None:
    """Leave all that start-up made out of garbage collection, and collect less often.

    A full collection over everything that was imported stops every request for tens of
    milliseconds; what requests leave behind is small and mostly freed by its reference counts.
    """
    gc.collect()
    gc.freeze()
    collect_less()
