"""What an independent decoder (zxing-cpp) reads in a picture."""

import zxingcpp
from PIL import Image

_QR_CODE = zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode)


def the_code(picture: Image.Image) -> zxingcpp.Barcode:
    """The one QR code in it.

    Only QR codes are looked for: in the modules of one code of some thousand the decoder sees bars
    of another kind as well.
    """
    (found,) = zxingcpp.read_barcodes(picture.convert("L"), formats=_QR_CODE)
    return found
