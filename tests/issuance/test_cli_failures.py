"""What a new user does wrong: each a clear sentence in both languages, and nothing half done."""

import ctypes
import os
import re
import resource
import shutil
import sqlite3
import subprocess
import sys

import pytest
from office import PASSPHRASE, ROSTERS, SSCARD, Office, refused

from card_core.states import ApprovalState, BatchState, CardState, ECardState, ServiceState
from card_core.store.operators import Role
from issuance import cli
from issuance.cli import words

# linux/prctl.h, linux/capability.h
PR_CAPBSET_DROP = 24
CAP_DAC_OVERRIDE = 1
CAP_DAC_READ_SEARCH = 2


def test_without_a_home_the_next_step_is_named(empty_office: Office) -> None:
    refused(empty_office.run("batch", "list", operator="wang"), "尚未初始化", "sscard init")
    refused(empty_office.run("serve"), "尚未初始化", "sscard init")
    assert not (empty_office.folder / "home").exists()


def test_without_a_name_nobody_acts(office: Office) -> None:
    refused(office.run("batch", "list"), "由谁操作", "--operator")


def test_who_is_not_signed_in_is_told_how(office: Office) -> None:
    refused(
        office.run("batch", "list", operator="zhao"), "尚未登录", "sscard operator sign-in zhao"
    )
    office.done("operator", "sign-out", "wang")
    refused(office.run("batch", "list", operator="wang"), "尚未登录", "sign-in wang")


def test_a_made_up_session_is_nobodys(office: Office) -> None:
    session = office.folder / "home" / "sessions" / "wang.session"
    session.write_text("x" * 43)
    refused(office.run("batch", "list", operator="wang"), "登录已失效", "sign-in wang")
    assert not session.exists()


def test_a_wrong_password_and_an_unknown_name_are_one_answer(office: Office) -> None:
    wrong = str(office.file("wrong", "not the password"))
    answers = {
        office.run(
            "operator", "sign-in", name, "--password-file", wrong, *office.key_options("wang")
        ).output
        for name in ("wang", "nobody")
    }
    assert len(answers) == 1
    answer = answers.pop()
    assert "登录名、密码或第二因素不正确" in answer
    assert "The name, the password or the second factor" in answer


def test_nobody_signs_out_who_is_nobody(office: Office) -> None:
    refused(office.run("operator", "sign-out", "nobody"), "没有登录名为 nobody", "no operator")
    office.done("operator", "sign-out", "wang")
    office.done("operator", "sign-out", "wang")


def test_a_wrong_passphrase_says_so(office: Office) -> None:
    wrong = str(office.file("wrong", "something else"))
    result = office.run("batch", "list", operator="wang", SSCARD_KEY_PASSPHRASE_FILE=wrong)
    refused(result, "口令错误", "passphrase is wrong")


@pytest.mark.parametrize("content", [None, b"", b"\n", b"x" * 2000])
def test_an_unusable_passphrase_file_says_so(office: Office, content: bytes | None) -> None:
    path = office.folder / "unusable"
    if content is not None:
        path.write_bytes(content)
    result = office.run("batch", "list", operator="wang", SSCARD_KEY_PASSPHRASE_FILE=str(path))
    refused(result, "口令", "passphrase")
    assert str(path) in result.stderr


def test_without_terminal_and_file_the_way_out_is_named(office: Office) -> None:
    result = office.run("batch", "list", operator="wang", SSCARD_KEY_PASSPHRASE_FILE="")
    refused(result, "SSCARD_KEY_PASSPHRASE_FILE", "no terminal")


def test_a_fast_store_address_that_cannot_be_read_is_refused(office: Office) -> None:
    result = office.run("batch", "list", operator="wang", SSCARD_REDIS_URL="localhost:6379")
    refused(result, "SSCARD_REDIS_URL", "can't be read")


DATABASES = {
    "nonsense": ("postgresql://", "must begin with"),
    "sqlite://": ("postgresql://", "must begin with"),
    "mysql://u:secret@host/db": ("postgresql://", "must begin with"),
    "sqlite:////nowhere/at/all.db": ("找不到数据库文件", "is not there"),
    "sqlite:////proc": ("打不开", "can't be opened"),
    f"sqlite:///{ROSTERS / 'foshan-2000.csv'}": ("不是 SQLite 数据库", "no SQLite database"),
    "postgresql://nobody:secret@127.0.0.1:1/none": ("无法连接", "out of reach"),
}


@pytest.mark.parametrize("url", DATABASES)
def test_a_database_that_cannot_serve_says_why(office: Office, url: str) -> None:
    result = office.run("batch", "list", operator="wang", SSCARD_DATABASE_URL=url)
    refused(result, *DATABASES[url])
    assert "secret" not in result.output


