"""What only the keys open: issuers' keys, the trust list, operators, status lists."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from card_core.codes import CodeKey, KeyPurpose, key_life
from card_core.kernel.days import end_of_day
from card_core.store import Reader, audit, issuers, status_lists, trust
from card_core.trust import read_signed
from crypto.keys import KeyFiles
from issuance.checkup import staff
from issuance.checkup.finding import Finding, Grade
from issuance.installation import open_founded_database
from issuance.settings import Settings, read_secret

# Without one of the first two nobody is served; without the others something is missing.
NEEDED = frozenset({KeyPurpose.CODE_SIGNING, KeyPurpose.RECEIPT})
PURPOSES = (
    KeyPurpose.CODE_SIGNING,
    KeyPurpose.RECEIPT,
    KeyPurpose.DEVICE_CREDENTIAL,
    KeyPurpose.STATUS,
    KeyPurpose.PEER,
    KeyPurpose.CARD_ISSUING,
)
ROTATION_DUE = timedelta(days=2 * 365)
TRUST_DUE = timedelta(days=30)


def look(settings: Settings, now: datetime) -> Iterator[Finding]:
    """Nothing without a passphrase file, or with one that opens nothing: that was said before."""
    if settings.passphrase_file is None:
        return
    try:
        facts = settings.home.facts()
        keys = KeyFiles.open(settings.home.keys, read_secret(settings.passphrase_file))
        with open_founded_database(settings, keys) as store, store.read() as tx:
            stored = issuers.sound_keys(tx, issuer=facts.issuer)
            yield from _tampered(stored.tampered)
            founded_at = audit.began_at(tx, audit.CHAINS[0])
            for purpose in PURPOSES:
                key = key_life.signing_key(stored.keys, facts.issuer, purpose, now)
                is_here = key is not None and key.name in keys.names()
                yield _key(purpose, key, is_here=is_here, founded_at=founded_at, now=now)
            yield _trust_list(trust.get(tx), now)
            yield from staff.look(tx)
            yield _status_list(tx, facts.issuer, now)
    except Exception:  # noqa: BLE001 - home, key files and database have findings of their own
        return


def _tampered(names: Sequence[str]) -> Iterator[Finding]:
    for name in names:
        advice = "记录被改动，请按 docs/keys.md 处理 its row was changed by hand; see docs/keys.md"
        yield Finding("密钥记录 Key row", Grade.BAD, f"{name}：{advice}")


def _key(
    purpose: KeyPurpose,
    key: CodeKey | None,
    *,
    is_here: bool,
    founded_at: datetime | None,
    now: datetime,
) -> Finding:
    """key: that signs now. is_here: whether its private half is on this machine."""
    about = f"签发密钥 Key: {purpose.value}"
    missing = Grade.BAD if purpose in NEEDED else Grade.NOTE
    if key is None:
        option = "" if purpose is KeyPurpose.CODE_SIGNING else f" --purpose {purpose.value}"
        zh = f"没有启用的密钥，请用 sscard keys rotate{option} 和 activate"
        return Finding(about, missing, f"{zh} none signs; rotate and activate one")
    if not is_here:
        zh = f"{key.name}：本机没有私钥文件，请从备份恢复"
        return Finding(about, missing, f"{zh} its private key is not here; restore the file")
    since = key.signs_from or founded_at
    shown = f"{key.name}，启用于 since {since:%Y-%m-%d}" if since else key.name
    if since and now - since > ROTATION_DUE:
        advice = "，已满两年，应更换：sscard keys rotate two years old; rotate it"
        return Finding(about, Grade.NOTE, shown + advice)
    return Finding(about, Grade.WELL, shown)


def _trust_list(held: trust.Trust, now: datetime) -> Finding:
    about = "信任列表 Trust list"
    if not held.document:
        return Finding(about, Grade.WELL, "无，只认可本机构 none; our own codes alone are taken")
    last = read_signed(held.document)
    ends = f"第 {last.edition} 版 edition, {last.expires_at:%Y-%m-%d}"
    if now >= last.expires_at:
        seen = f"{ends} 已过期，不再认可其他机构，请导入新版 has expired; import the next one"
        return Finding(about, Grade.NOTE, seen)
    if last.expires_at - now < TRUST_DUE:
        seen = f"{ends} 将到期，请向上级索取新版 runs out soon; ask for the next one"
        return Finding(about, Grade.NOTE, seen)
    return Finding(about, Grade.WELL, ends)


def _status_list(tx: Reader, issuer: int, now: datetime) -> Finding:
    """No fault where the service has not run: it makes lists as long as it does."""
    about = "状态列表 Status list of today"
    day = int(end_of_day(now).timestamp())
    last = status_lists.published(tx, issuer, day)
    if last is None:
        seen = "尚未生成，由 sscard serve 每 15 秒更新 none yet; sscard serve makes it"
        return Finding(about, Grade.NOTE, seen)
    age = now - last.head.issued_at
    shown = f"第 {last.head.version} 版，{age.total_seconds():.0f} s 前 old"
    if now > last.head.fresh_until:
        advice = "，过旧，离线终端将报警；请看 sscard serve 日志 publishing_failed too old for "
        advice += "terminals; is sscard serve running? See publishing_failed in its log"
        return Finding(about, Grade.NOTE, shown + advice)
    return Finding(about, Grade.WELL, shown)
