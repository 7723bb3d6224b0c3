"""The pages as the server draws them: language, confinement, and what they may tell a newcomer."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from scan_service import BASE_URL, ScanService
from starlette.testclient import TestClient

import scan_api.pages
from scan_api.app import create_app
from scan_api.holders.session import COOKIE
from scan_api.pages.routes import StartHints
from scan_api.pages.static_files import StaticPages

STATIC = Path(scan_api.pages.__file__).parent / "static"
TEMPLATES = STATIC.parent / "templates"
PAGES = ["/", "/holder", "/?lang=en", "/holder?lang=en"]
CHINESE = re.compile("[\u4e00-\u9fff]")


class Markup(HTMLParser):
    """What a page is made of: its elements with their attributes, and its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.texts: list[tuple[str, str]] = []
        self._open = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        self._open = tag

    def handle_data(self, data: str) -> None:
        self.texts.append((self._open, data.strip()))

    def values(self, *names: str) -> list[str]:
        return [attrs[name] for _, attrs in self.elements for name in names if name in attrs]


@pytest.fixture
def http(shared_service: ScanService) -> TestClient:
    return shared_service.client()


def start_page(service: ScanService, hints: StartHints | None = None) -> str:
    app = create_app(service.services)
    if hints:
        app.state.start_hints = hints
    return TestClient(app, base_url=BASE_URL).get("/").text


# ---- language


def test_a_page_is_chinese_until_the_reader_chooses(http: TestClient) -> None:
    answer = http.get("/holder", headers={"Accept-Language": "en-GB"})
    assert '<html lang="zh-CN"' in answer.text
    assert "登录电子社保卡" in answer.text
    assert "set-cookie" not in answer.headers


def test_the_choice_of_a_language_is_kept(http: TestClient) -> None:
    assert '<html lang="en"' in http.get("/?lang=en").text
    assert "Sign in to your e-card" in http.get("/holder").text
    assert "登录电子社保卡" in http.get("/holder?lang=zh").text
    assert "登录电子社保卡" in http.get("/holder").text


def test_a_language_that_is_not_there_changes_nothing(http: TestClient) -> None:
    answer = http.get("/?lang=<script>")
    assert '<html lang="zh-CN"' in answer.text
    assert "set-cookie" not in answer.headers


def test_large_type_is_kept_and_given_back(http: TestClient) -> None:
    assert 'data-type="normal"' in http.get("/holder").text
    assert 'data-type="large"' in http.get("/?type=large").text
    assert 'data-type="large"' in http.get("/holder?lang=en").text
    assert 'data-type="normal"' in http.get("/holder?type=normal").text
    assert 'data-type="normal"' in http.get("/").text


@pytest.mark.parametrize("path", ["/?lang=en", "/holder?lang=en"])
def test_no_chinese_is_left_in_an_english_page(http: TestClient, path: str) -> None:
    markup = Markup(http.get(path).text)
    left = [text for _, text in markup.texts if CHINESE.search(text)]
    assert left == ["中文"]  # the way back
    assert not [text for text in markup.values("alt", "placeholder") if CHINESE.search(text)]


# ---- confinement


@pytest.mark.parametrize("path", PAGES)
def test_a_page_runs_and_loads_nothing_but_its_own(http: TestClient, path: str) -> None:
    answer = http.get(path)
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Permissions-Policy"].startswith("camera=()")

    markup = Markup(answer.text)
    names = {name for _, attrs in markup.elements for name in attrs}
    assert not {name for name in names if name == "style" or name.startswith("on")}
    assert not [text for tag, text in markup.texts if tag in {"script", "style"} and text]
    assert all(url.startswith(("/", "?", "#")) for url in markup.values("src", "href"))


def test_only_the_check_of_receipts_may_ask_for_the_camera(http: TestClient) -> None:
    granted = [
        path
        for path in (*PAGES, "/verify")
        if "camera=(self)" in http.get(path).headers["Permissions-Policy"]
    ]
    assert granted == ["/verify"]


@pytest.mark.parametrize(
    "path", sorted(path for path in STATIC.rglob("*") if path.is_file()), ids=lambda path: path.name
)
def test_what_a_page_loads_asks_nobody_else(http: TestClient, path: Path) -> None:
    address = f"/static/{path.relative_to(STATIC).as_posix()}"
    answer = http.get(address)
    assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-cache")
    assert answer.content == path.read_bytes()
    assert not re.search(r"""(https?:)?//(?!www\.w3\.org/2000/svg)[a-z0-9]+\.[a-z]""", answer.text)
    names = re.findall(r'from "([^"]+)"', answer.text)
    assert all(name.startswith(("./", "../")) for name in names)
    again = http.get(address, headers={"If-None-Match": answer.headers["ETag"]})
    assert again.status_code == 304