def test_an_older_or_newer_database_is_not_touched(office: Office) -> None:
    with sqlite3.connect(office.folder / "home" / "sscard.db") as database:
        database.execute("UPDATE alembic_version SET version_num = 'from_later'")
    database.close()
    refused(office.run("batch", "list", operator="wang"), "sscard upgrade", "sscard upgrade")
    refused(office.run("upgrade"), "更新版本", "newer sscard")


def test_a_newer_home_is_not_touched(office: Office) -> None:
    facts = office.folder / "home" / "home.json"
    facts.write_text(facts.read_text().replace('"format": 1', '"format": 9'))
    refused(office.run("batch", "list", operator="wang"), "请升级 sscard", "Upgrade sscard")
    facts.write_text("{")
    refused(office.run("batch", "list", operator="wang"), "已损坏", "is damaged")


def without_privileges() -> None:
    """In the child: root, too, obeys the permissions of files (capabilities(7))."""
    libc = ctypes.CDLL(None, use_errno=True)
    for capability in (CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH):
        if libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) and os.geteuid() == 0:
            os._exit(99)


def as_ordinary_user(office: Office, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [SSCARD, *arguments],
        env={**os.environ, **office.environment, "SSCARD_OPERATOR": "wang"},
        preexec_fn=without_privileges,
        capture_output=True,
        text=True,
        check=False,
    )


def test_without_write_permission_nothing_is_done(office: Office) -> None:
    home = office.folder / "home"
    before = (home / "sscard.db").read_bytes()
    (home / "sscard.db").chmod(0o400)
    home.chmod(0o500)
    try:
        done = as_ordinary_user(office, "roster", "import", str(ROSTERS / "foshan-600.xlsx"))
    finally:
        home.chmod(0o700)
    assert done.returncode == 1, done.stderr
    assert re.search("没有写入数据库文件的权限|数据库文件打不开", done.stderr)
    assert "Traceback" not in done.stderr
    assert (home / "sscard.db").read_bytes() == before


def test_without_write_permission_there_is_no_report(office: Office) -> None:
    folder = office.folder / "closed"
    folder.mkdir(mode=0o500)
    report = folder / "out.json"
    roster = str(ROSTERS / "foshan-600.xlsx")
    done = as_ordinary_user(office, "roster", "check", roster, "--report", str(report))
    assert done.returncode == 2, done.stderr
    assert "Permission denied" in done.stderr
    assert not report.exists()


def test_a_full_disk_refuses_and_heals(office: Office) -> None:
    """A limit on the size of files is the full disk that needs no privileges to arrange."""
    size = (office.folder / "home" / "sscard.db").stat().st_size
    limited = subprocess.run(
        [SSCARD, "roster", "import", ROSTERS / "foshan-2000.csv", "--operator", "wang"],
        env={**os.environ, **office.environment},
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size)),
        capture_output=True,
        text=True,
        check=False,
    )
    assert limited.returncode == 1, limited.stderr
    assert re.search("磁盘已满|读写失败", limited.stderr)
    assert "Traceback" not in limited.stderr
    assert office.done("batch", "list", operator="li").count("\n") == 1
    office.done("roster", "import", str(ROSTERS / "foshan-2000.csv"), operator="wang")
    assert "foshan-2000" in office.done("batch", "list", operator="li")


def test_a_lost_database_file_is_not_replaced_by_an_empty_one(office: Office) -> None:
    database = office.folder / "home" / "sscard.db"
    database.unlink()
    for command in (("batch", "list"), ("upgrade",)):
        refused(office.run(*command, operator="wang"), "找不到数据库文件", "restore it")
    assert not database.exists()


def test_an_empty_database_is_not_taken_for_the_lost_one(office: Office) -> None:
    database = office.folder / "home" / "sscard.db"
    database.write_bytes(b"")
    for command in (("upgrade",), ("batch", "list")):
        refused(office.run(*command, operator="wang"), "数据库是空的", "database is empty")
    with sqlite3.connect(database) as left:
        tables = left.execute("SELECT name FROM sqlite_master").fetchall()
    left.close()
    assert tables == []


def test_a_changed_row_is_found_by_the_audit(office: Office) -> None:
    assert "审计链完整" in office.done("audit", "verify")
    with sqlite3.connect(office.folder / "home" / "sscard.db") as database:
        database.execute("UPDATE operators SET roles = 'administrator,checker,maker'")
    database.close()
    refused(office.run("audit", "verify"), "完整性校验失败", "integrity check")


@pytest.mark.parametrize(
    "arguments", [(), ("no-such",), ("batch", "approve"), ("card", "cancel", "FS0000001")]
)
def test_a_wrong_command_line_exits_2(office: Office, arguments: tuple[str, ...]) -> None:
    assert office.run(*arguments, operator="wang").exit_code == 2


@pytest.mark.parametrize("arguments", [("--bogus",), ("no-such",), ("batch", "approve")])
def test_a_wrong_command_line_is_told_in_both_languages(
    office: Office, arguments: tuple[str, ...]
) -> None:
    result = office.run(*arguments)
    assert result.exit_code == 2
    assert "命令行有误" in result.stderr
    assert "command line is wrong" in result.stderr
    assert "命令行有误" not in office.run().output


