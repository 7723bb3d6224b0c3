"""What `sscard doctor` finds slow or misconfigured: each fault made for real, and named."""

import os
import signal
import subprocess
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from bureau import make_cipher
from office import SSCARD, Office
from servers import redis as redis_servers
from servers.libfaketime import FalseClock
from servers.postgresql import PostgreSQLServer, running_postgresql
from servers.redis import RedisServer
from sqlalchemy import update
from test_cli_doctor import lines
from test_cli_serve import started, stop
from test_cli_workers import get, metrics_address, numbers
from trusting import PROVINCE, document

from card_core.codes import KeyPurpose
from card_core.codes.key_life import CLOCKS_APART_SECONDS_MAX
from card_core.states import ServiceState
from card_core.store import open_store, operator_factors, operators, schema, trust
from card_core.store.operators import Role
from card_core.store.trust import Trust
from issuance.checkup import Finding, Grade, fast_store, records, service
from issuance.cli.numbers_port import serve_numbers
from issuance.cli.publishing import publishing
from issuance.cli.serving import make_clock
from issuance.installation import Installation, utc_now
from scan_api.metrics import GAUGES, Metrics, to_text

DEADLINE_SECONDS = 60


def upgraded(server: PostgreSQLServer) -> str:
    """The URL of a database with this program's tables, and nothing in them."""
    url = server.url(server.create())
    store = open_store(url, cipher=make_cipher())
    store.upgrade()
    store.close()
    return url


def is_chinese_and_english(line: str) -> bool:
    words = [word for word in line.split() if word.isascii() and word.isalpha()]
    return any("一" <= letter <= "鿿" for letter in line) and len(words) > 2


def named(found: list[Finding], about: str) -> Finding:
    (one,) = [finding for finding in found if about in finding.about]
    return one


def test_a_database_that_would_lose_commits_fails(
    office: Office, postgresql: PostgreSQLServer
) -> None:
    result = office.run("doctor", SSCARD_DATABASE_URL=upgraded(postgresql))
    (line,) = lines(result.stdout, "what a commit is worth")
    assert line.startswith("异常 FAIL")
    for setting in ("fsync = off", "full_page_writes = off", "synchronous_commit = off"):
        assert setting in line
    assert "turn them on" in line
    assert lines(result.stdout, "Database clock")[0].startswith("正常 ok")
    assert lines(result.stdout, "Workers")[0].startswith("正常 ok")
    # Nobody has made keys known here.
    missing = lines(result.stdout, "Key: code_signing")[0]
    assert missing.startswith("异常 FAIL")
    assert "sscard keys rotate 和" in missing
    assert "rotate --purpose receipt" in lines(result.stdout, "Key: receipt")[0]


def test_a_durable_database_with_few_connections_is_noted(office: Office, tmp_path: Path) -> None:
    durable = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}
    with running_postgresql(**durable, max_connections="25") as server:
        url = upgraded(server)
        shown = office.run("doctor", SSCARD_DATABASE_URL=url).stdout
        (worth,) = lines(shown, "what a commit is worth")
        assert worth.startswith("正常 ok")
        assert "fsync = on" in worth
        (workers,) = lines(shown, "Workers")
        assert workers.startswith("提示 note")
        assert "max_connections = 25 可容纳 0 个工作进程" in workers
        # This machine's clock runs ahead, the server's does not.
        wrong = FalseClock(tmp_path, seconds=CLOCKS_APART_SECONDS_MAX + 55).environment
        environment = {**os.environ, **office.environment, "SSCARD_DATABASE_URL": url, **wrong}
        done = subprocess.run(
            [SSCARD, "doctor"], env=environment, capture_output=True, text=True, check=False
        )
    (clock,) = lines(done.stdout, "Database clock")
    assert clock.startswith("异常 FAIL")
    assert "-60 s from this machine's; set both by NTP" in clock
    assert is_chinese_and_english(clock)
    assert done.returncode == 1


