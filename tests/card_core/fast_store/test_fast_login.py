"""Redis behind a password and TLS, on both of the ways in which a worker speaks to it."""

import asyncio
import ipaddress
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from fast_rig import accepted, new_code, redis_worker, sqlite_kernel
from servers.ports import free_port
from servers.redis import RedisServer, running

from card_core.fast_store import FastStoreConfig, Hindrance, open_fast_store


def make_certificate(directory: Path) -> tuple[Path, Path]:
    """A certificate of 127.0.0.1, signed by itself, and its key; their files."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "tests")])
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .sign(key, hashes.SHA256())
    )
    files = directory / "certificate.pem", directory / "key.pem"
    files[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    files[1].write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return files


def test_a_user_a_database_and_tls(tmp_path: Path) -> None:
    certificate, key = make_certificate(tmp_path)
    port = free_port()
    server = RedisServer(
        tmp_path / "redis",
        "save ''",
        f"tls-port {port}",
        f"tls-cert-file {certificate}",
        f"tls-key-file {key}",
        f"tls-ca-cert-file {certificate}",
        "tls-auth-clients no",
        "user worker on >a:word ~sscard:* +@all",
    )

    async def scenario() -> None:
        url = f"rediss://worker:a%3Aword@127.0.0.1:{port}/2?ca_file={certificate}"
        async with redis_worker(sqlite_kernel(tmp_path), url) as store:
            code = new_code()
            assert await accepted(store, [code, code]) == 1
            assert {"db0", "db2"} & set(server.client().info("keyspace")) == {"db2"}

    with running(server):
        asyncio.run(scenario())


@pytest.mark.parametrize("scheme", ["redis", "rediss"])
def test_a_wrong_password_or_an_unknown_certificate_is_away(tmp_path: Path, scheme: str) -> None:
    certificate, key = make_certificate(tmp_path)
    port = free_port()
    server = RedisServer(
        tmp_path / "redis",
        "save ''",
        f"tls-port {port}",
        f"tls-cert-file {certificate}",
        f"tls-key-file {key}",
        f"tls-ca-cert-file {certificate}",
        "tls-auth-clients no",
        "user worker on >right ~* +@all",
    )

    async def scenario() -> None:
        where = server.port if scheme == "redis" else port
        password = "wrong" if scheme == "redis" else "right"
        config = FastStoreConfig.parse(f"{scheme}://worker:{password}@127.0.0.1:{where}")
        store, _ = open_fast_store(config, sqlite_kernel(tmp_path), monotonic=time.monotonic)
        await store.start()
        while store.ready() is Hindrance.STARTING:
            await asyncio.sleep(0.02)
        assert store.ready() is Hindrance.AWAY
        await store.close()

    with running(server):
        asyncio.run(scenario())
