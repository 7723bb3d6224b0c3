"""What an independent decoder (zxing-cpp) reads in a picture."""

import zxingcpp
from PIL import Image


def the_code(picture: Image.Image) -> zxingcpp.Barcode:
    """The one QR code in it.

    Only QR codes are looked for: in the modules of one code of some thousand the decoder sees bars
    of another kind as well.
    """
    qr_code = zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode)
    (found,) = zxingcpp.read_barcodes(picture.convert("L"), formats=qr_code)
    return found
