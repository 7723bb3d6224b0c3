"""`sscard init` and `sscard upgrade`: make an installation, bring its database up to date."""

import tomllib
from pathlib import Path
from typing import Annotated, Any

import typer

from card_core.errors import SchemaOutdatedError, WeakPasswordError
from card_core.sign_in import Profile
from card_core.store.operators import Role
from crypto.keys import KeyFiles
from issuance.cli import screen
from issuance.cli.desk import PasswordFileOption, passphrase, settings
from issuance.cli.operator_access import new_password
from issuance.cli.sandbox import say_sandbox
from issuance.cli.second_factor import parse_hex
from issuance.errors import FileRefusedError, SettingsError
from issuance.files import not_readable
from issuance.founding import (
    Bureau,
    NewPerson,
    add_first_security_administrator,
    check_can_be_founded,
    complete_issuer_keys,
    complete_keys,
    found,
)
from issuance.installation import open_founded_database, open_installation
from issuance.sandbox import find_people, new_staff, open_sandbox
from issuance.settings import Settings, read_secret

# Enough people for every act that needs two of them, and three who administer.
FIRST_PEOPLE = (
    ("admin", "系统管理员", frozenset({Role.ADMINISTRATOR})),
    ("security", "安全管理员", frozenset({Role.SECURITY})),
    ("auditor", "审计管理员", frozenset({Role.AUDITOR})),
    ("maker", "经办", frozenset({Role.MAKER})),
    ("checker", "复核", frozenset({Role.CHECKER})),
)


def init(
    *,
    issuer: Annotated[
        int,
        typer.Option(
            metavar="N", min=1, max=65535, help="发卡机构号，写入每个动态码。\n\nIssuer number."
        ),
    ] = 1,
    letters: Annotated[
        str, typer.Option(metavar="AB", help="卡号开头的两个大写字母。\n\nCard numbers begin so.")
    ] = "AA",
    name: Annotated[
        str, typer.Option(help="发卡机构名称。\n\nThe bureau's name.")
    ] = "社保卡管理中心",
    trust_authority: Annotated[
        str,
        typer.Option(
            metavar="HEX",
            help="签发信任列表的上级机构公钥。\n\nThe public key of who signs trust lists.",
        ),
    ] = "",
    operators: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.toml",
            readable=False,
            help="首批操作员；不给则询问。\n\nThe first operators; asked for otherwise.",
        ),
    ] = None,
    profile: Annotated[
        Profile,
        typer.Option(
            metavar="PROFILE",
            help="sm：按密评要求；standard：另可用 Argon2 和动态口令。此后不能更改。\n\n"
            "sm: SM algorithms alone; standard: Argon2 and TOTP too. For good.",
        ),
    ] = Profile.SM,
    is_sandbox: Annotated[
        bool,
        typer.Option(
            "--sandbox",
            help="建成沙箱，供接入方联调，此后不能更改。\n\nA sandbox for integrators, for good.",
        ),
    ] = False,
) -> None:
    """初始化：建立文件夹、密钥、数据库和首批操作员。
    Make home, keys, database, operators.

    中断后用同一口令再次运行即可完成。 If interrupted, run it again with the same passphrase.
    """
    chosen = settings()
    check_can_be_founded(chosen)
    bureau = Bureau(
        issuer, letters, name, parse_hex("trust_authority", trust_authority), is_sandbox, profile
    )
    secret = _new_passphrase(chosen)
    people = new_staff() if is_sandbox else []
    if operators or not is_sandbox:
        people += read_people(operators) if operators else ask_people()
    with screen.working("正在初始化", "Initialising"):
        found(chosen, secret, bureau=bureau, people=people)
        if is_sandbox:
            with open_installation(chosen, secret) as site:
                find_people(open_sandbox(site))
    screen.say(f"已初始化 {chosen.home.path}", f"{chosen.home.path} is initialised")
    screen.show_table(
        ["登录名 Name", "姓名 Person", "角色 Roles"],
        [(one.name, one.display_name, ", ".join(sorted(one.roles))) for one in people],
    )
    if is_sandbox:
        say_sandbox()
    screen.warn(
        "请妥善保管密钥口令和 keys 文件夹的备份；丢失后无法恢复任何数据。",
        "Keep the passphrase and a backup of the folder keys; without them no data can be read.",
    )


