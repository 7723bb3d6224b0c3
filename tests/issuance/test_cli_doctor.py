"""`sscard doctor`, and what serves when a self-test has failed: nothing."""

import os
import signal
import subprocess
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx2
import pytest
from office import SSCARD, Office
from random_faults import FAIL, STUCK, ZERO, FaultyRandomSource
from servers import redis as redis_servers
from servers.redis import RedisServer
from test_cli_serve import ANSWER_SECONDS, started, stop

from crypto import SelfTestError, self_test, sm2
from issuance.checkup import database, machine
from issuance.cli import serving
from scan_api.signed_requests import authorization

NOTICED_SECONDS_MAX = 20


@pytest.fixture(scope="session")
def faulty(tmp_path_factory: pytest.TempPathFactory) -> FaultyRandomSource:
    return FaultyRandomSource.build(tmp_path_factory.mktemp("random"))


@pytest.fixture
def well_kept(office: Office) -> Office:
    (office.folder / "passphrase").chmod(0o400)
    return office


def lines(shown: str, about: str) -> list[str]:
    found = [line for line in shown.splitlines() if about in line]
    assert found, shown
    return found


def test_all_is_well_in_a_well_kept_office(well_kept: Office) -> None:
    shown = well_kept.done("doctor")
    assert "All is well" in shown
    assert "异常" not in shown
    for name in self_test.NAMES_ZH:
        assert "passed" in lines(shown, f"{name} ")[0]
    for about in ("Home", "Key file permissions", "Signing key", "Database", "Clock"):
        assert lines(shown, about)[0].startswith("正常 ok")
    assert f"{sm2.backend()}（" in lines(shown, "Back end")[0]


def test_a_slow_disk_and_a_distant_database_are_noted_and_fail_nothing(
    well_kept: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine, "WRITE_MS_MAX", 1e9)
    monkeypatch.setattr(database, "QUESTION_MS_MAX", 1e9)
    fast = well_kept.done("doctor")
    assert lines(fast, "durable write")[0].startswith("正常 ok")
    assert lines(fast, "one question")[0].startswith("正常 ok")
    files = set((well_kept.folder / "home").iterdir())
    monkeypatch.setattr(machine, "WRITE_MS_MAX", 0.0)
    monkeypatch.setattr(database, "QUESTION_MS_MAX", 0.0)
    slow = well_kept.done("doctor")
    assert "faster disk" in lines(slow, "durable write")[0]
    assert lines(slow, "one question")[0].startswith("提示 note")
    assert set((well_kept.folder / "home").iterdir()) == files


@pytest.mark.parametrize("hours", [-1, 1])
def test_a_clock_that_is_not_the_database_s_is_told(
    well_kept: Office, monkeypatch: pytest.MonkeyPatch, hours: int
) -> None:
    assert lines(well_kept.done("doctor"), "Database clock")[0].startswith("正常 ok")
    off = timedelta(hours=hours)
    monkeypatch.setattr("issuance.checkup.database.utc_now", lambda: datetime.now(UTC) + off)
    result = well_kept.run("doctor")
    assert result.exit_code == 1
    (line,) = lines(result.stdout, "Database clock")
    assert f"{-3600 * hours:+d} 秒" in line
    assert "set both by NTP" in line


