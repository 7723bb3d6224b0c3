"""The gateway of deploy/nginx, with a real nginx before the service."""

import socket
import ssl
import threading
from collections.abc import Iterator

import httpx2
import pytest
from bureau import Bureau
from certificates import Authority
from running_service import until
from scan_service import PURCHASE, ScanService
from servers import nginx
from servers.nginx import Gateway
from starlette.types import ASGIApp, Receive, Scope, Send

from scan_api import problems, server

CITIZENS = "cards.example"
TERMINALS = "terminals.cards.example"
# nginx logs a request after its answer has left.
LOG_SECONDS_MAX = 10


class Recorder:
    """In front of the service: what of each request came through the gateway."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.seen: list[tuple[str, str, dict[str, str]]] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        target = scope["raw_path"].decode()
        if scope["query_string"]:
            target += "?" + scope["query_string"].decode()
        self.seen.append((scope["method"], target, headers))
        await self.app(scope, receive, send)


class _ToGateway(httpx2.HTTPTransport):
    """Finds every name at the gateway, as a name server would say."""

    def __init__(self, context: ssl.SSLContext, port: int) -> None:
        super().__init__(verify=context)
        self._port = port

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        name = request.url.host
        request.headers["Host"] = name
        request.extensions = {**request.extensions, "sni_hostname": name}
        request.url = request.url.copy_with(host="127.0.0.1", port=self._port)
        return super().handle_request(request)


class Behind:
    """The service, what it saw, and the gateway before it."""

    def __init__(self, service: ScanService, recorder: Recorder, gateway: Gateway) -> None:
        self.service = service
        self.recorder = recorder
        self.gateway = gateway
        self.authority = gateway.folder / "authority.pem"

    def client(self, name: str = CITIZENS, **options: object) -> httpx2.Client:
        """A client that finds the gateway under this name."""
        context = ssl.create_default_context(cafile=str(self.authority))
        if "certificate" in options:
            context.load_cert_chain(*options["certificate"])  # type: ignore[misc]
        return httpx2.Client(
            base_url=f"https://{name}:{self.gateway.port}",
            mounts={"all://": _ToGateway(context, self.gateway.port)},
            verify=context,
            trust_env=False,
            timeout=10,
        )

    def connect(
        self, name: str = CITIZENS, *, protocols: tuple[str, ...] = (), **versions: ssl.TLSVersion
    ) -> ssl.SSLSocket:
        context = ssl.create_default_context(cafile=str(self.authority))
        if protocols:
            context.set_alpn_protocols(protocols)
        for limit, version in versions.items():
            setattr(context, limit, version)
        plain = socket.create_connection(("127.0.0.1", self.gateway.port), 10)
        return context.wrap_socket(plain, server_hostname=name)

    def say(self, request: bytes) -> bytes:
        """Send raw bytes; everything that comes back until the other end closes or is silent."""
        with self.connect() as connection:
            connection.sendall(request)
            connection.settimeout(1)
            received = b""
            try:
                while part := connection.recv(65_536):
                    received += part
            except TimeoutError:
                pass
            return received


@pytest.fixture
def behind(bureau: Bureau, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Behind]:
    folder = tmp_path_factory.mktemp("gw")
    Authority(folder, "authority").sign("server", CITIZENS, TERMINALS, "127.0.0.1")
    Authority(folder, "terminals-ca").sign("till", "till 3")
    Authority(folder, "stranger-ca").sign("stranger", "till 3")
    service = ScanService(bureau)
    recorder = Recorder(service.app)
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(str(folder / "http.sock"))
    listening.listen(64)
    running = server.Server(server.configure(recorder, host="", port=0))
    thread = threading.Thread(target=running.run, kwargs={"sockets": [listening]})
    thread.start()
    try:
        with nginx.running(folder) as gateway:
            yield Behind(service, recorder, gateway)
    finally:
        running.should_exit = True
        thread.join()


def test_a_signed_scan_goes_through_unchanged(behind: Behind) -> None:
    device = behind.service.pharmacy
    with behind.client() as http:
        answer = device.scan(
            http, code=behind.service.mint(), business_type=PURCHASE, request_id="through-1"
        )
    assert answer.json()["outcome"] == "accepted"
    assert answer.headers["Strict-Transport-Security"]
    assert "nginx/" not in answer.headers["Server"]


@pytest.mark.parametrize(
    "target", ["/v1//terminal", "/v1/x%2Fy%20z?a=%41&b=//", "/v1/./terminal?x=1&x=2", "/?%"]
)
def test_a_target_arrives_as_it_was_signed(behind: Behind, target: str) -> None:
    behind.say(f"GET {target} HTTP/1.1\r\nHost: {CITIZENS}\r\nConnection: close\r\n\r\n".encode())
    assert [seen[1] for seen in behind.recorder.seen] == [target]


def test_the_newest_protocols_are_spoken_and_the_old_ones_are_not(behind: Behind) -> None:
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        with behind.connect(minimum_version=version, maximum_version=version) as connection:
            assert connection.version() == version.name.replace("_", ".")
    with pytest.raises(ssl.SSLError), pytest.warns(DeprecationWarning, match="TLSv1"):
        behind.connect(minimum_version=ssl.TLSVersion.TLSv1, maximum_version=ssl.TLSVersion.TLSv1_1)


def test_a_page_is_asked_for_all_at_once_where_the_browser_can(behind: Behind) -> None:
    for offered in (("h2", "http/1.1"), ("http/1.1",)):
        with behind.connect(protocols=offered) as connection:
            assert connection.selected_alpn_protocol() == offered[0]


def test_another_name_gets_no_answer(behind: Behind) -> None:
    with pytest.raises(ssl.SSLError):
        behind.connect("elsewhere.example")


def test_plain_http_is_not_redirected(behind: Behind) -> None:
    with socket.create_connection(("127.0.0.1", behind.gateway.port), 10) as plain:
        plain.sendall(f"GET /readyz HTTP/1.1\r\nHost: {CITIZENS}\r\n\r\n".encode())
        answer = plain.recv(65_536)
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"ocation:" not in answer
    assert behind.recorder.seen == []


def test_what_a_client_says_about_itself_ends_at_the_gateway(behind: Behind) -> None:
    claims = {
        "Forwarded": "for=192.0.2.1;proto=https",
        "X-Forwarded-For": "192.0.2.1",
        "X-Forwarded-Host": "evil.example",
        "X-Forwarded-Proto": "http",
        "X-Real-IP": "192.0.2.1",
        "X-Original-URL": "/v1/holder/card",
        "X-Rewrite-URL": "/v1/holder/card",
        "X-Client-Cert": "me",
        "X_Forwarded_For": "192.0.2.1",
    }
    with behind.client() as http:
        assert http.get("/healthz", headers=claims).status_code == 200
    ((_, target, headers),) = behind.recorder.seen
    assert target == "/healthz"
    assert {name.lower().replace("_", "-") for name in claims}.isdisjoint(headers)
    assert headers["host"] == CITIZENS
    assert until(lambda: behind.gateway.log.count(" 200 GET ") == 1, LOG_SECONDS_MAX)
    assert "192.0.2.1" not in behind.gateway.log


def test_a_body_of_the_limit_passes_and_one_byte_more_does_not(behind: Behind) -> None:
    with behind.client() as http:
        at_the_limit = http.post("/v1/scans", content=b"x" * 65_536)
        assert at_the_limit.json()["code"] == "not_authenticated"
        seen = len(behind.recorder.seen)
        for content in (b"x" * 65_537, iter([b"x" * 40_000] * 2)):
            too_large = http.post("/v1/scans", content=content)
            assert (too_large.status_code, too_large.json()["code"]) == (413, "body_too_large")
    assert len(behind.recorder.seen) == seen


def test_headers_are_limited_before_the_service(behind: Behind) -> None:
    head = f"GET /healthz HTTP/1.1\r\nHost: {CITIZENS}\r\n".encode()
    for more in (b"x: " + b"y" * 70_000, b"\r\n".join(b"x-%d: y" % n for n in range(1000))):
        answer = behind.say(head + more + b"\r\n\r\n")
        assert answer.startswith((b"HTTP/1.1 400", b"HTTP/1.1 431"))
        assert behind.recorder.seen == []
    few_but_too_many = b"\r\n".join(b"x-%d: y" % number for number in range(70))
    answer = behind.say(head + few_but_too_many + b"\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 431")
    assert b"headers_too_large" in answer


def test_one_address_begins_few_checks_of_people(behind: Behind) -> None:
    path = "/v1/holder/person-checks"
    with behind.client() as http:
        answers = [http.post(path, json={}, headers={"Origin": "x"}) for _ in range(8)]
        other = http.get("/healthz")
    assert [one.status_code for one in answers[:6]] == [403] * 6
    last = answers[-1]
    assert (last.status_code, last.json()["code"]) == (429, "person_check_locked")
    assert last.json() == problems.PERSON_CHECK_LOCKED.document()
    assert last.headers["Retry-After"]
    assert other.status_code == 200
    assert len(behind.recorder.seen) < len(answers) + 1


HIDDEN = b"GET /smuggled HTTP/1.1\r\nHost: cards.example\r\n\r\n"
SMUGGLERS = {
    "length and chunks": b"Content-Length: %d\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" % 5,
    "chunks and length": b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n",
    "two lengths": b"Content-Length: 0\r\nContent-Length: %d\r\n\r\n" % len(HIDDEN),
    "odd length": b"Content-Length: +0\r\n\r\n",
    "hex length": b"Content-Length: 0x0\r\n\r\n",
    "space before the colon": b"Transfer-Encoding : chunked\r\nContent-Length: %d\r\n\r\n0\r\n\r\n"
    % (5 + len(HIDDEN)),
    "unknown coding": b"Transfer-Encoding: xchunked\r\nContent-Length: 0\r\n\r\n",
    "two codings": b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    "doubled coding": b"Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n\r\n0\r\n\r\n",
    "folded header": b"Transfer-Encoding:\r\n chunked\r\nContent-Length: %d\r\n\r\n0\r\n\r\n"
    % (5 + len(HIDDEN)),
    "underscore": b"Content_Length: 0\r\nContent-Length: %d\r\n\r\n" % len(HIDDEN),
    "bare line feed": b"X: y\nTransfer-Encoding: chunked\r\nContent-Length: %d\r\n\r\n0\r\n\r\n"
    % (5 + len(HIDDEN)),
    "bad chunk": b"Transfer-Encoding: chunked\r\n\r\n0x0\r\n\r\n",
}


@pytest.mark.parametrize("how", SMUGGLERS)
def test_no_request_hides_in_another_ones_body(behind: Behind, how: str) -> None:
    """Whatever the gateway makes of it, the service sees no request that the gateway did not."""
    request = b"POST /v1/scans HTTP/1.1\r\nHost: cards.example\r\n" + SMUGGLERS[how] + HIDDEN
    behind.say(request)
    seen = len(behind.recorder.seen)
    # A second, honest request: had anything stayed on the way to the service, this would meet it.
    with behind.client() as http:
        assert http.get("/healthz").json() == {"status": "alive"}
    assert behind.recorder.seen[-1][1] == "/healthz"
    assert len(behind.recorder.seen) == seen + 1
    # nginx takes what follows as a request of its own where it saw the first one end there.
    assert until(lambda: behind.gateway.passed_on >= seen + 1, LOG_SECONDS_MAX)


def test_the_terminals_name_needs_a_certificate_of_their_authority(behind: Behind) -> None:
    folder = behind.gateway.folder
    for certificate in (None, (folder / "stranger.pem", folder / "stranger.key")):
        options = {"certificate": certificate} if certificate else {}
        with behind.client(TERMINALS, **options) as http:
            assert http.get("/v1/terminal").status_code == 400
    assert behind.recorder.seen == []
    till = (folder / "till.pem", folder / "till.key")
    with behind.client(TERMINALS, certificate=till) as http:
        # The certificate opens the door; who speaks is still proved by the signature.
        assert http.get("/v1/terminal").json()["code"] == "not_authenticated"
        assert http.get("/v1/holder/card").status_code == 404
        assert http.get("/").status_code == 404
    assert [seen[1] for seen in behind.recorder.seen] == ["/v1/terminal"]


def test_the_log_tells_no_path_no_query_and_no_address(behind: Behind) -> None:
    with behind.client() as http:
        http.get("/v1/110101199003074477?code=110101199003074477")
    assert until(lambda: behind.gateway.log.count(" 404 GET ") == 1, LOG_SECONDS_MAX)
    assert "110101" not in behind.gateway.log
    assert "127.0.0.1" not in behind.gateway.log
    assert "/v1" not in behind.gateway.log
