// What every page of the desk is made with: questions to the operators' API, and elements.

import { NoAnswerError, ask } from "./ask.js";
import { pick, t } from "./language.js";

const V1 = "/v1/operator";
const NO_ANSWER = t(
  "连不上服务。请检查网络，再试一次。",
  "The service can't be reached. Check the network and try again.",
);

/** What went wrong, in the reader's words. `answer`: the problem document, or null. */
export class ToldError extends Error {
  constructor(text, answer = null) {
    super(text);
    this.answer = answer;
  }
}

/** The element of this id. */
export const $ = (id) => document.getElementById(id);

/**
 * The answer of the operators' API. `key` names a request that changes something: the same again
 * is a repetition. Throws ToldError; whoever is signed out is led to the sign-in.
 */
export async function call(method, path, { body, key, timeout } = {}) {
  const headers = key ? { "Idempotency-Key": `"${key}"` } : {};
  let reply;
  try {
    reply = await ask(method, V1 + path, { body, headers, timeout });
  } catch (error) {
    if (error instanceof NoAnswerError) throw new ToldError(NO_ANSWER);
    throw error;
  }
  if (reply.status === 401 && !path.startsWith("/sign-ins")) leave();
  if (!reply.ok) throw new ToldError(wordsOf(reply.answer), reply.answer);
  return reply.answer;
}

/** To the sign-in, where it is said that the session is over. */
export function leave() {
  location.assign("/?ended=1");
}

function wordsOf(answer) {
  const words = answer && pick(answer, "detail");
  return words || t("服务没有正常回答，请再试一次。", "The service gave no proper answer; try again.");
}

/** An element with attributes and children; a text is a child as it stands. */
export function el(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key === "onclick") made.addEventListener("click", value);
    else if (value === true) made.setAttribute(key, "");
    else if (value !== false && value !== undefined) made.setAttribute(key, value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

/** A list of facts: pairs of a word and a text or an element. */
export function facts(pairs) {
  return el(
    "dl",
    { class: "facts" },
    ...pairs.flatMap(([word, value]) => [el("dt", {}, word), el("dd", {}, value)]),
  );
}

/** A table that scrolls by itself where it is too wide; "none" where it has no rows. */
export function table(title, columns, rows) {
  const head = el("tr", {}, ...columns.map((one) => el("th", { scope: "col" }, one)));
  const lines = rows.map((cells) => el("tr", {}, ...cells.map((one) => el("td", {}, one))));
  if (!rows.length) return el("section", {}, el("h3", {}, title), el("p", { class: "muted" }, t("没有", "None")));
  return el(
    "div",
    { class: "wide-table", tabindex: "0", role: "region", "aria-label": title },
    el("table", {}, el("caption", {}, title), el("thead", {}, head), el("tbody", {}, ...lines)),
  );
}

/** Says something to whoever can't see what changed. */
export function tell(text) {
  $("told").textContent = text;
}

/** Shows what went wrong in an element, or hides it. */
export function showProblem(element, text) {
  element.textContent = text;
  element.hidden = !text;
}

const DAY = new Intl.DateTimeFormat(t("zh-CN", "en-GB"), {
  year: "numeric",
  month: "2-digit",
  day: "2-digit",
  hour: "2-digit",
  minute: "2-digit",
  hourCycle: "h23",
});

/** An instant of the API, in the reader's own time. */
export const when = (instant) => DAY.format(new Date(instant));

/** The half of "中文 / English" that the reader reads. */
export function half(text) {
  const at = text.lastIndexOf(" / ");
  return at < 0 ? text : t(text.slice(0, at), text.slice(at + 3));
}

/** Asks whether it is meant; `work` is done when "yes" is pressed, once at a time. */
export function whenSure(work) {
  $("sure-yes").onclick = async () => {
    $("sure-yes").disabled = true;
    try {
      await work();
    } catch (error) {
      if (!(error instanceof ToldError)) throw error;
      $("sure-problem").textContent = error.message;
    } finally {
      $("sure-yes").disabled = false;
    }
  };
  $("sure").showModal();
}
