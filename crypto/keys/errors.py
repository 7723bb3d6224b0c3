"""The errors of `crypto.keys`; the tree is drawn in the package's docstring."""

from pathlib import Path


class KeyFileError(Exception):
    """Anything that a key directory refuses. `path`: the directory or file that it is about.

    `code` is stable; the messages name the path, so that the reader knows where to look.
    """

    code = "key_file"
    message_zh = "密钥文件操作失败。"
    message_en = "The key files can't be used."

    def __init__(self, path: Path) -> None:
        self.path = path
        self.message_zh = f"{path}：{self.message_zh}"
        self.message_en = f"{path}: {self.message_en}"
        super().__init__(f"{self.message_zh} {self.message_en}")


class KeyDirectoryMissingError(KeyFileError):
    """There is no directory, or not one that `create` made."""

    code = "key_directory_missing"
    message_zh = "此处没有密钥目录，请检查路径或先初始化。"
    message_en = "There is no key directory here; check the path, or initialise it first."


class KeyDirectoryExistsError(KeyFileError):
    """`create` was done here already; nothing was changed."""

    code = "key_directory_exists"
    message_zh = "此处已有密钥目录，未作任何更改。"
    message_en = "There is a key directory here already; nothing was changed."


class KeyPermissionsError(KeyFileError):
    """Others may read or change it."""

    code = "key_permissions"
    message_zh = "密钥目录或文件对其他用户开放；请将目录权限设为 0700、文件权限设为 0600。"
    message_en = "Others have access to the keys; set the directory to mode 0700, files to 0600."


class KeyStorageError(KeyFileError):
    """The file system refuses to read or to write; the cause is chained."""

    code = "key_storage"
    message_zh = "无法读写密钥文件，请检查路径、权限和磁盘空间。"
    message_en = "The key files can't be read or written; check path, permissions and disk space."


class WrongPassphraseError(KeyFileError):
    """The passphrase opens nothing here, or keyring.json was changed: the two look the same."""

    code = "wrong_passphrase"
    message_zh = "口令错误，或 keyring.json 已被更改。"
    message_en = "The passphrase is wrong, or keyring.json was changed."


class PassphraseTooShortError(KeyFileError):
    """A new passphrase is too short."""

    code = "passphrase_too_short"
    message_zh = "口令过短，至少需要 8 个字节。"
    message_en = "The passphrase is too short; it needs 8 bytes or more."


class DamagedKeyFileError(KeyFileError):
    """The file is cut, changed, renamed, from another directory, or no key file at all."""

    code = "damaged_key_file"
    message_zh = "密钥文件已损坏或被更改，请从备份恢复。"
    message_en = "The key file is damaged or was changed; restore it from a backup."


class KeyMissingError(KeyFileError):
    """No key of this name."""

    code = "key_missing"
    message_zh = "没有这个名称的密钥。"
    message_en = "There is no key of this name."


class KeyExistsError(KeyFileError):
    """A key of this name is there; it was not touched."""

    code = "key_exists"
    message_zh = "已有同名密钥，未作任何更改。"
    message_en = "There is a key of this name already; it was not changed."


class KeyKindError(KeyFileError):
    """The key of this name is of the other kind."""

    code = "key_kind"
    message_zh = "该名称的密钥类型不符。"
    message_en = "The key of this name is of another kind."
