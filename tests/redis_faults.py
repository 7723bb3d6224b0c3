"""What Redis may be while it is away, and how it comes back."""

from collections.abc import Callable

from servers.ports import free_port
from servers.redis import RedisServer
from stream_proxy import StreamProxy

Fault = Callable[[RedisServer, StreamProxy], object]

# By name: how it begins, and how it ends.
FAULTS: dict[str, tuple[Fault, Fault]] = {
    "killed": (lambda server, _: server.kill(), lambda server, _: server.start()),
    "frozen": (lambda server, _: server.freeze(), lambda server, _: server.thaw()),
    "black-hole": (lambda _, proxy: proxy.swallow(), lambda _, proxy: proxy.deliver()),
    "full": (
        lambda server, _: server.client().config_set("maxmemory", 1),
        lambda server, _: server.client().config_set("maxmemory", 0),
    ),
    "read-only": (
        lambda server, _: server.client().replicaof("127.0.0.1", free_port()),
        lambda server, _: server.client().replicaof("NO", "ONE"),
    ),
}