def test_a_browser_that_looks_for_an_icon_finds_one(http: TestClient) -> None:
    answer = http.get("/favicon.ico")
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "image/svg+xml")


@pytest.mark.parametrize(
    "path",
    [
        "/static/",
        "/static/nothing.js",
        "/static/..%2fsite.py",
        "/static/v-00/nothing.js",
        "/static/v-",
    ],
)
def test_nothing_else_is_served(http: TestClient, path: str) -> None:
    assert http.get(path).status_code == 404


# ---- light


def test_every_file_of_a_page_is_named_by_what_is_in_it_and_kept_for_good(http: TestClient) -> None:
    for path in (*PAGES, "/verify"):
        markup = Markup(http.get(path).text)
        files = [url for url in markup.values("src", "href") if url.startswith("/static/")]
        assert files
        for url in files:
            kept = http.get(url).headers["Cache-Control"]
            assert (url, kept) == (url, "public, max-age=31536000, immutable")


def test_the_name_changes_with_any_byte(http: TestClient, tmp_path: Path) -> None:
    (root,) = set(re.findall(r'"(/static/v-[0-9a-f]{16})/', http.get("/").text))
    # A package of one's own brings one more file.
    (tmp_path / "other_pages" / "static").mkdir(parents=True)
    (tmp_path / "other_pages" / "__init__.py").touch()
    added = tmp_path / "other_pages" / "static" / "added.js"
    roots = {root}
    with pytest.MonkeyPatch.context() as patched:
        patched.syspath_prepend(tmp_path)
        for content in ("1;", "2;"):
            added.write_text(content)
            roots.add(StaticPages("other_pages").root)
    assert len(roots) == 3


def test_by_the_name_of_another_version_a_file_is_there_and_is_not_kept(http: TestClient) -> None:
    answer = http.get("/static/v-0123456789abcdef/holder.js")
    assert answer.content == (STATIC / "holder.js").read_bytes()
    assert answer.headers["Cache-Control"] == "no-cache"


@pytest.mark.parametrize(
    ("accepted", "is_packed"),
    [
        ("gzip", True),
        ("br, GZIP;q=0.5", True),
        ("gzip;q=0", False),
        ("gzip; q=0.00", False),
        ("br", False),
    ],
)
def test_files_and_public_pages_are_packed_for_whoever_reads_that(
    http: TestClient, accepted: str, is_packed: bool
) -> None:
    for path in ("/static/holder.js", *PAGES, "/verify"):
        plain = http.get(path, headers={"Accept-Encoding": "identity"})
        answer = http.get(path, headers={"Accept-Encoding": accepted})
        assert ("Content-Encoding" in answer.headers) is is_packed
        assert answer.headers["Vary"] == plain.headers["Vary"] == "Accept-Encoding"
        assert answer.text == plain.text
        if is_packed:
            assert int(answer.headers["Content-Length"]) < 0.7 * len(plain.content)


def test_a_packed_file_and_a_plain_one_are_not_taken_for_each_other(http: TestClient) -> None:
    tags = {
        coding: http.get("/static/holder.js", headers={"Accept-Encoding": coding}).headers["ETag"]
        for coding in ("gzip", "identity")
    }
    for coding, tag in tags.items():
        asked = {"Accept-Encoding": coding, "If-None-Match": f'"other", W/{tag}'}
        again = http.get("/static/holder.js", headers=asked)
        assert (again.status_code, again.content) == (304, b"")
        asked["Accept-Encoding"] = "identity" if coding == "gzip" else "gzip"
        assert http.get("/static/holder.js", headers=asked).status_code == 200


def test_no_answer_that_may_hold_a_secret_is_packed(shared_service: ScanService) -> None:
    """BREACH: the length of a packed answer tells of a secret that stands beside a guess."""
    http = shared_service.client()
    http.headers["Accept-Encoding"] = "gzip"
    wrong = http.post(
        "/v1/holder/sign-ins",
        json={"social_security_number": "1" * 18, "password": "000000"},
        headers={"Origin": BASE_URL},
    )
    answers = [wrong, http.get("/v1/holder/card"), http.get("/healthz"), http.get("/docs")]
    assert not [one.url for one in answers if "Content-Encoding" in one.headers]


