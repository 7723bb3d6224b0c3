"""`sscard init`: what it makes, and what it refuses before anything is written."""

import re

import pytest
from office import PEOPLE, Office, password_of, refused


def test_init_does_not_sow_keys_among_strangers(empty_office: Office) -> None:
    home = empty_office.folder / "home"
    home.mkdir()
    (home / "letter.txt").write_text("mine")
    refused(empty_office.run("init"), "letter.txt", "holds something else")
    assert [path.name for path in home.iterdir()] == ["letter.txt"]


def test_init_again_changes_nothing(office: Office) -> None:
    before = {path: path.read_bytes() for path in (office.folder / "home/keys").iterdir()}
    refused(office.run("init"), "已初始化", "initialised already")
    assert before == {path: path.read_bytes() for path in (office.folder / "home/keys").iterdir()}


def operators_file(office: Office, **change: str) -> str:
    rows = [
        {"name": name, "display_name": name, "roles": [role.value], "password": password_of(name)}
        for name, role in PEOPLE.items()
    ]
    rows[0].update(change)
    text = "\n".join(
        "[[operator]]\n" + "\n".join(f"{key} = {value!r}" for key, value in row.items())
        for row in rows
    )
    return str(office.file("people.toml", text))


def test_init_makes_what_sign_in_needs(empty_office: Office) -> None:
    path = operators_file(empty_office, public_key=empty_office.new_key("admin").hex())
    empty_office.done("init", "--operators", path, "--letters", "GD", "--issuer", "12")
    empty_office.sign_in("admin")
    listed = empty_office.done("operator", "list", operator="admin")
    assert re.search(r"admin\s+admin\s+administrator\s+sm2", listed)
    assert re.search(r"li\s+li\s+checker\s+无 none", listed)
    home = empty_office.folder / "home"
    assert (home.stat().st_mode | (home / "sessions").stat().st_mode) & 0o077 == 0
    assert (home / "sessions" / "admin.session").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("change", "zh", "en"),
    [
        ({"password": "short"}, "admin：密码应为", "admin: The password must have 12"),
        ({"password": "password1234"}, "admin：密码主要由常用词", "admin: The password is little"),
        ({"name": "WANG"}, "小写字母", "a-z"),
        ({"name": "li"}, "登录名重复", "twice"),
        ({"roles": "king"}, "操作员文件", "operators file"),
        ({"roles": ""}, "操作员文件", "operators file"),
        ({"public_key": "02ff"}, "公钥", "public key"),
        ({"public_key": "key"}, "十六进制", "hexadecimal"),
    ],
)
def test_init_refuses_unfit_operators_before_anything_is_written(
    empty_office: Office, change: dict[str, str], zh: str, en: str
) -> None:
    refused(empty_office.run("init", "--operators", operators_file(empty_office, **change)), zh, en)
    assert not (empty_office.folder / "home").exists()


def test_a_missing_operators_file_is_not_found(empty_office: Office) -> None:
    result = empty_office.run("init", "--operators", "nowhere.toml")
    refused(result, "找不到操作员文件", "was not found")


def test_init_where_nothing_can_be_written(empty_office: Office) -> None:
    path = operators_file(empty_office)
    result = empty_office.run("init", "--operators", path, SSCARD_HOME="/sys/sscard")
    refused(result, "无法写入", "can't be written")
