// Whoever walks away leaves nothing: a minute without a touch, a warning of 15 seconds, the end.
// A clerk has five.

const IDLE_MS = 60_000;
const WARNING_SECONDS = 15;

export class Idle {
  /** dialog: the warning, `seconds` in it counts down. onEnd(): the time is over. */
  constructor({ dialog, seconds, stay, onEnd }) {
    Object.assign(this, { dialog, seconds, onEnd, idleMs: IDLE_MS });
    for (const what of ["pointerdown", "keydown"]) {
      document.addEventListener(what, () => this.#touched(), { capture: true });
    }
    stay.addEventListener("click", () => this.start());
    dialog.addEventListener("cancel", () => this.start());
  }

  start() {
    this.stop();
    this.running = true;
    this.timer = setTimeout(() => this.#warn(), this.idleMs);
  }

  stop() {
    this.running = false;
    clearTimeout(this.timer);
    if (this.dialog.open) this.dialog.close();
  }

  #touched() {
    // Under the warning only an answer to it counts, or the touch that was meant for the page.
    if (this.running && !this.dialog.open) this.start();
  }

  #warn() {
    this.dialog.showModal();
    this.#count(WARNING_SECONDS);
  }

  #count(left) {
    this.seconds.textContent = String(left);
    if (left > 0) this.timer = setTimeout(() => this.#count(left - 1), 1000);
    else this.onEnd();
  }
}
