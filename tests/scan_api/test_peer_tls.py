"""Between issuers over real TLS: whose certificates are taken, and that nothing goes in clear."""

import contextlib
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
import uvicorn
from certificates import Authority
from region import NEIGHBOUR, Region, entry_of

from card_core.trust import TrustedIssuer, TrustList
from scan_api import server
from scan_api.issuers.asking import PeerClient
from scan_api.issuers.channel import PeerChannel, trusting
from scan_api.issuers.models import PeerScanRequest


@dataclass
class Secured:
    """The neighbour's service behind a certificate of a private authority, which may change."""

    region: Region
    authority: Authority
    config: uvicorn.Config
    port: int

    def present(self, *certificate: Path) -> None:
        """The certificate that it shows from now on, and its key."""
        self.config.ssl.load_cert_chain(*certificate)  # type: ignore[union-attr]

    def ask(self, authorities: Path | None, url: str = "") -> str:
        """What comes of a scan over a new connection."""
        ours = self.region.ours
        tls = None if authorities is None else trusting(authorities)
        channel = PeerChannel(ours.peers.signing_keys, ours.clock, tls=tls)
        entry = entry_of(self.region.theirs.bureau, url or f"https://localhost:{self.port}")
        with contextlib.closing(channel):
            client = PeerClient(channel, lambda: trusting_alone(entry, self.region))
            return client.judge(NEIGHBOUR, question(self.region)).reason.value


def trusting_alone(entry: TrustedIssuer, region: Region) -> TrustList:
    now = region.ours.clock()
    return TrustList(1, now, now + timedelta(days=1), (entry,))


def question(region: Region) -> PeerScanRequest:
    return PeerScanRequest(
        code=region.theirs.mint(),
        business_type="01101",
        request_id=region.ours.bureau.request_id(),
        institution_code="H44060400001",
        institution_name="邻市医院",
        institution_kind="hospital",
        terminal="00000000000000a1",
    )


@pytest.fixture
def secured(visited: Region, tmp_path: Path) -> Iterator[Secured]:
    authority = Authority(tmp_path, "private")
    pem, key = authority.sign("good", "localhost")
    listening = socket.create_server(("127.0.0.1", 0))
    port = listening.getsockname()[1]
    config = server.configure(visited.theirs.app, host="127.0.0.1", port=port)
    config.ssl_certfile, config.ssl_keyfile = str(pem), str(key)
    running = uvicorn.Server(config)
    config.load()
    thread = threading.Thread(target=running.run, kwargs={"sockets": [listening]})
    thread.start()
    yield Secured(visited, authority, config, port)
    running.should_exit = True
    thread.join()


def test_only_a_good_certificate_of_the_private_authority_is_taken(
    secured: Secured, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    private = secured.authority.pem
    assert secured.ask(private) == "accepted"
    # The system's authorities don't know it, and where a file is given, only that one counts.
    assert secured.ask(None) == "issuer_unreachable"
    assert secured.ask(Authority(tmp_path, "another").pem) == "issuer_unreachable"
    assert "peer_certificate_refused" in caplog.text
    for certificate in (
        secured.authority.sign("other-name", "two.example"),
        secured.authority.sign("expired", "localhost", until=-timedelta(hours=1)),
        Authority(tmp_path, "private-too").sign("stranger", "localhost"),
    ):
        secured.present(*certificate)
        caplog.clear()
        assert secured.ask(private) == "issuer_unreachable"
        assert "peer_certificate_refused" in caplog.text
    secured.present(*secured.authority.sign("renewed", "localhost"))
    assert secured.ask(private) == "accepted"


def test_nothing_goes_to_another_machine_in_clear(secured: Secured) -> None:
    asked: list[tuple[str, int]] = []
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(socket, "create_connection", lambda at, *_, **__: asked.append(at))
        for url in ("http://192.0.2.1", "http://two.example", "ftp://localhost"):
            assert secured.ask(secured.authority.pem, url) == "issuer_unreachable"
    assert asked == []


@pytest.mark.parametrize("content", [None, b"", b"rubbish", b"-----BEGIN CERTIFICATE-----\n"])
def test_a_file_without_an_authority_is_refused_before_anything_is_asked(
    tmp_path: Path, content: bytes | None
) -> None:
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises((OSError, ValueError)):
        trusting(path)
