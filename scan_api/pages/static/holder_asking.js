// Questions of the holder's page to the service, and what its buttons do while one is under way.

import { NoAnswerError, ask, newRequestId } from "./ask.js";
import { pick, t } from "./language.js";

export const NO_ANSWER = t(
  "连不上服务。请检查网络，再试一次。",
  "The service can't be reached. Check the network and try again.",
);
/** Told to the document when the service knows the session no more. */
export const SIGNED_OUT = "holder-signed-out";

/**
 * An answer, or null when there was none; `problem` is where the reader is told, `key` the name of
 * a request that changes something: the same name again is a retry.
 */
export async function tryAsk(method, path, body, problem, key) {
  problem.textContent = "";
  try {
    const headers = key ? { "Idempotency-Key": `"${key}"` } : {};
    const reply = await ask(method, path, { body, headers });
    if (reply.answer?.code === "sign_in_needed") document.dispatchEvent(new Event(SIGNED_OUT));
    else if (!reply.ok) problem.textContent = told(reply.answer);
    return reply;
  } catch (error) {
    if (!(error instanceof NoAnswerError)) throw error;
    problem.textContent = NO_ANSWER;
    return null;
  }
}

/** What a problem document tells a reader: what is wrong, and what to do. */
function told(answer) {
  const stop = t("。", ". ");
  return [pick(answer, "title"), pick(answer, "detail")].filter(Boolean).join(stop);
}

/** Runs `work` once at a time; the button shows that it is at work. */
export function whileBusy(button, work) {
  return async (event) => {
    event.preventDefault();
    if (button.disabled) return;
    button.disabled = true;
    try {
      await work();
    } finally {
      button.disabled = false;
    }
  };
}

export const submitOf = (form) => form.querySelector("[type=submit]");

/** The name of one change until its outcome is known, so that trying again does nothing twice. */
export class ChangeName {
  constructor() {
    this.name = newRequestId();
  }

  /** Whether the outcome is known; the next change has another name then. */
  settle(reply) {
    if (!reply || reply.status >= 500 || reply.answer?.code === "request_running") return false;
    this.name = newRequestId();
    return true;
  }
}

/** An element with a text and a class. */
export function element(tag, text = "", className = "") {
  const made = document.createElement(tag);
  made.textContent = text;
  if (className) made.className = className;
  return made;
}
