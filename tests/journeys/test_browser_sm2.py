"""SM3, SM2 and the QR code in the browser, against the standards, our core and others' software."""

import json
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest
import qrcode
from PIL import Image
from playwright.sync_api import Browser, Page
from qr_reading import the_code
from qrcode.util import MODE_NUMBER, QRData
from stage import listening, served, url_of
from starlette.applications import Starlette
from starlette.responses import HTMLResponse
from starlette.routing import Route

from crypto import sm2, sm3
from scan_api.pages.static_files import StaticPages

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "sm_official.json").read_text())
CASES = 200
MODULES = "/static/phone"
FROM_HEX = "const bytes = await import('/static/phone/bytes.js'), { fromHex, toHex } = bytes;"
SM2 = "const sm2 = await import('/static/phone/sm2.js');"
SM3 = "const { digest } = await import('/static/phone/sm3.js');"


@pytest.fixture(scope="module")
def page(browser: Browser) -> Iterator[Page]:
    app = Starlette(
        routes=[
            Route("/", lambda _: HTMLResponse("<!doctype html><title>t</title>")),
            Route("/static/{path:path}", StaticPages().answer),
        ]
    )
    with listening() as bound, served(app, bound):
        opened = browser.new_page()
        opened.goto(url_of(bound))
        yield opened
        opened.close()


def run(page: Page, script: str, argument: object) -> object:
    """What the script gives; it has the argument as `given`."""
    return page.evaluate(f"async (given) => {{ {FROM_HEX} {script} }}", argument)


def test_sm3_gives_the_standards_digests_and_our_own(page: Page) -> None:
    choices = Random(3)
    official = {one["message_ascii"].encode(): one["digest"].lower() for one in VECTORS["sm3"]}
    messages = [*official, *(choices.randbytes(size) for size in range(CASES))]
    found = run(
        page,
        f"{SM3} return given.map((one) => toHex(digest(fromHex(one))));",
        [one.hex() for one in messages],
    )
    assert found == [official.get(one) or sm3.digest(one).hex() for one in messages]


def test_the_standards_signature(page: Page) -> None:
    wanted = VECTORS["sm2_sign"]
    found = run(
        page,
        f"""{SM2}
        const d = sm2.privateKey(fromHex(given.d)), key = sm2.publicKeyOf(d);
        const e = sm2.digestOf(key, bytes.ascii(given.message_ascii));
        const signature = sm2.signatureWith(d, e, BigInt("0x" + given.k));
        return [toHex(key).slice(2), e.toString(16), toHex(signature)];""",
        wanted,
    )
    assert found == [
        wanted["px"].lower(),
        wanted["e"].lower(),
        (wanted["r"] + wanted["s"]).lower(),
    ]


def test_what_the_browser_signs_our_core_verifies(page: Page) -> None:
    choices = Random(1)
    messages = [choices.randbytes(choices.randrange(300)) for _ in range(CASES)]
    found = run(
        page,
        f"""{SM2}
        return given.map((message) => {{
            const d = sm2.privateKey(sm2.newPrivateKey()), key = sm2.publicKeyOf(d);
            return [toHex(key), toHex(sm2.sign(d, key, fromHex(message)))];
        }});""",
        [one.hex() for one in messages],
    )
    assert isinstance(found, list)
    assert len({key for key, _ in found}) == CASES
    for message, (key, signature) in zip(messages, found, strict=True):
        sm2.PublicKey.from_bytes(bytes.fromhex(key)).verify(bytes.fromhex(signature), message)


def test_what_our_core_signs_the_browser_verifies_and_nothing_else(page: Page) -> None:
    choices = Random(2)
    given = []
    for _ in range(CASES):
        key = sm2.PrivateKey.generate()
        message = choices.randbytes(choices.randrange(1, 300))
        public = key.public_key().to_bytes(compressed=True)
        given.append([public.hex(), key.sign(message).hex(), message.hex()])
    found = run(
        page,
        f"""{SM2}
        const flipped = (text, at) => {{
            const found = fromHex(text);
            found[at % found.length] ^= 1 << at % 8;
            return found;
        }};
        return given.map(([key, signature, message], at) => [
            sm2.holds(fromHex(key), fromHex(signature), fromHex(message)),
            sm2.holds(fromHex(key), flipped(signature, at), fromHex(message)),
            sm2.holds(fromHex(key), fromHex(signature), flipped(message, at)),
            sm2.holds(flipped(key, at), fromHex(signature), fromHex(message)),
            sm2.holds(fromHex(key), fromHex(signature).subarray(1), fromHex(message)),
        ]);""",
        given,
    )
    assert found == [[True, False, False, False, False]] * CASES


def test_numbers_out_of_range_are_no_signature_and_no_key(page: Page) -> None:
    n = int(VECTORS["curve"]["n"], 16)
    key = sm2.PrivateKey.generate()
    public = key.public_key().to_bytes(compressed=True).hex()
    pairs = [(0, 1), (1, 0), (n, 1), (1, n), (1, n - 1), (n - 1, 1)]
    found = run(
        page,
        f"""{SM2}
        const refused = (hex) => {{
            try {{ sm2.privateKey(fromHex(hex)); return false; }} catch {{ return true; }}
        }};
        return [
            given.signatures.map((one) => sm2.holds(fromHex(given.key), fromHex(one), fromHex(""))),
            given.keys.map(refused),
        ];""",
        {
            "key": public,
            "signatures": [(r.to_bytes(32) + s.to_bytes(32)).hex() for r, s in pairs],
            "keys": [value.to_bytes(32).hex() for value in (0, n - 1, n, 1, n - 2)],
        },
    )
    assert found == [[False] * len(pairs), [True, True, True, False, False]]


def test_a_clock_that_is_wrong_is_told_both_ways_with_a_network_and_without(page: Page) -> None:
    found = run(
        page,
        "const words = await import('/static/phone/clock_words.js');"
        "return given.map((ahead) => [words.clockText(ahead), words.offlineClockText(ahead)]);",
        [600, -600, 31, 30, -30, 0, None],
    )
    assert isinstance(found, list)
    fast, slow, a_little, *right = found
    assert all("This phone's clock is about 10 minutes fast" in text for text in fast)
    assert all("This phone's clock is about 10 minutes slow" in text for text in slow)
    assert all("automatically" in one[0] and "go online once" in one[1] for one in (fast, slow))
    assert all("about 31 seconds" in text for text in a_little)
    assert right == [["", ""]] * 4


def test_the_qr_code_is_the_one_that_others_draw(page: Page) -> None:
    choices = Random(4)
    texts = ["".join(choices.choices("0123456789", k=493)) for _ in range(10)]
    found = run(
        page,
        "const { matrix } = await import('/static/phone/qr.js'); return given.map(matrix);",
        texts,
    )
    assert isinstance(found, list)
    for text, drawn in zip(texts, found, strict=True):
        other = qrcode.QRCode(
            version=10,
            error_correction=qrcode.constants.ERROR_CORRECT_M,
            border=0,
            mask_pattern=drawn["mask"],
        )
        other.add_data(QRData(text, mode=MODE_NUMBER), optimize=0)
        other.make(fit=False)
        assert drawn["rows"] == [[int(dark) for dark in row] for row in other.get_matrix()]
        picture = Image.new("L", (65, 65), 255)
        picture.paste(_image(drawn["rows"]), (4, 4))
        assert the_code(picture.resize((195, 195), Image.Resampling.NEAREST)).text == text


def _image(rows: list[list[int]]) -> Image.Image:
    return Image.frombytes("L", (57, 57), bytes(0 if dark else 255 for row in rows for dark in row))
