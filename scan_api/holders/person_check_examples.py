"""Examples for the reference; the tests read each through its model."""

from typing import Any

STARTED: dict[str, Any] = {
    "ticket": "q0Zk3w6yJm8r1Tt5uVb2cXe7gHn9iLoP4sAd6fKzQ0w",
    "message_zh": "请打开核验页面，按提示完成人脸识别，再回到这里。",
    "message_en": "Open the provider's page, let it see your face, and come back here.",
    "digits": None,
    "address": "https://face.example.gov.cn/c/8Zt1",
    "simulated": False,
    "expires_at": "2026-01-01T00:15:17Z",
}
PASSED: dict[str, Any] = {"outcome": "passed", "expires_at": "2026-01-01T00:16:40Z"}
ACTIVATED: dict[str, Any] = {"e_card_state": "active"}
PASSWORD_SET: dict[str, Any] = {"changed": True, "devices_removed": 1}
