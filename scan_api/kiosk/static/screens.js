// One screen at a time, and what is asked of the channel's own process for it.

import { NoAnswerError, ask } from "./ask.js";

// A slow hash and a retry of the process's own fit into it.
const TIMEOUT_MS = 20_000;
const TOKEN = { "X-Counter-Token": document.querySelector("meta[name=page-token]").content };
const screens = new Map(
  [...document.querySelectorAll("[data-screen]")].map((one) => [one.dataset.screen, one]),
);
let shown = "waiting";

/** The name of the screen that is on. */
export const screenShown = () => shown;

export function show(name) {
  shown = name;
  for (const [one, section] of screens) section.hidden = one !== name;
  window.scrollTo(0, 0);
  screens.get(name).querySelector("h1").focus();
}

/** As `ask`, with the page's token. Throws NoAnswerError. */
export function askProcess(method, path, body) {
  return ask(method, path, { body, headers: TOKEN, timeout: TIMEOUT_MS });
}

/** From somebody's coming to their leaving: an answer that comes when they have left is nobody's. */
export class Visit {
  /** onNoAnswer(): nothing is known about what was asked. */
  constructor({ onNoAnswer }) {
    this.onNoAnswer = onNoAnswer;
    this.busy = false;
    this.count = 0;
  }

  /** One question; null where it was told that there is no answer, or one is under way. */
  async ask(path, body = {}) {
    if (this.busy) return null;
    this.busy = true;
    const asking = this.count;
    try {
      const reply = await askProcess("POST", path, body);
      if (asking === this.count) return reply;
      endSession();
      return null;
    } catch (error) {
      if (!(error instanceof NoAnswerError)) throw error;
      if (asking === this.count) this.onNoAnswer();
      return null;
    } finally {
      this.busy = false;
    }
  }

  /** They left; where the process can't be told, it ends the session by itself, as the service does. */
  end() {
    this.count += 1;
    endSession();
  }
}

function endSession() {
  askProcess("POST", "/session/end", {}).catch(() => {});
}
