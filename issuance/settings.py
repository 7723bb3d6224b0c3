"""What the environment decides: where the home is, which database, how keys are unlocked."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from card_core.business_types import UnknownBusinessTypeError
from card_core.fast_store import FastStoreAddressError, FastStoreConfig
from card_core.holder_views import HolderViews
from card_core.trust.urls import check_url
from card_core.visits import AMOUNT_FEN_MAX, HOURS_MAX, VisitPolicy
from issuance.errors import SettingsError
from issuance.home import Home

SECRET_BYTES_MAX = 1024


@dataclass(frozen=True, slots=True)
class EngineCertificate:
    """PEM files: the engine's own authority, and a certificate from it with its key."""

    ca_file: Path
    certificate_file: Path
    key_file: Path


@dataclass(frozen=True, slots=True)
class PersonCheckSettings:
    """address: https, or http to this machine; None: the simulated provider. secret_file: what is
    shared with the provider, in its first line."""

    address: str | None
    secret_file: Path | None = None


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of one command.

    home: the folder of this installation (SSCARD_HOME, default ~/.sscard).
    database_url: SQLite inside the home unless SSCARD_DATABASE_URL names a PostgreSQL database.
    passphrase_file: holds the key passphrase in its first line (SSCARD_KEY_PASSPHRASE_FILE);
        None: the person is asked.
    full_numbers_for: the business types at which a terminal gets the whole number
        (SSCARD_FULL_NUMBERS_FOR); None: all that the table of views allows.
    visit_policy: the limits of a visit (SSCARD_VISIT_HOURS, _CONSUMING_MAX, _AMOUNT_MAX_FEN).
    fast_store: where codes signed for identifying only are spent (SSCARD_REDIS_URL, read by
        `FastStoreConfig.parse`); None: in the service's process, where there is only one.
    peer_ca_file: PEM; the only authorities whose certificates other issuers' services are taken
        for (SSCARD_PEER_CA_FILE); None: those of the system.
    engine_certificate: how machines that issue together know each other (SSCARD_ENGINE_CA_FILE,
        _CERTIFICATE_FILE, _KEY_FILE); None: they don't.
    initialising_organisation: what cards say of who initialised them, 24 hexadecimal digits
        (SSCARD_INITIALISING_ORGANISATION); empty: made of each card's region.
    checkpoint_file: what checkpoints of the audit log are added to (SSCARD_CHECKPOINT_FILE);
        None: a file in the home.
    events_url: where events of the outbox are posted to (SSCARD_EVENTS_URL); None: nowhere.
    person_check: who checks people online (SSCARD_PERSON_CHECK, _SECRET_FILE); None: nobody.
    """

    home: Home
    database_url: str
    passphrase_file: Path | None
    full_numbers_for: frozenset[str] | None = None
    visit_policy: VisitPolicy = field(default_factory=VisitPolicy)
    fast_store: FastStoreConfig | None = None
    peer_ca_file: Path | None = None
    engine_certificate: EngineCertificate | None = None
    initialising_organisation: str = ""
    checkpoint_file: Path | None = None
    events_url: str | None = None
    person_check: PersonCheckSettings | None = None

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "Settings":
        """Read the SSCARD_ variables; an empty one counts as absent. Raises SettingsError."""
        home = Home(Path(environment.get("SSCARD_HOME") or "~/.sscard").expanduser().absolute())
        return cls(
            home=home,
            database_url=environment.get("SSCARD_DATABASE_URL") or home.database_url,
            passphrase_file=_path(environment.get("SSCARD_KEY_PASSPHRASE_FILE")),
            full_numbers_for=_full_numbers(environment.get("SSCARD_FULL_NUMBERS_FOR")),
            visit_policy=_visit_policy(environment),
            fast_store=_fast_store(environment.get("SSCARD_REDIS_URL")),
            peer_ca_file=_path(environment.get("SSCARD_PEER_CA_FILE")),
            engine_certificate=_engine_certificate(environment),
            initialising_organisation=_organisation(
                environment.get("SSCARD_INITIALISING_ORGANISATION")
            ),
            checkpoint_file=_path(environment.get("SSCARD_CHECKPOINT_FILE")),
            events_url=_events_url(environment.get("SSCARD_EVENTS_URL")),
            person_check=_person_check(environment),
        )


def _path(value: str | None) -> Path | None:
    return Path(value).expanduser() if value else None


def _engine_certificate(environment: Mapping[str, str]) -> EngineCertificate | None:
    """All three files, or none of them. Raises SettingsError."""
    files = [
        _path(environment.get("SSCARD_ENGINE_CA_FILE")),
        _path(environment.get("SSCARD_ENGINE_CERTIFICATE_FILE")),
        _path(environment.get("SSCARD_ENGINE_KEY_FILE")),
    ]
    found = [file for file in files if file is not None]
    if not found:
        return None
    if len(found) < len(files):
        raise SettingsError(
            "engine_certificate_incomplete",
            "SSCARD_ENGINE_CA_FILE、SSCARD_ENGINE_CERTIFICATE_FILE、SSCARD_ENGINE_KEY_FILE "
            "须同时设置。",
            "SSCARD_ENGINE_CA_FILE, SSCARD_ENGINE_CERTIFICATE_FILE and SSCARD_ENGINE_KEY_FILE go "
            "together: set all three.",
        )
    return EngineCertificate(*found)


def _organisation(value: str | None) -> str:
    """Raises SettingsError."""
    if value and not re.fullmatch("[0-9A-F]{24}", value):
        raise SettingsError(
            "organisation_unusable",
            "SSCARD_INITIALISING_ORGANISATION 应为 24 位十六进制数（大写字母）。",
            "SSCARD_INITIALISING_ORGANISATION must be 24 hexadecimal digits, in capitals.",
        )
    return value or ""


def _events_url(value: str | None) -> str | None:
    """Raises SettingsError; the address may hold a secret word, so it is not repeated."""
    if not value:
        return None
    try:
        return check_url(value)
    except ValueError:
        raise SettingsError(
            "events_url_unusable",
            "SSCARD_EVENTS_URL 应为 https:// 地址，或本机的 http:// 地址，不含用户名和参数。",
            "SSCARD_EVENTS_URL must be an https:// address, or http:// to this machine, without "
            "a user or a query.",
        ) from None


def _person_check(environment: Mapping[str, str]) -> PersonCheckSettings | None:
    """`simulated`, or an address. Raises SettingsError; the address is not repeated."""
    value = environment.get("SSCARD_PERSON_CHECK")
    if not value:
        return None
    if value == "simulated":
        return PersonCheckSettings(None)
    try:
        address = check_url(value)
    except ValueError:
        raise SettingsError(
            "person_check_unusable",
            "SSCARD_PERSON_CHECK 应为 simulated，或 https:// 地址，或本机的 http:// 地址，"
            "不含用户名和参数。",
            "SSCARD_PERSON_CHECK must be simulated, an https:// address, or http:// to this "
            "machine, without a user or a query.",
        ) from None
    return PersonCheckSettings(address, _path(environment.get("SSCARD_PERSON_CHECK_SECRET_FILE")))


def _fast_store(address: str | None) -> FastStoreConfig | None:
    """Raises SettingsError; the address may hold a password, so it is not repeated."""
    if not address:
        return None
    try:
        return FastStoreConfig.parse(address)
    except FastStoreAddressError as error:
        raise SettingsError(
            "redis_url_unusable",
            f"SSCARD_REDIS_URL：{error.message_zh}。",
            f"SSCARD_REDIS_URL: {error.message_en}.",
        ) from None


def _full_numbers(value: str | None) -> frozenset[str] | None:
    """Business types with commas between them, or `none`. Raises SettingsError."""
    if not value:
        return None
    chosen = frozenset() if value == "none" else frozenset(value.split(","))
    try:
        HolderViews(chosen)
    except UnknownBusinessTypeError:
        raise SettingsError(
            "full_numbers_unusable",
            "SSCARD_FULL_NUMBERS_FOR 应为 none，或以英文逗号分隔的用码业务类型，如 01101,01301。",
            "SSCARD_FULL_NUMBERS_FOR must be none, or business types with commas between them, "
            "such as 01101,01301.",
        ) from None
    return chosen


def _visit_policy(environment: Mapping[str, str]) -> VisitPolicy:
    """Raises SettingsError."""
    names = {
        "hours": "SSCARD_VISIT_HOURS",
        "consuming_max": "SSCARD_VISIT_CONSUMING_MAX",
        "amount_max_fen": "SSCARD_VISIT_AMOUNT_MAX_FEN",
    }
    given = {limit: environment[name] for limit, name in names.items() if environment.get(name)}
    try:
        return VisitPolicy(**{limit: int(value) for limit, value in given.items()})
    except ValueError:
        raise SettingsError(
            "visit_limits_unusable",
            f"SSCARD_VISIT_HOURS 应为 1 至 {HOURS_MAX}，SSCARD_VISIT_CONSUMING_MAX 应为 0 至 "
            f"{VisitPolicy().steps_max}，SSCARD_VISIT_AMOUNT_MAX_FEN 应为 0 至 {AMOUNT_FEN_MAX}。",
            f"SSCARD_VISIT_HOURS must be 1 to {HOURS_MAX}, SSCARD_VISIT_CONSUMING_MAX 0 to "
            f"{VisitPolicy().steps_max}, SSCARD_VISIT_AMOUNT_MAX_FEN 0 to {AMOUNT_FEN_MAX}.",
        ) from None


def read_secret(path: Path) -> bytes:
    """A passphrase or password: the first line of a file, without its line end.

    Raises SettingsError when the file can't be read, is empty or is longer than any secret.
    """
    try:
        with path.open("rb") as file:
            line = file.readline(SECRET_BYTES_MAX + 2).rstrip(b"\r\n")
    except OSError as error:
        raise SettingsError(
            "secret_file_unreadable",
            f"无法读取口令或密码文件 {path}。请检查路径和文件权限。",
            f"The passphrase or password file {path} can't be read. Check the path and the file's "
            "permissions.",
        ) from error
    if not 1 <= len(line) <= SECRET_BYTES_MAX:
        raise SettingsError(
            "secret_file_unusable",
            f"文件 {path} 的第一行应为口令或密码，长度 1 至 {SECRET_BYTES_MAX} 字节。",
            f"The first line of {path} must be the passphrase or password, 1 to "
            f"{SECRET_BYTES_MAX} bytes.",
        )
    return line
