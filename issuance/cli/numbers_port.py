"""GET /metrics on a loopback port of its own: Prometheus's text, never on the public address."""

import http.server
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from issuance.cli.desk import LOOPBACK
from issuance.errors import IssuanceError
from scan_api.metrics import CONTENT_TYPE

PATIENCE_SECONDS = 2
_HOSTS = frozenset({"127.0.0.1", "localhost"})


@contextmanager
def serve_numbers(port: int | None, text: Callable[[], bytes]) -> Iterator[int | None]:
    """Answer with `text()` while the block runs; yields the port. None: nothing is served.

    Raises IssuanceError when the port is taken.
    """
    if port is None:
        yield None
        return

    class Handler(_Handler):
        numbers = staticmethod(text)

    try:
        server = http.server.HTTPServer((LOOPBACK, port), Handler)
    except OSError as error:
        raise IssuanceError(
            "metrics_port_unusable",
            f"指标端口 {port} 不能使用。请用 --metrics 换一个。",
            f"Port {port} can't be used for metrics. Choose another with --metrics.",
        ) from error
    with server:
        thread = threading.Thread(target=server.serve_forever, name="metrics")
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


class _Handler(http.server.BaseHTTPRequestHandler):
    numbers: Callable[[], bytes]
    # One caller after the other; a silent one is dropped.
    timeout = PATIENCE_SECONDS
    server_version = "sscard"
    sys_version = ""

    def do_GET(self) -> None:
        host = urlsplit(f"//{self.headers.get('Host', '')}").hostname
        # A page of another site must not read this by giving its own name our address.
        if self.path != "/metrics" or host not in _HOSTS:
            self.send_error(404)
            return
        body = self.numbers()
        self.send_response(200)
        self.send_header("Content-Type", CONTENT_TYPE)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's
        """Nothing: an address and a path would be written."""
