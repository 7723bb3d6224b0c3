"""A browser's own reader of QR codes (BarcodeDetector), which phones have and this one has not:
zxing-cpp behind the same interface."""

import base64
import io

import zxingcpp
from PIL import Image
from playwright.sync_api import BrowserContext

_DETECTOR = """
    window.BarcodeDetector = class {
        static getSupportedFormats = async () => ["qr_code"];
        async detect(picture) {
            const canvas = document.createElement("canvas");
            const width = picture.videoWidth ?? picture.width;
            const height = picture.videoHeight ?? picture.height;
            Object.assign(canvas, { width, height });
            canvas.getContext("2d").drawImage(picture, 0, 0);
            const found = await window.readCodes(canvas.toDataURL().split(",")[1]);
            return found.map((rawValue) => ({ rawValue }));
        }
    };
"""


def bring_reader(context: BrowserContext) -> None:
    """For every page that is opened in it from now on."""
    context.expose_function("readCodes", _codes_in)
    context.add_init_script(_DETECTOR)


def _codes_in(png_b64: str) -> list[str]:
    with Image.open(io.BytesIO(base64.b64decode(png_b64))) as picture:
        return [found.text for found in zxingcpp.read_barcodes(picture.convert("RGB"))]
