"""A batch issued over a real scheduler with two workers, one of which is killed; TLS throughout."""

import os
import pickle
import signal
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from certificates import Authority
from issuing_ground import Released, released_batch, until, waiting_for_locks
from office import SSCARD
from servers.ports import free_port
from servers.postgresql import PostgreSQLServer
from sqlalchemy import select

from benchmarks.bench_scan.bureau import PASSPHRASE, founded
from card_core.kernel import Actor, ActorKind
from card_core.store import schema
from card_core.store.batches import Batch
from issuance import cluster, engine
from issuance.errors import EngineError
from issuance.settings import EngineCertificate

WORKERS = 2
START_SECONDS = 60


@dataclass
class Engine:
    """A scheduler and its workers, each a process of its own."""

    address: str
    environment: dict[str, str]
    certificate: EngineCertificate
    workers: list[subprocess.Popen[str]] = field(default_factory=list)

    def start(self, stack: ExitStack, command: str) -> subprocess.Popen[str]:
        process = stack.enter_context(
            subprocess.Popen(
                [SSCARD, command, self.address],
                env=self.environment,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
            )
        )
        stack.callback(process.kill)
        return process

    def issue(self, released: Released) -> Batch:
        site, maker = released.ground.site, released.ground.staff["maker"]
        at = cluster.endpoint(self.address, self.certificate)
        with cluster.cluster(at) as pool:
            return engine.issue(
                pool, site.store, released.batch_id, actor=maker, progress=lambda *_: None
            )


def wait_until_it_says_so(process: subprocess.Popen[str]) -> None:
    assert process.stdout is not None
    assert process.stdout.readline(), process.wait(START_SECONDS)


def certificate_of(authority: Authority, name: str) -> EngineCertificate:
    return EngineCertificate(authority.pem, *authority.sign(name, name))


@pytest.fixture(scope="module")
def released(postgresql: PostgreSQLServer) -> Iterator[Released]:
    with founded(postgresql.url(postgresql.create()), ecards=0) as ground:
        yield released_batch(ground)


@pytest.fixture(scope="module")
def running(released: Released, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    folder = tmp_path_factory.mktemp("engine")
    certificate = certificate_of(Authority(folder, "authority"), "node")
    environment = {
        **released.ground.environment,
        "SSCARD_ENGINE_CA_FILE": str(certificate.ca_file),
        "SSCARD_ENGINE_CERTIFICATE_FILE": str(certificate.certificate_file),
        "SSCARD_ENGINE_KEY_FILE": str(certificate.key_file),
    }
    found = Engine(f"tls://127.0.0.1:{free_port()}", environment, certificate)
    with ExitStack() as stack:
        scheduler = found.start(stack, "engine-scheduler")
        found.workers += [found.start(stack, "engine-worker") for _ in range(WORKERS)]
        for process in (scheduler, *found.workers):
            wait_until_it_says_so(process)
        yield found


def test_a_killed_worker_costs_nothing_and_the_batch_is_complete(
    released: Released, running: Engine
) -> None:
    batches: list[Batch] = []
    issuing = threading.Thread(target=lambda: batches.append(running.issue(released)))
    with released.ground.site.store.write() as tx:
        # Every chunk ends by writing to the log: both workers stand there, with all else done.
        tx.connection.execute(select(schema.audit_heads).with_for_update()).all()
        issuing.start()
        until(lambda: waiting_for_locks(released.ground) == WORKERS)
        running.workers[0].kill()
        running.workers[0].wait()
    issuing.join(START_SECONDS)
    assert not issuing.is_alive()
    (after,) = batches
    released.check_complete(after)
    assert running.workers[1].poll() is None


def test_whoever_has_no_certificate_of_the_engine_is_turned_away(
    running: Engine, tmp_path: Path
) -> None:
    stranger = certificate_of(Authority(tmp_path, "stranger"), "stranger")
    with (
        pytest.raises(EngineError) as refused,
        cluster.cluster(cluster.endpoint(running.address, stranger)),
    ):
        pass
    assert refused.value.code == "engine_unreachable"
    host, port = running.address.removeprefix("tls://").split(":")
    context = ssl.create_default_context(cafile=str(running.certificate.ca_file))
    context.check_hostname = False
    with (
        socket.create_connection((host, int(port))) as plain,
        context.wrap_socket(plain) as bare,
        pytest.raises(ssl.SSLError),  # TLS 1.3 tells with the first answer
    ):
        bare.recv(1)
    with socket.create_connection((host, int(port))) as clear:
        clear.sendall(bytes(64))
        with suppress(ConnectionResetError):
            assert not clear.recv(1)


def test_a_task_holds_no_key_and_a_receipt_no_row(released: Released) -> None:
    actor = Actor(ActorKind.OPERATOR, "0" * 32)
    task = pickle.dumps((engine.issue_next, released.batch_id, actor))
    assert len(task) < 400
    assert PASSPHRASE.encode() not in task
    assert len(pickle.dumps(engine.Receipt(7, 500))) < 200


@pytest.mark.parametrize(
    ("address", "code"),
    [
        ("tcp://0.0.0.0:8786", "engine_address_unsafe"),
        ("tcp://192.0.2.1:8786", "engine_address_unsafe"),
        ("tcp://localhost:8786", "engine_address_unsafe"),
        ("tls://192.0.2.1:8786", "engine_certificate_missing"),
        ("127.0.0.1:8786", "engine_address_unusable"),
        ("tcp://127.0.0.1", "engine_address_unusable"),
        ("tcp://127.0.0.1:99999", "engine_address_unusable"),
        ("http://127.0.0.1:8786", "engine_address_unusable"),
    ],
)
def test_only_the_loopback_goes_without_certificates(address: str, code: str) -> None:
    with pytest.raises(EngineError) as refused:
        cluster.endpoint(address, None)
    assert refused.value.code == code


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:8786", "tcp://[::1]:8786"])
def test_the_loopback_may(address: str) -> None:
    assert cluster.endpoint(address, None).address == address


def test_a_certificate_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    (tmp_path / "rubbish.pem").write_text("no certificate")
    rubbish = EngineCertificate(*[tmp_path / "rubbish.pem"] * 3)
    for found in (rubbish, EngineCertificate(*[tmp_path / "nothing.pem"] * 3)):
        with pytest.raises(EngineError) as refused:
            cluster.endpoint("tls://127.0.0.1:8786", found)
        assert refused.value.code == "engine_certificate_unusable"


def test_a_scheduler_that_is_not_there_or_has_no_workers_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster, "CONNECT_SECONDS", 2)
    at = cluster.endpoint(f"tcp://127.0.0.1:{free_port()}", None)
    environment = {**os.environ, "SSCARD_HOME": str(tmp_path)}
    lonely = Engine(at.address, environment, EngineCertificate(tmp_path, tmp_path, tmp_path))
    with ExitStack() as stack:
        process = lonely.start(stack, "engine-scheduler")
        wait_until_it_says_so(process)
        with pytest.raises(EngineError) as refused, cluster.cluster(at):
            pass
        assert refused.value.code == "engine_without_workers"
        process.send_signal(signal.SIGTERM)
        assert process.wait(START_SECONDS) == 0
    with pytest.raises(EngineError) as refused, cluster.cluster(at):
        pass
    assert refused.value.code == "engine_unreachable"