def test_what_a_commit_is_worth_on_sqlite_is_told(office: Office) -> None:
    shown = office.run("doctor").stdout
    assert "journal_mode = wal" in lines(shown, "what a commit is worth")[0]
    assert "SQLite serves one process" in lines(shown, "Workers")[0]


def findings(site: Installation, office: Office, *, days: float = 0) -> list[Finding]:
    return list(records.look(office.settings, utc_now() + timedelta(days=days)))


def test_keys_that_sign_are_told_and_old_ones_are_to_be_rotated(
    office: Office, site: Installation
) -> None:
    for purpose in records.PURPOSES:
        about = f"Key: {purpose.value}"
        assert named(findings(site, office), about).grade is Grade.WELL
        old = named(findings(site, office, days=731), about)
        assert old.grade is Grade.NOTE
        assert "rotate it" in old.seen


def test_a_private_half_that_is_gone_fails(office: Office, site: Installation) -> None:
    (path,) = (office.folder / "home/keys").glob("receipt.*")
    path.unlink()
    found = named(findings(site, office), "Key: receipt")
    assert found.grade is Grade.BAD
    assert "restore the file" in found.seen
    # Without a key for lists people are served all the same.
    (path,) = (office.folder / "home/keys").glob("status.*")
    path.unlink()
    assert named(findings(site, office), "Key: status").grade is Grade.NOTE
    assert named(findings(site, office), "Key: code_signing").grade is Grade.WELL


def test_a_key_row_that_was_changed_by_hand_fails(office: Office, site: Installation) -> None:
    table = schema.issuer_keys
    with site.store.write() as tx:
        tx.connection.execute(
            update(table)
            .where(table.c.purpose == KeyPurpose.RECEIPT.value)
            .values(state="verify_only")
        )
    found = findings(site, office)
    assert named(found, "Key row").grade is Grade.BAD
    assert named(found, "Key: receipt").grade is Grade.BAD


def test_a_trust_list_that_runs_out_is_noted(office: Office, site: Installation) -> None:
    assert named(findings(site, office), "Trust list").grade is Grade.WELL
    point = PROVINCE.public_key.to_bytes(compressed=True)
    with site.store.write() as tx:
        trust.put(tx, Trust(point, 3, document(utc_now(), edition=3, days=60)))
    for days, grade, says in (
        (0, Grade.WELL, "edition"),
        (45, Grade.NOTE, "runs out soon"),
        (61, Grade.NOTE, "has expired"),
    ):
        found = findings(site, office, days=days)
        assert named(found, "Trust list").grade is grade
        assert says in named(found, "Trust list").seen


def test_who_works_here_is_judged(office: Office, site: Installation) -> None:
    about = "操作员 Operators"
    assert named(findings(site, office), about).grade is Grade.WELL
    with site.store.write() as tx:
        for name, roles in (("wang", [Role.MAKER, Role.AUDITOR]), ("li", [Role.CHECKER])):
            one = operators.find_by_name(tx, name)
            assert one is not None
            operators.set_roles(tx, one, roles)
        operator_factors.forget(tx, one.id, utc_now())
    seen = [one.seen for one in findings(site, office) if one.about == about]
    assert [text.partition("：")[0] for text in seen] == ["wang", "li"]
    assert "exclude" in seen[0]
    assert "second factor" in seen[1]
    with site.store.write() as tx:
        security = operators.find_by_name(tx, "security")
        assert security is not None
        operators.set_state(tx, security, ServiceState.SUSPENDED)
    assert named(findings(site, office), about).grade is Grade.BAD


