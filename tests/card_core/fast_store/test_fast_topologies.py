"""Sentinel and cluster: the same promises, where another server takes over by itself."""

import asyncio
import time
from pathlib import Path

import pytest
from fast_rig import (
    BACK_WITHIN_SECONDS,
    accepted,
    new_code,
    redis_worker,
    sqlite_kernel,
    until_accepting,
)
from redis.crc import key_slot
from servers.redis import RedisServer, join_cluster, make_cluster, make_sentinels, running
from stream_proxy import StreamProxy

from card_core.fast_store import layout
from card_core.fast_store.redis_store import RedisFastStore

COUNTS = [64, pytest.param(1000, marks=pytest.mark.long)]


def until_announced(sentinel: RedisServer, port: int) -> None:
    sentinel.wait_until(
        lambda: sentinel.client().sentinel_get_master_addr_by_name("codes")[1] == port
    )


@pytest.mark.alone
@pytest.mark.parametrize("count", COUNTS)
def test_sentinels_fail_over_to_a_replica_that_missed_the_marks(tmp_path: Path, count: int) -> None:
    master = RedisServer(tmp_path / "master", "save ''", "repl-diskless-sync-delay 0")
    replica = RedisServer(tmp_path / "replica", "save ''")
    sentinels = make_sentinels(tmp_path, master)

    async def scenario(stream: StreamProxy) -> None:
        hosts = ",".join(sentinel.address for sentinel in sentinels)
        url = f"redis+sentinel://{hosts}/codes"
        async with redis_worker(sqlite_kernel(tmp_path), url) as store:
            stream.swallow()
            codes = [new_code() for _ in range(count)]
            assert await accepted(store, codes) == count
            master.kill()
            await asyncio.to_thread(until_announced, sentinels[0], replica.port)
            promoted_at = time.monotonic()
            meanwhile = await accepted(store, codes[:20])
            await until_accepting(store)
            assert time.monotonic() - promoted_at < BACK_WITHIN_SECONDS
            assert meanwhile + await accepted(store, codes) == 0

    with running(master, replica), StreamProxy.running(master.port) as stream:
        replica.replicate(stream.port)
        with running(*sentinels):
            for sentinel in sentinels:
                sentinel.wait_until(
                    lambda sentinel=sentinel: _sees_all(sentinel.client(), len(sentinels))
                )
            asyncio.run(scenario(stream))


def _sees_all(client: object, sentinels: int) -> bool:
    found = client.sentinel_masters()["codes"]  # type: ignore[attr-defined]
    return found["num-slaves"] == 1 and found["num-other-sentinels"] == sentinels - 1


@pytest.mark.alone
@pytest.mark.parametrize("count", COUNTS)
def test_a_primary_of_a_cluster_dies(tmp_path: Path, count: int) -> None:
    nodes = make_cluster(tmp_path)

    async def scenario() -> None:
        url = "redis+cluster://" + ",".join(node.address for node in nodes[:3])
        async with redis_worker(sqlite_kernel(tmp_path), url) as store:
            codes = [new_code(ecard_id) for ecard_id in range(1, count + 1)]
            assert await accepted(store, codes) == count
            assert await accepted(store, codes) == 0
            assert len(set(store._links)) == 3, "the shards are not shared out"
            nodes[0].kill()
            at_once = await accepted(store, codes)
            await asyncio.to_thread(wait_for_three_primaries, nodes[1])
            repaired_at = time.monotonic()
            for ecard_id in range(1, layout.SHARDS, 8):
                await until_accepting(store, ecard_id)
            assert time.monotonic() - repaired_at < BACK_WITHIN_SECONDS
            assert at_once + await accepted(store, codes) == 0

    with running(*nodes):
        join_cluster(nodes)
        asyncio.run(scenario())


def wait_for_three_primaries(node: RedisServer) -> None:
    def repaired() -> bool:
        slots = node.client().execute_command("CLUSTER SLOTS")
        info = node.client().cluster("INFO")
        ports = {master[1] for _, _, master, *_ in slots}
        return info["cluster_state"] == "ok" and len(ports) == 3

    def dead_is_replaced() -> bool:
        nodes = node.client().cluster("NODES")
        failed = [one for one in nodes.values() if "fail" in one["flags"]]
        return bool(failed) and all(not one["slots"] for one in failed) and repaired()

    node.wait_until(dead_is_replaced)


def test_slots_that_move_to_another_primary_put_the_epoch_in_doubt(tmp_path: Path) -> None:
    nodes = make_cluster(tmp_path)

    async def scenario() -> None:
        url = "redis+cluster://" + ",".join(node.address for node in nodes[:3])
        async with redis_worker(sqlite_kernel(tmp_path), url) as store:
            ecard_id = next(
                ecard_id for ecard_id in range(1, 65) if holder_of(store, ecard_id) == nodes[0].port
            )
            code = new_code(ecard_id)
            assert await accepted(store, [code]) == 1
            # The slot is given to another node without its keys, as after a clumsy repair.
            slot = key_slot(layout.hash_tag(layout.shard_of(ecard_id)))
            nodes[1].client().execute_command("CLUSTER BUMPEPOCH")
            name = nodes[1].client().cluster("MYID").decode()
            for node in (nodes[1], nodes[0], nodes[2]):
                give_slot(node, slot, name)
            assert await accepted(store, [code]) == 0
            await until_accepting(store, ecard_id)
            assert await accepted(store, [code]) == 0

    with running(*nodes):
        join_cluster(nodes)
        asyncio.run(scenario())


def holder_of(store: RedisFastStore, ecard_id: int) -> int:
    assert store._routes is not None
    return store._routes.by_shard[layout.shard_of(ecard_id)].port


def give_slot(node: RedisServer, slot: int, name: str) -> None:
    """Have a node believe it; one that still holds keys of the slot loses them first."""
    client = node.client()

    def given() -> bool:
        keys = client.execute_command("CLUSTER GETKEYSINSLOT", slot, 10_000)
        for key in keys:
            client.delete(key)
        return bool(client.execute_command("CLUSTER SETSLOT", slot, "NODE", name))

    node.wait_until(given)
