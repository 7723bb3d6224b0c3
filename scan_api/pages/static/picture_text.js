// What a QR code in a picture says, where the browser can read one by itself (BarcodeDetector).

const FORMAT = "qr_code";

/** A function of a picture (a video, an ImageBitmap) to its text or null; null where none can read. */
export async function pictureReader() {
  const Detector = globalThis.BarcodeDetector;
  if (!Detector || !(await Detector.getSupportedFormats()).includes(FORMAT)) return null;
  const detector = new Detector({ formats: [FORMAT] });
  return async (picture) => {
    const found = await detector.detect(picture);
    return found.length === 1 ? found[0].rawValue : null;
  };
}
