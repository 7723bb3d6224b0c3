"""What a server costs that does nothing: FastAPI's typed endpoint, and ASGI itself.

    python -m benchmarks.bench_scan.yardsticks typed|bare

Each is served as the service is, with the same protocol and settings, and says its address. The
typed endpoint takes the scan's own model and gives the verdict's own model back, filled with an
example: what is left when a scan is nothing but FastAPI.
"""

import sys
from typing import Any

from fastapi import FastAPI
from starlette.types import ASGIApp, Receive, Scope, Send

from issuance.cli import serving
from issuance.cli.listening import bind
from issuance.garbage import settle_memory
from scan_api.scans import examples
from scan_api.scans.models import ScanRequest, Verdict

_VERDICT = Verdict.model_validate_json(
    Verdict.model_construct(**examples.ACCEPTED).model_dump_json(warnings=False)
)
_BODY = _VERDICT.model_dump_json().encode()


def typed() -> FastAPI:
    app = FastAPI(openapi_url=None)

    @app.post("/v1/scans")
    async def record_scan(scan: ScanRequest) -> Verdict:
        del scan
        return _VERDICT

    return app


async def bare(scope: Scope, receive: Receive, send: Send) -> None:
    """Reads the body and answers as many bytes as a verdict has."""
    del scope
    message: Any = await receive()
    while message.get("more_body"):
        message = await receive()
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(_BODY))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": _BODY})


def main() -> None:
    app: ASGIApp = typed() if sys.argv[1] == "typed" else bare
    server = serving.RunningServer(app, bind("127.0.0.1", 0))
    with serving.running(server):
        server.wait_until_started()
        settle_memory()
        print(server.url, flush=True)
        serving.serve_until_stopped([server])


if __name__ == "__main__":
    main()