def test_too_few_open_files_are_noted(well_kept: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    for limit, grade in ((256, "提示 note"), (65_536, "正常 ok")):
        monkeypatch.setattr(machine.resource, "getrlimit", lambda _, limit=limit: (limit, limit))
        assert lines(well_kept.done("doctor"), "Open files")[0].startswith(grade)


@pytest.mark.parametrize("name", sm2.available_backends())
def test_the_back_end_and_who_chose_it_are_shown(empty_office: Office, name: str) -> None:
    forced = {**os.environ, **empty_office.environment, "SSCARD_SM2_BACKEND": name}
    done = subprocess.run(
        [SSCARD, "doctor"], env=forced, capture_output=True, text=True, check=True
    )
    line = lines(done.stdout, "Back end")[0]
    assert f"{name}（" in line
    assert "forced" in line
    # The last one is what the processor would get: any other was left over from a test.
    is_usual = name == sm2.available_backends()[-1]
    assert line.startswith("正常 ok" if is_usual else "提示 note")
    assert ("unset it" in line) != is_usual


@pytest.mark.parametrize(
    ("name", "told"),
    [("abacus", "is none of: portable"), ("ifma", "which this processor lacks the instructions")],
)
def test_a_back_end_that_is_not_there_is_told(empty_office: Office, name: str, told: str) -> None:
    if name in sm2.available_backends():
        pytest.skip(f"this processor has what {name} needs: nothing is refused")
    wrong = {**os.environ, **empty_office.environment, "SSCARD_SM2_BACKEND": name}
    done = subprocess.run(
        [SSCARD, "doctor"], env=wrong, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "环境变量" in done.stderr
    assert "SSCARD_SM2_BACKEND" in done.stderr
    assert told in done.stderr
    assert "Traceback" not in done.stderr


def test_without_a_home_the_rest_is_looked_at(empty_office: Office) -> None:
    shown = empty_office.done("doctor")
    assert "none yet" in lines(shown, "Home")[0]
    assert "All is well" in shown
    assert not (empty_office.folder / "home").exists()


def test_no_passphrase_is_asked_for(well_kept: Office) -> None:
    result = well_kept.run("doctor", SSCARD_KEY_PASSPHRASE_FILE="")
    assert result.exit_code == 0
    assert "not opened" in lines(result.stdout, "Passphrase file")[0]
    assert lines(result.stdout, "Database")[0].startswith("正常 ok")


def empty_database(office: Office) -> None:
    for path in (office.folder / "home").glob("sscard.db*"):
        path.unlink()
    (office.folder / "home/sscard.db").touch()


def other_passphrase(office: Office) -> None:
    path = office.folder / "passphrase"
    path.chmod(0o600)
    path.write_text("something else entirely")


def later(office: Office) -> None:
    tomorrow = time.time() + 86_400
    os.utime(office.folder / "home/home.json", (tomorrow, tomorrow))


HOME = "home"
DAMAGE: dict[str, tuple[Callable[[Office], object], str, str]] = {
    "home open": (lambda o: (o.folder / HOME).chmod(0o755), "Home", "0700"),
    "home damaged": (lambda o: (o.folder / HOME / "home.json").write_text("{"), "Home", "damaged"),
    "keys open": (lambda o: (o.folder / HOME / "keys").chmod(0o750), "Key file", "0700"),
    "key open": (
        lambda o: next((o.folder / HOME / "keys").glob("*.key.json")).chmod(0o644),
        "Key file",
        "0600",
    ),
    "keyring missing": (
        lambda o: (o.folder / HOME / "keys/keyring.json").unlink(),
        "Key file",
        "no key directory",
    ),
    "passphrase open": (
        lambda o: (o.folder / "passphrase").chmod(0o444),
        "Passphrase file",
        "0400",
    ),
    "passphrase missing": (lambda o: (o.folder / "passphrase").unlink(), "Passphrase", "No such"),
    "wrong passphrase": (other_passphrase, "Signing key", "passphrase is wrong"),
    "database missing": (
        lambda o: (o.folder / HOME / "sscard.db").unlink(),
        "Database",
        "not there",
    ),
    "database empty": (empty_database, "Database", "empty"),
    "no database at all": (
        lambda o: (o.folder / HOME / "sscard.db").write_bytes(b"nothing of the kind" * 99),
        "Database",
        "",
    ),
    "clock behind": (later, "Clock", "set the clock"),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_what_is_wrong_is_named_and_fails_the_command(well_kept: Office, damage: str) -> None:
    spoil, about, says = DAMAGE[damage]
    spoil(well_kept)
    result = well_kept.run("doctor")
    assert result.exit_code == 1
    found = [line for line in lines(result.stdout, about) if line.startswith("异常 FAIL")]
    assert len(found) == 1
    assert says in found[0]
    assert "checks failed" in result.stderr
    assert "Traceback" not in result.output


def run_faulty(
    office: Office, environment: dict[str, str], *arguments: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [SSCARD, *arguments],
        env={**environment, **office.environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_doctor_names_the_test_that_failed(well_kept: Office, faulty: FaultyRandomSource) -> None:
    done = run_faulty(well_kept, faulty.environment(ZERO), "doctor")
    assert done.returncode == 1
    assert lines(done.stdout, "random_start")[0].startswith("异常 FAIL")
    assert lines(done.stdout, "sm2_sign")[0].startswith("正常 ok")
    assert "自检未通过" in lines(done.stdout, "Signing key")[0]


COMMANDS = [("serve", "--port", "0"), ("terminal", "serve", "--port", "0"), ("demo", "--once")]


@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_nothing_serves_after_a_failed_self_test(
    well_kept: Office, faulty: FaultyRandomSource, arguments: tuple[str, ...], tmp_path: Path
) -> None:
    done = run_faulty(
        well_kept,
        {**faulty.environment(ZERO), "SSCARD_TERMINAL_HOME": str(tmp_path / "none")},
        *arguments,
    )
    assert done.returncode == 1
    assert "自检未通过" in done.stderr
    assert "self-test failed" in done.stderr
    assert "Traceback" not in done.stderr + done.stdout
    assert "http://" not in done.stdout


@pytest.mark.parametrize("arguments", [("serve", "--port", "0"), ("doctor",)], ids=" ".join)
def test_nothing_starts_without_any_randomness(
    well_kept: Office, faulty: FaultyRandomSource, arguments: tuple[str, ...]
) -> None:
    done = run_faulty(well_kept, faulty.environment(FAIL), *arguments)
    assert done.returncode == 1
    assert "系统随机源不可用" in done.stderr
    assert "random source failed" in done.stderr
    assert "Traceback" not in done.stderr


def until_not_ready(http: httpx2.Client) -> httpx2.Response:
    """The first answer of /readyz that isn't ready: each question is a draw."""
    deadline = time.monotonic() + NOTICED_SECONDS_MAX
    while (answer := http.get("/readyz")).status_code == 200:
        assert time.monotonic() < deadline
    return answer


def test_a_running_service_refuses_when_its_random_source_gets_stuck(
    well_kept: Office, faulty: FaultyRandomSource
) -> None:
    begins = well_kept.folder / "stuck"
    shimmed = faulty.environment(STUCK, begins=begins)
    office = Office(well_kept.folder, {**shimmed, **well_kept.environment})
    with started(office, "serve", "--port", "0") as (process, url):
        with httpx2.Client(base_url=url, timeout=ANSWER_SECONDS, trust_env=False) as http:
            assert http.get("/readyz").status_code == 200
            begins.touch()
            assert until_not_ready(http).json()["code"] == "not_ready"
            # It stays so, also when the source is well again.
            begins.unlink()
            assert http.get("/readyz").status_code == 503
            assert http.get("/healthz").status_code == 200
            key = sm2.PrivateKey.generate()
            signed = authorization(
                key,
                bytes(7) + b"\1",
                method="POST",
                target="/v1/scans",
                body=b"{}",
                signed_at=int(time.time()),
                nonce=bytes(16),
            )
            headers = {"Authorization": signed, "Content-Type": "application/json"}
            scan = http.post("/v1/scans", content=b"{}", headers=headers)
            sign_in = http.post(
                "/v1/holder/sign-ins",
                json={"social_security_number": "110101199003070054", "password": "274095"},
                headers={"Sec-Fetch-Site": "same-origin"},
            )
            for answer in (scan, sign_in):
                assert (answer.status_code, answer.json()["code"]) == (503, "self_test_failed")
        code, said = stop(process, signal.SIGTERM)
    assert code == 0, said


def test_the_log_is_told_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    watch = serving.SelfTestWatch()
    watch.look()
    assert caplog.messages == []

    def fail() -> None:
        raise SelfTestError

    monkeypatch.setattr(serving, "check_self_tests", fail)
    watch.look()
    watch.look()
    assert caplog.messages == ['{"event": "self_test_failed", "error": "self_test"}']


def test_the_fast_store_is_asked_and_what_is_wrong_is_said(
    well_kept: Office, tmp_path: Path
) -> None:
    assert lines(well_kept.done("doctor"), "Fast store")[0].startswith("提示 note")
    server = RedisServer(tmp_path / "redis", "save ''")
    with redis_servers.running(server):
        shown = well_kept.run("doctor", SSCARD_REDIS_URL=server.url).stdout
        assert lines(shown, "Fast store")[0].startswith("正常 ok")
        server.client().config_set("maxmemory-policy", "allkeys-lru")
        evicting = well_kept.run("doctor", SSCARD_REDIS_URL=server.url)
        assert "maxmemory-policy noeviction" in lines(evicting.stdout, "Fast store")[0]
    gone = well_kept.run("doctor", SSCARD_REDIS_URL=server.url)
    assert gone.exit_code == 1
    assert "check the Redis service" in lines(gone.stdout, "Fast store")[0]
