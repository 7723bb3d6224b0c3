"""Examples for the reference; the tests read each through its model."""

from typing import Any

DEVICE_ID = "0019b7a4c1d23f5e8a90b1c2d3e4f506"
DEVICES: dict[str, Any] = {
    "challenge": "5a" * 32,
    "server_time": "2026-01-01T00:00:17Z",
    "devices": [
        {"device_id": DEVICE_ID, "grade": "app", "registered_at": "2026-01-01T00:00:00Z"},
    ],
}
REGISTERED: dict[str, Any] = {"device_id": DEVICE_ID, "grade": "app"}
CREDENTIALS: dict[str, Any] = {
    "credentials": [{"expires_at": 1767283200, "credential": "12000101" + "00" * 109}]
}
