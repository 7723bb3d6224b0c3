"""A bureau's program that takes events, in a process of its own, written from docs/events.md.

    python event_stub.py FOLDER       prints its port; appends each event that it was sent to a file

Every so often it fails as programs do: before it has written anything, or after, without saying so.
"""

import itertools
import json
import random
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

FAULTS = {0: "refuse", 1: "forget to answer", 2: "answer wrongly"}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # The first one is forgotten, so that something surely comes twice.
    faults = itertools.chain([1], map(random.Random(5).randrange, itertools.repeat(30)))
    file = (Path(sys.argv[1]) / "events.jsonl").open("a")

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        fault = FAULTS.get(next(self.faults))
        if fault == "refuse":
            return self.answer(503)
        for event in json.loads(body)["events"]:
            self.file.write(json.dumps(event) + "\n")
        self.file.flush()
        if fault == "forget to answer":
            self.close_connection = True
            return None
        return self.answer(302 if fault == "answer wrongly" else 204)

    def answer(self, status: int) -> None:
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        return


def main() -> None:
    server = HTTPServer(("127.0.0.1", 0), Handler)
    print(server.server_port, flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
