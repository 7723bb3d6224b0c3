"""The second half of I2: an order's records prepared and signed, and the maker file."""

import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.bench_scan.bureau import Ground
from card_core.kernel import DangerousAct
from card_core.kernel.acts.makers import RegisterMaker
from card_core.kernel.acts.making import OrderMaking
from card_core.store import making_orders
from crypto import sm2
from crypto.keys import KeyFiles
from crypto.random_source import random_bytes
from issuance import engine
from issuance.batches import new_request_id
from issuance.installation import utc_now
from issuance.making import maker_files, preparing
from issuance.making.keys import transport_key_name

MAKER = "M01"


def register_maker(ground: Ground) -> None:
    """One whose private key nobody keeps: its files are never opened."""
    point = sm2.PrivateKey.generate().public_key().to_bytes()
    _decide(ground, RegisterMaker(MAKER, "Benchmark", point), "admin")
    if not isinstance(ground.site.keys, KeyFiles):
        raise TypeError("the benchmark's keys are files")
    ground.site.keys.import_secret(transport_key_name(MAKER, 1), random_bytes(16))


def made(pool: engine.Pool, ground: Ground, batch_id: str, count: int) -> dict[str, float]:
    """Have all cards of an issued batch made; the seconds of each step."""
    kernel, actor = ground.site.kernel, ground.staff["maker"]
    began = time.perf_counter()
    answer = _decide(ground, OrderMaking(batch_id, MAKER, count, skips_bank=True), "maker")
    with ground.site.store.read() as tx:
        order = making_orders.get(tx, str(answer["order_id"]))
    if order is None:
        raise RuntimeError("the order is not there")
    ordered = time.perf_counter()
    preparing.prepare(pool, kernel, order, actor=actor, progress=_nobody_looks)
    prepared = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="sscard-bench-") as folder:
        path = Path(folder) / "cards.ssc"
        maker_files.write_file(
            kernel, order, path, actor=actor, made_at=utc_now(), progress=_nobody_looks
        )
        written = time.perf_counter()
    return {
        "order": ordered - began,
        "prepare": prepared - ordered,
        "file": written - prepared,
    }


def _nobody_looks(_done: int, _all: int) -> None:
    pass


def _decide(ground: Ground, act: DangerousAct, maker: str) -> dict[str, Any]:
    kernel, staff = ground.site.kernel, ground.staff
    proposed = kernel.propose(act, actor=staff[maker], request_id=new_request_id())
    return kernel.approve(
        proposed["approval_id"],
        content_hash=proposed["content_hash"],
        actor=staff["checker"],
        request_id=new_request_id(),
    )
