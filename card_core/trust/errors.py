"""Why a trust list is not taken."""

from collections.abc import Mapping
from types import MappingProxyType

from card_core.errors import KernelError

_TEXTS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "malformed": (
            "信任列表文件格式不正确，未作任何更改。请向签发单位重新索取。",
            "The trust list can't be read; nothing was changed. Ask its authority for it again.",
        ),
        "bad_signature": (
            "信任列表不是由本安装认可的上级机构签发，未作任何更改。",
            (
                "The trust list is not signed by the authority that this installation takes lists "
                "from; nothing was changed."
            ),
        ),
        "expired": (
            "信任列表已过有效期。请向签发单位索取新的一版。",
            "The trust list has expired. Ask its authority for a new edition.",
        ),
        "not_yet_valid": (
            "信任列表的签发时间晚于当前时间。请核对本机时钟。",
            "The trust list was issued later than now. Check this machine's clock.",
        ),
        "old_edition": (
            "信任列表的版次不高于现用的一版，不能倒退。",
            "The trust list's edition is not above the one in use; there is no way back.",
        ),
        "names_us": (
            "信任列表中有本机构自己的条目或密钥。本机构的密钥只在本机构登记。",
            (
                "The trust list has an entry or a key of this bureau itself, whose keys are "
                "registered here alone."
            ),
        ),
        "too_many_keys": (
            "信任列表连同本机构的密钥超过了上限。请减少条目。",
            "The trust list and this bureau's own keys are more than can be held. Name fewer.",
        ),
    }
)


class TrustListRefusedError(KernelError):
    """why: the first reason, one of the words above."""

    def __init__(self, why: str) -> None:
        self.why = why
        self.code = f"trust_list_{why}"
        self.message_zh, self.message_en = _TEXTS[why]
        super().__init__()