# ---- the start page


def test_the_start_page_names_no_holder_unless_it_is_told_to(shared_service: ScanService) -> None:
    assert not re.search(r"\d{17}[0-9X]", start_page(shared_service))
    hints = StartHints(holder_number="110101199003070134", holder_password="274095")
    shown = start_page(shared_service, hints)
    assert "110101199003070134" in shown
    assert "274095" in shown


def test_the_start_page_leads_to_the_counter_where_there_is_one(
    shared_service: ScanService,
) -> None:
    hints = StartHints(counter_url="http://127.0.0.1:8701/")
    assert 'href="http://127.0.0.1:8701/"' in start_page(shared_service, hints)
    assert "sscard terminal serve" in start_page(shared_service)


# ---- the holder's page


def test_the_form_waits_for_whoever_has_no_session(http: TestClient) -> None:
    assert 'data-session="none"' in http.get("/holder").text
    http.cookies.set(COOKIE, "something")
    assert 'data-session="maybe"' in http.get("/holder").text


# ---- the holder's page as an app


def test_the_shell_is_the_page_and_all_that_its_scripts_import(http: TestClient) -> None:
    answer = http.get("/holder")
    worker = http.get("/phone-worker.js")
    version = answer.headers["SSCARD-Shell"]
    assert f'const VERSION = "{version}";' in worker.text
    assert worker.headers["Content-Security-Policy"] == "default-src 'none'; connect-src 'self'"
    listed = re.search(r"const SHELL = (\[.*\]);", worker.text)
    assert listed
    files = set(json.loads(listed[1]))
    names = {re.sub(r"^/static/v-[0-9a-f]{16}/", "", path) for path in files}
    assert {"holder.js", "sscard.css", "mark.svg", "phone/qr.js"} <= names
    assert "counter.js" not in names
    kept = [http.get(path).headers["Cache-Control"] for path in files]
    assert all("immutable" in one for one in kept)
    first = set(re.findall(r'rel="modulepreload" href="([^"]+)"', answer.text))
    assert first < files
    # A code waits for its own card alone, and for no other place of the page.
    in_question = ("/code_card.js", "/sm2.js", "/holder_rest.js", "/holder_family.js")
    assert [path.split("/")[-1] for path in first if path.endswith(in_question)] == ["code_card.js"]
    sheets = {path for path in files if path.endswith(".css")}
    sent = [int(http.get(path).headers["Content-Length"]) for path in ("/holder", *first, *sheets)]
    assert sum(sent) < 60_000


@pytest.mark.parametrize(("language", "name"), [("zh", "电子社保卡"), ("en", "My e-card")])
def test_the_manifest_is_in_the_readers_language(
    http: TestClient, language: str, name: str
) -> None:
    page = http.get(f"/holder?lang={language}")
    assert "manifest-src 'self'" in page.headers["Content-Security-Policy"]
    (address,) = re.findall(r'rel="manifest" href="([^"]+)"', page.text)
    manifest = http.get(address)
    assert manifest.headers["Content-Type"] == "application/manifest+json"
    assert manifest.json()["name"] == name
    assert all(http.get(icon["src"]).status_code == 200 for icon in manifest.json()["icons"])


# ---- what scripts and readers rely on


@pytest.mark.parametrize(
    ("templates", "scripts"),
    [
        (
            ["holder*.html", "phone.html"],
            ["phone/panel.js", *sorted(path.name for path in STATIC.glob("holder*.js"))],
        ),
        (["counter.html"], ["counter.js", "verdict.js"]),
    ],
)
def test_scripts_find_what_they_look_for(templates: list[str], scripts: list[str]) -> None:
    ids = {
        found
        for template in templates
        for part in TEMPLATES.glob(template)
        for found in re.findall(r'\bid="([^"]+)"', part.read_text())
    }
    for script in scripts:
        wanted = set(re.findall(r'\$\("([^"]+)"\)', (STATIC / script).read_text()))
        assert wanted <= ids


def test_every_field_has_its_label_and_every_reference_its_target(http: TestClient) -> None:
    markup = Markup(http.get("/holder").text)
    ids = markup.values("id")
    assert len(ids) == len(set(ids))
    references = markup.values("for", "aria-labelledby", "aria-describedby")
    assert {word for value in references for word in value.split()} <= set(ids)
    fields = [attrs for tag, attrs in markup.elements if tag == "input" and "hidden" not in attrs]
    assert {attrs["id"] for attrs in fields} <= set(markup.values("for"))
