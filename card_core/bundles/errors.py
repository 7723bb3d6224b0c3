"""The errors of `card_core.bundles`; the tree is drawn in the package's docstring."""

from card_core.errors import CardCoreError


class BundleError(CardCoreError):
    """Anything that this package raises."""

    code = "bundle"


class InvalidBundleError(BundleError, ValueError):
    """The caller's own values make no bundle; `what` says which, not its value."""

    code = "invalid_bundle"

    def __init__(self, what: str) -> None:
        self.what = what
        self.message_zh = f"离线数据包的取值不符合要求（{what}）"
        self.message_en = f"These values make no bundle ({what})"
        super().__init__()


class MalformedBundleError(BundleError):
    """The bytes are no bundle."""

    code = "malformed_bundle"
    message_zh = "这不是有效的离线数据包，请重新下载"
    message_en = "This is not a bundle that can be read; fetch it again"


class BundleNotGenuineError(BundleError):
    """No key in force signed it. Says nothing of what is wrong with the signature."""

    code = "bundle_not_genuine"
    message_zh = "离线数据包未通过真伪核验，不得使用"
    message_en = "The bundle is not genuine and must not be used"


class OlderBundleError(BundleError):
    """An older version than the one that is held: a bundle's version only grows."""

    code = "older_bundle"
    message_zh = "收到的离线数据包比现有的旧，不得使用"
    message_en = "The bundle is older than the one at hand and must not be used"
