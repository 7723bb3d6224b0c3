"""One worker of `sscard serve --workers`: a whole service on a socket that it is given.

    python -m issuance.cli.worker CONTROL LISTENING      (numbers of two inherited sockets)

Started anew, never forked: each has its own keys, random state and connections to the database.
It ends when it is told to, by SIGTERM or SIGINT, and when the process that started it is gone.
"""

import os
import signal
import socket
import sys
import threading
from contextlib import ExitStack

from issuance.cli import serving
from issuance.cli.background import in_background
from issuance.cli.channel import Channel, Message
from issuance.cli.core_dumps import forbid_core_dumps
from issuance.cli.log_following import following_log
from issuance.cli.log_lines import log_to_stderr
from issuance.garbage import settle_memory
from issuance.installation import open_installation
from issuance.settings import Settings
from scan_api.overload import Admission


def main() -> int:
    """Returns the exit code: 0 after an orderly end."""
    forbid_core_dumps()
    # A closed terminal means "roll over" to the parent, and nothing to its workers.
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    control, listening = (socket.socket(fileno=int(number)) for number in sys.argv[1:3])
    channel = Channel(control)
    orders = channel.receive()
    if orders is None:
        return 1
    try:
        with log_to_stderr():
            _serve(channel, listening, orders)
    except Exception as error:  # noqa: BLE001 - the parent says it, in words
        # It brings the whole command line, which a worker that serves has no use for.
        from issuance.cli.failures import explain  # noqa: PLC0415 - only where a start fails

        zh, en = explain(error)
        channel.send("failed", zh=zh, en=en)
        return 1
    finally:
        channel.close()
    return 0


def _serve(channel: Channel, listening: socket.socket, orders: Message) -> None:
    serving.check_self_tests()
    settings = Settings.from_environment(os.environ)
    admission = Admission()
    with ExitStack() as stack:
        site = stack.enter_context(open_installation(settings, orders["passphrase"].encode()))
        clock = serving.make_clock(site)
        stack.enter_context(clock.watched())
        if orders["sweeps"]:
            stack.enter_context(in_background(site, clock))
        stop = stack.enter_context(serving.stop_signals())
        key_ring, registry = serving.make_key_ring(site), serving.make_registry(site)
        stack.enter_context(key_ring.refreshed())
        stack.enter_context(registry.refreshed())
        stack.enter_context(following_log(site.store))
        server = serving.RunningServer(
            serving.make_service(
                site, key_ring, registry, clock, admission, is_alone=orders["is_alone"]
            ),
            listening,
            admission,
            notice_seconds=orders["notice_seconds"],
        )
        stack.enter_context(serving.running(server))
        threading.Thread(
            target=_obey, args=(channel, server, admission, stop), name="orders", daemon=True
        ).start()
        server.wait_until_started()
        settle_memory()
        serving.share_the_interpreter()
        channel.send("ready")
        serving.watch_until(stop, [server])
    channel.send("ended", numbers=admission.metrics.snapshot())


def _obey(
    channel: Channel,
    server: serving.RunningServer,
    admission: Admission,
    stop: threading.Event,
) -> None:
    for message in channel:
        match message["kind"]:
            case "numbers":
                channel.send("numbers", numbers=admission.metrics.snapshot())
            case "retire":
                # Others go on taking requests from the same socket: the service stays ready.
                server.notice_seconds = 0
                stop.set()
    stop.set()


if __name__ == "__main__":
    sys.exit(main())
