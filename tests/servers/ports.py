"""Ports on loopback for servers that must know theirs before they listen."""

import itertools
import random
import socket

# Below the ports that Linux gives to connections (32768 and up): nothing else on the machine takes
# one of these between this look and the server's start, or while a server is down for a moment.
RANGE = range(10_000, 32_000)
# Test processes run beside one another, so each goes through the ports in an order of its own.
_candidates = itertools.cycle(random.SystemRandom().sample(RANGE, len(RANGE)))


def free_port() -> int:
    """A port that nothing listens on, and that this process has not been given lately."""
    for port in itertools.islice(_candidates, len(RANGE)):
        with socket.socket() as probe:
            # As servers do: a connection that ended a moment ago is no reason to refuse.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise OSError(f"nothing is free on 127.0.0.1 between {RANGE.start} and {RANGE.stop}")
