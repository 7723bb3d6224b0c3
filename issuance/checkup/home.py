"""The home: who may read it, its key files, and whether the keys sign."""

import stat
from collections.abc import Iterator

from card_core.codes import KeyPurpose
from crypto.keys import KeyFiles
from issuance.checkup.finding import Finding, Grade, told
from issuance.errors import IssuanceError
from issuance.settings import Settings, read_secret

_TO_SIGN = b"sscard doctor"


def missing(settings: Settings) -> Finding:
    return Finding(
        "工作目录 Home",
        Grade.NOTE,
        f"{settings.home.path}：尚无 none yet; sscard init 可建立 makes one",
    )


def look(settings: Settings) -> Iterator[Finding]:
    yield told("工作目录 Home", lambda: _home(settings))
    yield told("密钥文件权限 Key file permissions", lambda: _key_files(settings))
    about = "口令文件 Passphrase file"
    if settings.passphrase_file is None:
        yield Finding(about, Grade.NOTE, "未设置，密钥未试开 not set; the keys were not opened")
        return
    yield told(about, lambda: _passphrase_file_is_private(settings))
    yield told("签名密钥 Signing key", lambda: _signs(settings))


def _home(settings: Settings) -> str:
    facts = settings.home.facts()
    if settings.home.path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise IssuanceError(
            "home_open", "对其他用户开放，请设为 0700", "open to others; set it to mode 0700"
        )
    return f"{settings.home.path}（发卡机构 issuer {facts.issuer}）"


def _key_files(settings: Settings) -> str:
    count = KeyFiles.check(settings.home.keys)
    return f"{settings.home.keys}：{count} 个密钥文件 key files"


def _passphrase_file_is_private(settings: Settings) -> str:
    path = settings.passphrase_file
    if path is None or path.stat().st_mode & stat.S_IRWXO:
        raise IssuanceError(
            "passphrase_file_open",
            f"{path} 对其他用户开放，请设为 0400",
            f"{path} is open to others; set it to mode 0400",
        )
    return str(path)


def _signs(settings: Settings) -> str:
    """Opens the keys, makes a signature and verifies it."""
    if settings.passphrase_file is None:
        return ""
    keys = KeyFiles.open(settings.home.keys, read_secret(settings.passphrase_file))
    names = [name for name in keys.names() if name.startswith(f"{KeyPurpose.CODE_SIGNING.value}.")]
    for name in names:
        signer = keys.signer(name)
        signer.public_key.verify(signer.sign(_TO_SIGN), _TO_SIGN)
    if not names:
        raise IssuanceError("no_signing_key", "没有动态码签名密钥", "there is no key for codes")
    return f"{', '.join(names)} 可签名 signs"
