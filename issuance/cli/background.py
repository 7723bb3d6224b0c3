"""What one serving process of an installation does besides answering, in either form of `serve`."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from issuance.cli import serving
from issuance.cli.checkpointing import checkpointing
from issuance.cli.erasing import erasing
from issuance.cli.lapsing import lapsing
from issuance.cli.partitioning import partitioning
from issuance.cli.publishing import fetching_peer_lists, publishing
from issuance.cli.relaying import relaying
from issuance.cli.resealing import resealing
from issuance.installation import Installation
from scan_api.clock_watch import ClockWatch


@contextmanager
def in_background(site: Installation, clock: ClockWatch) -> Iterator[None]:
    """Each by itself, until the block ends; one that fails is logged, and tried again."""
    with ExitStack() as stack:
        stack.enter_context(partitioning(site.store, clock))
        stack.enter_context(serving.swept(site.kernel, clock))
        stack.enter_context(lapsing(site.kernel, clock))
        stack.enter_context(checkpointing(site, clock))
        stack.enter_context(relaying(site))
        stack.enter_context(resealing(site.kernel))
        stack.enter_context(erasing(site.kernel, clock))
        stack.enter_context(publishing(site, clock))
        stack.enter_context(fetching_peer_lists(site, clock))
        yield
