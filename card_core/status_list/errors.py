"""The errors of `card_core.status_list`; the tree is drawn in the package's docstring."""

from card_core.errors import CardCoreError


class StatusListError(CardCoreError):
    """Anything that this package raises."""

    code = "status_list"


class InvalidListError(StatusListError, ValueError):
    """The caller's own values make no list; `what` says which, not its value."""

    code = "invalid_status_list"

    def __init__(self, what: str) -> None:
        self.what = what
        self.message_zh = f"状态列表的取值不符合要求（{what}）"
        self.message_en = f"These values make no status list ({what})"
        super().__init__()


class MalformedListError(StatusListError):
    """The bytes are no status list, or not one that follows the list that is held."""

    code = "malformed_status_list"
    message_zh = "这不是有效的状态列表，请重新下载"
    message_en = "This is not a status list that can be read; fetch it again"


class ListNotGenuineError(StatusListError):
    """No key in force signed it. Says nothing of what is wrong with the signature."""

    code = "status_list_not_genuine"
    message_zh = "状态列表未通过真伪核验，不得使用"
    message_en = "The status list is not genuine and must not be used"


class OlderListError(StatusListError):
    """An older version than the one that is held: a list's version only grows."""

    code = "older_status_list"
    message_zh = "收到的状态列表比现有的旧，不得使用"
    message_en = "The status list is older than the one at hand and must not be used"
