"""The errors of this room; the tree is drawn in the package's docstring."""

from typing import ClassVar


class CryptoError(Exception):
    """Anything that cryptography refuses. `code` is stable; no error carries a detail."""

    code: ClassVar[str] = "crypto"
    message_zh: ClassVar[str] = "密码运算被拒绝。"
    message_en: ClassVar[str] = "The cryptographic operation was refused."

    def __str__(self) -> str:
        return f"{self.message_zh} {self.message_en}"


class InvalidKeyError(CryptoError, ValueError):
    """A key or a point that is not allowed."""

    code = "invalid_key"
    message_zh = "密钥无效。"
    message_en = "The key is not valid."


class InvalidSignatureError(CryptoError):
    """A signature that does not verify, whatever is wrong with it."""

    code = "invalid_signature"
    message_zh = "签名无效。"
    message_en = "The signature is not valid."


class InvalidMacError(CryptoError):
    """A tag that is not the message's, whatever is wrong with it."""

    code = "invalid_mac"
    message_zh = "消息鉴别码无效。"
    message_en = "The authentication tag is not valid."


class DecryptionError(CryptoError):
    """A ciphertext that does not decrypt, whatever is wrong with it."""

    code = "decryption"
    message_zh = "无法解密。"
    message_en = "The ciphertext can't be decrypted."


class RandomSourceError(CryptoError):
    """The operating system gave no randomness; nothing else is ever used in its place."""

    code = "random_source"
    message_zh = "系统随机源不可用。"
    message_en = "The system's random source failed."


class SigningFaultError(CryptoError):
    """A signature that was just made does not verify, and was held back."""

    code = "signing_fault"
    message_zh = "签名运算出错，结果未输出。请重试；若再次出现，请更换设备。"
    message_en = (
        "A signature came out wrong and was held back. Try again; if it happens again, replace "
        "the machine."
    )


class SelfTestError(CryptoError):
    """A self-test failed in this process: whatever needs cryptography is refused until it ends."""

    code = "self_test"
    message_zh = "密码模块自检未通过，已停止一切密码运算。请运行 sscard doctor 查看哪一项未通过。"
    message_en = (
        "A cryptographic self-test failed, and nothing that needs cryptography is done any more. "
        "Run sscard doctor to see which."
    )
