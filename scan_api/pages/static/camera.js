// The camera as a scanner: a few pictures a second are looked at by whoever can find a code in them.
// One picture is under way at a time, so a slow machine sees fewer.

import { NoAnswerError } from "./ask.js";
import { t } from "./language.js";

const INTERVAL_MS = 200;
const WIDTH_MAX = 960;
// The same code in front of the camera is one scan until it has been away for this long.
const AWAY_MS = 3000;

export class Camera {
  /**
   * decode(camera): text or null, of what `camera.video` shows now. onText(text). onProblem(text to
   * show), which ends in `otherwise`: what one can do without a camera.
   */
  constructor(video, { decode, onText, onProblem, otherwise }) {
    Object.assign(this, { video, decode, onText, onProblem, otherwise });
    this.canvas = document.createElement("canvas");
    this.stream = null;
    this.seen = { text: null, at: 0 };
  }

  get running() {
    return this.stream !== null;
  }

  async start() {
    try {
      this.stream = await navigator.mediaDevices.getUserMedia({
        video: { facingMode: "environment", width: { ideal: 1280 }, height: { ideal: 720 } },
      });
      this.video.srcObject = this.stream;
      await this.video.play();
    } catch (error) {
      this.stop();
      this.onProblem(problemOf(error) + this.otherwise);
      return;
    }
    this.#look();
  }

  stop() {
    clearTimeout(this.timer);
    for (const track of this.stream?.getTracks() ?? []) track.stop();
    this.stream = null;
    this.video.srcObject = null;
  }

  async #look() {
    const started = performance.now();
    try {
      if (this.video.videoWidth) this.#saw(await this.decode(this));
    } catch (error) {
      // The next picture is tried all the same; the page says elsewhere when its server is gone.
      if (!(error instanceof NoAnswerError)) throw error;
    }
    if (!this.running) return;
    const wait = Math.max(0, INTERVAL_MS - (performance.now() - started));
    this.timer = setTimeout(() => this.#look(), wait);
  }

  #saw(text) {
    if (!text || !this.running) return;
    const now = performance.now();
    const again = text === this.seen.text && now - this.seen.at < AWAY_MS;
    this.seen = { text, at: now };
    if (!again) this.onText(text);
  }

  /** What it shows now: {pixels, width, height}, one byte of grey for each pixel. */
  grey() {
    const scale = Math.min(1, WIDTH_MAX / this.video.videoWidth);
    const width = Math.round(this.video.videoWidth * scale);
    const height = Math.round(this.video.videoHeight * scale);
    Object.assign(this.canvas, { width, height });
    const context = this.canvas.getContext("2d", { willReadFrequently: true });
    context.drawImage(this.video, 0, 0, width, height);
    return { pixels: grey(context.getImageData(0, 0, width, height).data), width, height };
  }
}

// Luma of ITU-R BT.601, in whole numbers.
function grey(rgba) {
  const pixels = new Uint8Array(rgba.length / 4);
  for (let i = 0, j = 0; j < pixels.length; i += 4, j += 1) {
    pixels[j] = (77 * rgba[i] + 150 * rgba[i + 1] + 29 * rgba[i + 2]) >> 8;
  }
  return pixels;
}

function problemOf(error) {
  if (error.name === "NotAllowedError") {
    return t(
      "浏览器没有允许使用摄像头。请在地址栏旁边允许，",
      "The browser did not allow the camera. Allow it beside the address bar, ",
    );
  }
  return t(
    "没有找到可用的摄像头。请检查连接，",
    "No camera can be used. Check that it is connected, ",
  );
}
