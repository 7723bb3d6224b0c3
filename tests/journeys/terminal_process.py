"""`sscard terminal serve` as a process of its own, and the counter's page that it serves."""

import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import httpx2
from running_service import SSCARD

PASSPHRASE = "hornbeam quay"


@dataclass
class Counter:
    """A terminal's process, and its page."""

    process: "subprocess.Popen[str]"
    url: str

    def scan(self, code: str, request_id: str) -> dict[str, Any]:
        """The verdict; or the problem, where there is none."""
        with httpx2.Client(base_url=self.url, trust_env=False, timeout=20) as http:
            found = re.search(r'name="counter-token" content="([^"]+)"', http.get("/").text)
            assert found
            headers = {"Origin": self.url, "X-Counter-Token": found[1]}
            body = {"code": code, "business_type": "01101", "request_id": request_id}
            answer: dict[str, Any] = http.post("/scans", json=body, headers=headers).json()
            return answer


@contextmanager
def counter_at(
    folder: Path,
    service_url: str,
    *,
    refresh_seconds: float | None = 0.2,
    environment: Mapping[str, str] = MappingProxyType({}),
) -> Iterator[Counter]:
    """Killed with SIGKILL at the end: it has to have written down what matters.

    folder: of the terminal; its passphrase is in a file beside it. refresh_seconds: None for what
    is shipped.
    """
    options = ["--service", service_url, "--port", "0", "--folder", str(folder)]
    options += ["--passphrase-file", str(folder.parent / "passphrase")]
    if refresh_seconds is not None:
        options += ["--refresh-seconds", str(refresh_seconds)]
    with (folder.parent / "terminal.log").open("a") as log:
        process = subprocess.Popen(
            [SSCARD, "terminal", "serve", *options],
            env={**os.environ, **environment},
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
    with process:
        try:
            line = next(line for line in process.stdout or () if "http://127" in line)
            found = re.search(r"http://127\.0\.0\.1:[0-9]+", line)
            assert found
            yield Counter(process, found[0])
        finally:
            process.kill()