@pytest.mark.parametrize("beginning", ["", "0", "0123456"])
def test_the_beginning_of_an_id_must_tell_something(office: Office, beginning: str) -> None:
    """There is one batch with one approval, so that any beginning would be the only one."""
    office.done("roster", "import", str(ROSTERS / "foshan-600.xlsx"), operator="wang")
    shown = office.done("approval", "list", operator="li").splitlines()[1].split()[0]
    wanted = beginning and shown[: len(beginning)]
    result = office.run("batch", "approve", wanted, "--yes", operator="li")
    refused(result, "没有这个批次", "no such batch")
    for decision in (("approve", wanted, "--yes"), ("reject", wanted)):
        refused(office.run("approval", *decision, operator="li"), "至少", "8 characters")
    office.done("approval", "show", shown[:8], operator="li")


def test_ctrl_c_while_the_program_is_loaded_exits_130_without_a_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Interrupting:
        def find_spec(self, name: str, *_: object) -> None:
            if name == "issuance.cli.commands":
                raise KeyboardInterrupt

    monkeypatch.delitem(sys.modules, "issuance.cli.commands")
    monkeypatch.setattr(sys, "meta_path", [Interrupting(), *sys.meta_path])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 130
    assert "Interrupted" in capsys.readouterr().err


def test_what_is_loaded_before_ctrl_c_is_heard_is_little() -> None:
    code = "import sys, issuance.cli; print({'typer', 'sqlalchemy', 'rich'} & set(sys.modules))"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout == "set()\n"


def test_a_process_that_serves_holds_nothing_that_only_commands_need() -> None:
    unwanted = {"alembic", "openpyxl", "PIL", "qrcode", "rich", "typer"}
    code = f"import sys, issuance.cli.worker; print({unwanted} & set(sys.modules))"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout == "set()\n"


def loaded_by(*command: str, **environment: str) -> set[str]:
    """The modules that are there when the command ends well."""
    code = f"import sys; from issuance import cli; sys.argv[1:] = {command!r}; cli.main()"
    report = f"import atexit, sys; atexit.register(lambda: print(*sys.modules)); {code}"
    shown = subprocess.run(
        [sys.executable, "-c", report],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    return set(shown.stdout.split())


def test_a_command_brings_no_other_commands_modules() -> None:
    loaded = loaded_by("keys", "--help")
    assert "issuance.cli.keys" in loaded
    assert not {"issuance.cli.roster", "issuance.cli.serve", "fastapi"} & loaded


def test_on_sqlite_nothing_of_postgresql_is_loaded(office: Office) -> None:
    loaded = loaded_by("audit", "verify", **office.environment)
    assert {"sqlite3", "card_core.store.database"} <= loaded
    assert not {"psycopg", "psycopg_binary"} & loaded


def test_a_misspelt_command_is_answered_with_the_right_one(office: Office) -> None:
    assert "'roster'" in office.run("rostr").stderr


def test_a_state_is_named_in_chinese_to_people(office: Office) -> None:
    office.done("roster", "import", str(ROSTERS / "foshan-600.xlsx"), operator="wang")
    office.done("batch", "approve", "foshan-600", "--yes", operator="li")
    office.done("batch", "issue", "foshan-600", operator="wang")
    assert "未启用 not_activated" in office.done("card", "list", "foshan-600", operator="wang")
    shown = office.done("card", "show", "FS0000001", operator="wang")
    assert "未启用 not_activated" in shown
    assert "未开通 not_activated" in shown
    result = office.run("card", "report-loss", "FS0000001", operator="wang")
    refused(result, "当前状态（未启用）", "not_activated")


def test_every_state_and_role_has_a_chinese_word() -> None:
    for kind in (CardState, ECardState, BatchState, ApprovalState, ServiceState, Role):
        for value in kind:
            assert words.word_of(value) != value.value


def test_every_command_has_help_in_both_languages(office: Office) -> None:
    shown = office.done("--help")
    nouns = re.findall(r"^│ ([a-z]+) {2,}", shown, re.MULTILINE)
    assert {"init", "roster", "batch", "card", "serve", "demo"} <= set(nouns)
    for noun in nouns:
        text = office.done(noun, "--help")
        assert re.search("[一-鿿]", text)
        assert re.search("[A-Z][a-z]+ [a-z]+", text)


def test_the_same_home_moved_elsewhere_still_serves(office: Office) -> None:
    moved = shutil.move(office.folder / "home", office.folder / "moved")
    result = office.run("batch", "list", operator="wang", SSCARD_HOME=str(moved))
    assert result.exit_code == 0, result.output


def test_the_passphrase_is_never_shown(office: Office) -> None:
    for command in (("batch", "list"), ("operator", "list"), ("audit", "verify")):
        assert PASSPHRASE not in office.run(*command, operator="li").output
