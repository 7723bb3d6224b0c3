"""Examples for the reference; the tests read each through its model.

The keys are those whose private halves are 7 and 8, and the proofs are good.
"""

from typing import Any

_KEY = "03ddf092555409c19dfdbe86a75c139906a80198337744ee78cd27e384d9fcaf15"
_NEXT_KEY = "02b9c3faeb4b1610713db4333d4e860e64d4ea35d60c1c29bb675d822ded0bb916"

ENROLMENT: dict[str, Any] = {
    "enrolment_code": "7KQMX2VTNC9RZ4DWH3SP",
    "serial_number": "00000000000000a1",
    "public_key": _KEY,
    "proof": "MEQCIHdmONoV+m9Rq0PjYraCzn+Z7l5mOH9tg6t+V0VNcRDB"
    "AiBl4AH/iVQtxCPaL3dZHvyt3bDiKB9AT7G/DW5gsNGETw==",
}
ENROLLED: dict[str, Any] = {
    "serial_number": "00000000000000a1",
    "key_name": "c01b5bf1d068f3db",
    "token_audience": "sscard-4f0c7d52a1e98b36",
    "server_time": "2026-01-01T00:00:17Z",
}
NEXT_KEY: dict[str, Any] = {
    "public_key": _NEXT_KEY,
    "proof": "MEYCIQD3lYA6kFRL15kGwqUkVGS11Hyg47rRQdznBDsTVw8T"
    "8AIhAMpQayBOAcqRheYGKsvEq18UmOB8pkHIiMauK03SaRqf",
}
KEY_ACCEPTED: dict[str, Any] = {
    "serial_number": "00000000000000a1",
    "key_name": "974157b8ffafca40",
    "previous_key_ends_at": "2026-01-02T00:00:17Z",
    "server_time": "2026-01-01T00:00:17Z",
}
TOKEN: dict[str, Any] = {
    "access_token": "AQAAAAAAAAChwBtb8dBo89sAaVW8WS0f" + "A" * 52,
    "token_type": "Bearer",
    "expires_in": 600,
}
