"""Settings from the environment, the home's small files, files written whole."""

import os
import stat
from pathlib import Path

import pytest

from card_core.visits import VisitPolicy
from issuance import files
from issuance.errors import FileRefusedError, HomeError, SettingsError
from issuance.files import PRIVATE, PUBLIC, write_whole
from issuance.home import Home, HomeFacts
from issuance.settings import SECRET_BYTES_MAX, Settings, read_secret


def test_defaults_need_no_setting(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    settings = Settings.from_environment({})
    assert settings.home.path == tmp_path / ".sscard"
    assert settings.database_url == f"sqlite:///{tmp_path}/.sscard/sscard.db"
    assert settings.passphrase_file is None


def test_an_empty_setting_is_none() -> None:
    names = ("SSCARD_DATABASE_URL", "SSCARD_REDIS_URL", "SSCARD_KEY_PASSPHRASE_FILE")
    settings = Settings.from_environment({"SSCARD_HOME": "/h", **dict.fromkeys(names, "")})
    assert settings == Settings(Home(Path("/h")), "sqlite:////h/sscard.db", None)


def test_each_setting_is_followed() -> None:
    settings = Settings.from_environment(
        {
            "SSCARD_HOME": "relative",
            "SSCARD_DATABASE_URL": "postgresql://db/cards",
            "SSCARD_KEY_PASSPHRASE_FILE": "/run/secrets/passphrase",
        }
    )
    assert settings.home.path == Path.cwd() / "relative"
    assert settings.database_url == "postgresql://db/cards"
    assert settings.passphrase_file == Path("/run/secrets/passphrase")


def test_a_fast_store_is_read_from_its_address() -> None:
    assert Settings.from_environment({"SSCARD_REDIS_URL": ""}).fast_store is None
    settings = Settings.from_environment({"SSCARD_REDIS_URL": "redis://:secret@cards:7000/3"})
    assert settings.fast_store is not None
    assert settings.fast_store.servers == (("cards", 7000),)
    assert settings.fast_store.database == 3
    assert "secret" not in repr(settings)


def test_an_address_that_is_none_is_refused_and_not_repeated() -> None:
    with pytest.raises(SettingsError) as caught:
        Settings.from_environment({"SSCARD_REDIS_URL": "redis://:secret@/cards"})
    assert caught.value.code == "redis_url_unusable"
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "secret"),
    [(b"word", b"word"), (b"word\n", b"word"), (b"word\r\nmore", b"word"), (b" a b ", b" a b ")],
)
def test_a_secret_is_the_first_line(tmp_path: Path, content: bytes, secret: bytes) -> None:
    (tmp_path / "secret").write_bytes(content)
    assert read_secret(tmp_path / "secret") == secret


def test_a_secret_has_a_limit(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"x" * SECRET_BYTES_MAX + b"\r\n")
    assert len(read_secret(tmp_path / "secret")) == SECRET_BYTES_MAX
    (tmp_path / "secret").write_bytes(b"x" * (SECRET_BYTES_MAX + 1) + b"\n")
    with pytest.raises(SettingsError):
        read_secret(tmp_path / "secret")


def test_facts_come_back_as_they_were_written(tmp_path: Path) -> None:
    home = Home(tmp_path / "new" / "home")
    home.make()
    assert not home.is_initialised()
    home.write_facts(HomeFacts(issuer=65535))
    assert home.is_initialised()
    assert home.facts() == HomeFacts(65535)
    assert stat.S_IMODE(home.path.stat().st_mode) == 0o700


@pytest.mark.parametrize("name", ["wang", "../wang", "..", "", "王/经办", "a\x00b"])
def test_no_name_leads_out_of_the_sessions_folder(tmp_path: Path, name: str) -> None:
    home = Home(tmp_path / "home")
    assert home.session(name) is None
    home.keep_session(name, "token")
    assert home.session(name) == "token"
    (kept,) = (path for path in tmp_path.rglob("*") if path.is_file())
    assert kept.parent == home.sessions
    assert stat.S_IMODE(kept.stat().st_mode) == PRIVATE
    home.drop_session(name)
    home.drop_session(name)
    assert home.session(name) is None


def test_a_stranger_in_the_folder_is_named(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.refuse_strangers(["keys"])
    (tmp_path / "keys").mkdir()
    home.refuse_strangers(["keys"])
    (tmp_path / "photo.jpg").touch()
    with pytest.raises(HomeError) as caught:
        home.refuse_strangers(["keys"])
    assert "photo.jpg" in caught.value.message_en


def test_a_file_is_written_whole_with_its_mode(tmp_path: Path) -> None:
    path = tmp_path / "file"
    for content, mode in ((b"first", PRIVATE), (b"", PUBLIC), (b"x" * 100_000, PRIVATE)):
        write_whole(path, content, mode=mode)
        assert path.read_bytes() == content
        assert stat.S_IMODE(path.stat().st_mode) == mode
    assert os.listdir(tmp_path) == ["file"]


@pytest.mark.parametrize("step", ["fsync", "fchmod", "replace"])
@pytest.mark.parametrize("failure", [OSError(28, "full"), KeyboardInterrupt()])
def test_a_failure_anywhere_leaves_the_old_file_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str, failure: BaseException
) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")

    def fail(*_: object) -> None:
        raise failure

    monkeypatch.setattr(files.os, step, fail)
    wanted = FileRefusedError if isinstance(failure, OSError) else KeyboardInterrupt
    with pytest.raises(wanted):
        write_whole(path, b"new", mode=PUBLIC)
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["file"]


def test_views_and_visits_follow_their_settings() -> None:
    settings = Settings.from_environment(
        {
            "SSCARD_FULL_NUMBERS_FOR": "01301,02121",
            "SSCARD_VISIT_HOURS": "8",
            "SSCARD_VISIT_CONSUMING_MAX": "3",
            "SSCARD_VISIT_AMOUNT_MAX_FEN": "1000",
        }
    )
    assert settings.full_numbers_for == {"01301", "02121"}
    policy = settings.visit_policy
    assert (policy.hours, policy.consuming_max, policy.amount_max_fen) == (8, 3, 1000)
    none = Settings.from_environment({"SSCARD_FULL_NUMBERS_FOR": "none"})
    assert none.full_numbers_for == frozenset()
    assert Settings.from_environment({}).full_numbers_for is None
    assert Settings.from_environment({}).visit_policy == VisitPolicy()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SSCARD_FULL_NUMBERS_FOR", "01301,"),
        ("SSCARD_FULL_NUMBERS_FOR", "all"),
        ("SSCARD_VISIT_HOURS", "25"),
        ("SSCARD_VISIT_HOURS", "0"),
        ("SSCARD_VISIT_HOURS", "twelve"),
        ("SSCARD_VISIT_CONSUMING_MAX", "41"),
        ("SSCARD_VISIT_AMOUNT_MAX_FEN", "-1"),
    ],
)
def test_a_setting_that_can_not_be_followed_is_named(name: str, value: str) -> None:
    with pytest.raises(SettingsError) as caught:
        Settings.from_environment({name: value})
    assert name in caught.value.message_zh
    assert name in caught.value.message_en