def test_a_status_list_is_missing_fresh_or_old(office: Office, site: Installation) -> None:
    about = "Status list"
    assert "none yet" in named(findings(site, office), about).seen
    clock = make_clock(site)
    with clock.watched(), publishing(site, clock):
        until(lambda: "none yet" not in named(findings(site, office), about).seen)
    assert named(findings(site, office), about).grade is Grade.WELL
    old = named(findings(site, office, days=400 / 86_400), about)
    assert old.grade is Grade.NOTE
    assert "too old" in old.seen


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_the_way_to_the_fast_store_is_timed(
    office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "redis.sock"
    server = RedisServer(tmp_path / "redis", "save ''", f"unixsocket {path}")
    with redis_servers.running(server):
        over_tcp = office.run("doctor", SSCARD_REDIS_URL=server.url).stdout
        over_socket = office.run("doctor", SSCARD_REDIS_URL=f"unix://{path}").stdout
        monkeypatch.setattr(fast_store, "TRIP_MS_MAX", 0.0)
        slow = office.run("doctor", SSCARD_REDIS_URL=f"unix://{path}").stdout
    (line,) = lines(over_tcp, "one round trip")
    assert line.startswith("提示 note")
    assert "unix:///path is faster" in line
    assert lines(over_socket, "one round trip")[0].startswith("正常 ok")
    (line,) = lines(slow, "one round trip")
    assert line.startswith("提示 note")
    assert "keep Redis near" in line
    gone = office.run("doctor", SSCARD_REDIS_URL=server.url)
    assert "one round trip" not in gone.stdout


def test_a_running_service_tells_its_state(office: Office, tmp_path: Path) -> None:
    server = RedisServer(tmp_path / "redis", "save ''")
    serving = Office(office.folder, {**office.environment, "SSCARD_REDIS_URL": server.url})
    with (
        redis_servers.running(server),
        started(serving, "serve", "--port", "0", "--metrics", "0") as (process, _),
    ):
        at = metrics_address(process)
        port = at.rpartition(":")[2]

        def gauge(name: str) -> float | None:
            return numbers(get(at, "/metrics").text).get(f"sscard_{name}")

        until(lambda: gauge("fast_store_ready") == 1)
        told = numbers(get(at, "/metrics").text)
        # Nothing was scanned yet: there is no last group.
        absent = {name for name in GAUGES if f"sscard_{name}" not in told}
        assert absent == {"last_group_scans", "last_group_seconds"}
        # On a busy machine the one or the other is late for a moment.
        until(lambda: 0 <= (gauge("registry_age_seconds") or -1) <= 2)
        until(lambda: 0 < (gauge("fast_store_lease_seconds") or 0) <= 2)
        assert abs(told["sscard_database_ahead_seconds"]) < 1
        shown = serving.run("doctor", "--metrics", port).stdout
        for about in ("registry age", "key ring age", "fast store ready", "clock offset"):
            assert lines(shown, about)[0].startswith("正常 ok")
        assert "1 个工作进程" in lines(shown, "Running service")[0]
        server.kill()
        until(lambda: gauge("fast_store_ready") == 0)
        result = serving.run("doctor", "--metrics", port)
        (line,) = lines(result.stdout, "fast store ready")
        assert line.startswith("异常 FAIL")
        assert result.exit_code == 1
        code, said = stop(process, signal.SIGTERM)
    assert code == 0, said
    gone = office.run("doctor", "--metrics", port)
    assert "is it running?" in lines(gone.stdout, "Running service")[0]


@pytest.mark.parametrize("rule", service._RULES, ids=lambda rule: rule.gauge)
def test_each_number_of_a_service_is_judged(rule: service._Rule) -> None:
    metrics = Metrics()
    metrics.gauges |= {"resident_bytes": lambda: 1, rule.gauge: lambda: 99_999.0}
    with serve_numbers(0, lambda: to_text({"3": metrics.snapshot()})) as port:
        assert port is not None
        found = [one for one in service.look(port) if "Worker 3" in one.about]
    (one,) = found
    assert one.grade is rule.grade
    assert rule.advice in one.seen
    assert is_chinese_and_english(rule.advice)