def upgrade(
    *,
    security_administrator: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="首名安全管理员，仅当尚无安全管理员时。\n\nThe first one, where there is none.",
        ),
    ] = "",
    password_file: PasswordFileOption = None,
) -> None:
    """升级数据库结构，可重复运行。
    Bring the database up to date; may be repeated.
    """
    chosen = settings()
    facts = chosen.home.facts()
    secret = passphrase(chosen)
    keys = KeyFiles.open(chosen.home.keys, secret)
    complete_keys(keys, facts.issuer)
    with open_founded_database(chosen, keys) as store, screen.working("正在升级", "Upgrading"):
        try:
            store.upgrade()
            complete_issuer_keys(store, keys, chosen, facts.issuer)
        except SchemaOutdatedError:
            raise SettingsError(
                "database_newer",
                "数据库由更新版本的 sscard 建立，本程序不能使用。请升级 sscard。",
                "The database was made by a newer sscard and this one can't use it. Upgrade "
                "sscard.",
            ) from None
    if security_administrator:
        words = new_password(security_administrator, password_file)
        person = NewPerson(security_administrator, "安全管理员", frozenset({Role.SECURITY}), words)
        with open_installation(chosen, secret) as site:
            add_first_security_administrator(site, person)
    screen.say("数据库已是最新。", "The database is up to date.")


def read_people(path: Path) -> list[NewPerson]:
    """The first operators from a TOML file. Raises FileRefusedError, CardCoreError.

    [[operator]]
    name = "maker"
    display_name = "..."
    roles = ["maker"]
    password = "..."
    public_key = "..."    of the person's own key; without it, enrolled at the first sign-in
    """
    try:
        rows = tomllib.loads(path.read_text())["operator"]
        return [_person(row) for row in rows]
    except FileNotFoundError as error:
        raise FileRefusedError(
            "operators_file_missing",
            f"找不到操作员文件 {path}，请核对路径。",
            f"The operators file {path} was not found; check the path.",
        ) from error
    except OSError as error:
        raise not_readable(path, error) from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, KeyError, TypeError) as error:
        raise _unusable(path) from error


def _person(row: dict[str, Any]) -> NewPerson:
    """Raises CardCoreError, which names whose password is too weak."""
    if not isinstance(row["roles"], list):
        raise TypeError("roles")
    try:
        roles = frozenset(Role(role) for role in row["roles"])
    except ValueError as error:
        raise KeyError("roles") from error
    name = str(row["name"])
    try:
        public_key = parse_hex("public_key", str(row.get("public_key", "")))
        return NewPerson(name, str(row["display_name"]), roles, str(row["password"]), public_key)
    except WeakPasswordError as error:
        raise WeakPasswordError(
            f"{name}：{error.message_zh}", f"{name}: {error.message_en}"
        ) from None


def ask_people() -> list[NewPerson]:
    """Three who administer, maker and checker, with passwords typed one after the other."""
    people = []
    for name, display_name, roles in FIRST_PEOPLE:
        password = screen.ask_new_secret(
            f"{display_name} {name} 的密码（至少 12 个字符）",
            f"password of {name} (12 characters or more)",
            instead="--operators FILE.toml",
        )
        people.append(NewPerson(name, display_name, roles, password))
    return people


def _new_passphrase(chosen: Settings) -> bytes:
    if chosen.passphrase_file:
        return read_secret(chosen.passphrase_file)
    typed = screen.ask_new_secret(
        "新的密钥口令（至少 8 个字节）",
        "New key passphrase (8 bytes or more)",
        instead="SSCARD_KEY_PASSPHRASE_FILE",
    )
    return typed.encode()


def _unusable(path: Path) -> FileRefusedError:
    return FileRefusedError(
        "operators_file_unusable",
        f"操作员文件 {path} 不能用：应为 TOML，每个 [[operator]] 含 name、display_name、"
        "roles、password。",
        f"The operators file {path} can't be used: it must be TOML, and each [[operator]] have "
        "name, display_name, roles and password.",
    )
