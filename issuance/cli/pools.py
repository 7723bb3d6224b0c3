"""Where a batch's chunks are done: in this process, by several, or by a scheduler's machines."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from issuance import engine
from issuance.cli.desk import Desk
from issuance.cli.engine import load_cluster

WorkersOption = Annotated[
    int | None,
    typer.Option(
        min=1,
        max=64,
        help="最多几个进程，默认按处理器数。\n\nProcesses at most, by default one a core.",
    ),
]
SchedulerOption = Annotated[
    str | None,
    typer.Option(
        metavar="ADDRESS",
        help="交给此调度器下的各机器（sscard engine-worker）。\n\nBy a scheduler's machines.",
    ),
]


@contextmanager
def opened_pool(
    desk: Desk, chunks: int, workers: int | None, scheduler: str | None = None
) -> Iterator[engine.Pool]:
    """Where the chunks that are left are done. Raises EngineError."""
    if scheduler is not None:
        cluster = load_cluster()
        at = cluster.endpoint(scheduler, desk.settings.engine_certificate)
        with cluster.cluster(at) as pool:
            yield pool
        return
    count = engine.workers_for(desk.site, chunks, workers)
    with (
        engine.here(desk.site.kernel)
        if count == 1
        else engine.processes(desk.settings, desk.passphrase, count) as pool
    ):
        yield pool
