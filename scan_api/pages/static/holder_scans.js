// Who scanned the holder, day by day; "this wasn't me"; and a word on each use that is new.

import { NoAnswerError, ask } from "./ask.js";
import { ChangeName, element, tryAsk, whileBusy } from "./holder_asking.js";
import { read, write } from "./kept.js";
import { pick, t } from "./language.js";

const $ = (id) => document.getElementById(id);
const PATH = "/v1/holder/scans";
const SEEN = "sscard-scans-seen-until";
const LOOK_MS = 15_000;

const language = document.documentElement.lang;
const zone = { timeZone: "Asia/Shanghai" };
const DAY = new Intl.DateTimeFormat(language, { ...zone, dateStyle: "full" });
const CLOCK = new Intl.DateTimeFormat(language, { ...zone, timeStyle: "short" });

export class Scans {
  /** onLoss(): the holder wants to report a loss as well. */
  constructor({ onLoss }) {
    this.scan = null;
    this.watching = false;
    this.reportName = new ChangeName();
    $("confirm-report").addEventListener(
      "click",
      whileBusy($("confirm-report"), () => this.#report()),
    );
    $("report-then-loss").addEventListener("click", () => {
      $("report-dialog").close();
      onLoss();
    });
    $("news-read").addEventListener("click", () => this.#read());
    document.addEventListener("visibilitychange", () => !document.hidden && this.#look());
  }

  /** The list, asked for anew. */
  async show() {
    const reply = await tryAsk("GET", PATH, undefined, $("scans-problem"));
    if (!reply?.ok || !this.watching) return;
    this.#draw(reply.answer.scans);
    this.#note(reply.answer.scans);
    this.#read();
  }

  /** Looks for new uses now and then, as long as somebody is signed in. */
  watch() {
    if (this.watching) return;
    this.watching = true;
    this.timer = setInterval(() => this.#look(), LOOK_MS);
    this.#look();
  }

  /** Nobody is signed in: nothing of the list stays on the page. */
  forget() {
    this.watching = false;
    clearInterval(this.timer);
    $("scans-days").replaceChildren();
    $("news").hidden = true;
    $("news-text").textContent = "";
    $("report-dialog").close();
  }

  async #look() {
    if (!this.watching || document.hidden) return;
    try {
      const { ok, answer } = await ask("GET", PATH);
      if (ok && this.watching) this.#note(answer.scans);
    } catch (error) {
      // The next look is soon; the code's own notice tells of the network.
      if (!(error instanceof NoAnswerError)) throw error;
    }
  }

  // What is new is told until it was read; the first look ever on a phone tells nothing old.
  #note(scans) {
    this.newest = scans[0]?.scanned_at ?? "";
    const until = read(SEEN);
    if (until === null) return this.#read();
    const uses = scans.filter((scan) => isUse(scan) && scan.scanned_at > until);
    if (!uses.length) return;
    const text = uses.length === 1 ? told(uses[0]) : tooMany(uses);
    if ($("news-text").textContent !== text) $("news-text").textContent = text;
    $("news").hidden = false;
  }

  #read() {
    write(SEEN, this.newest ?? "");
    $("news").hidden = true;
  }

  #draw(scans) {
    $("scans-empty").hidden = scans.length > 0;
    const days = Map.groupBy
      ? Map.groupBy(scans, dayOf)
      : scans.reduce((found, scan) => grouped(found, scan), new Map());
    const drawn = [...days].map(([day, ofDay]) => {
      const list = element("ul", "", "scans-list");
      list.append(...ofDay.map((scan) => this.#line(scan)));
      const box = element("div", "", "panel");
      box.append(element("h2", day), list);
      return box;
    });
    $("scans-days").replaceChildren(...drawn);
  }

  #line(scan) {
    const line = element("li", "", scan.outcome);
    const what = [pick(scan, "business_type"), money(scan.amount_fen)].filter(Boolean).join(" · ");
    line.append(
      element("p", `${CLOCK.format(new Date(scan.scanned_at))} ${scan.institution_name}`, "scan-where"),
      element("p", what),
      element("p", outcomeOf(scan), "scan-outcome"),
    );
    if (scan.reported_at) {
      line.append(element("p", t("您已告诉发卡机构：这不是我。", "You told the bureau: this wasn't me.")));
    } else {
      const button = element("button", t("这不是我", "This wasn't me"), "button plain");
      button.type = "button";
      button.setAttribute("aria-label", t(`这不是我：${told(scan)}`, `This wasn't me: ${told(scan)}`));
      button.addEventListener("click", () => this.#ask(scan));
      line.append(button);
    }
    return line;
  }

  #ask(scan) {
    this.scan = scan;
    $("report-dialog-scan").textContent = told(scan);
    $("report-problem").textContent = "";
    this.#done(false);
    $("report-dialog").showModal();
  }

  async #report() {
    const path = `${PATH}/${this.scan.scan_id}/reports`;
    const reply = await tryAsk("POST", path, {}, $("report-problem"), this.reportName.name);
    if (!this.reportName.settle(reply) || !reply.ok) return;
    this.#done(true);
    $("report-then-loss").focus();
    await this.show();
  }

  #done(done) {
    $("report-asked").hidden = done;
    $("confirm-report").hidden = done;
    $("report-done").hidden = !done;
    $("report-then-loss").hidden = !done;
  }
}

const isUse = (scan) => scan.outcome === "accepted" && scan.consumes;
const dayOf = (scan) => DAY.format(new Date(scan.scanned_at));
const money = (fen) => (fen === null ? "" : t(`${(fen / 100).toFixed(2)} 元`, `CNY ${(fen / 100).toFixed(2)}`));

function grouped(found, scan) {
  const day = dayOf(scan);
  found.set(day, [...(found.get(day) ?? []), scan]);
  return found;
}

function outcomeOf(scan) {
  if (scan.outcome === "refused") return t(`没通过：${scan.reason_zh}`, `Refused: ${scan.reason_en}`);
  const back = scan.reversals.length ? t("；后来退回", "; taken back later") : "";
  return t("通过", "Accepted") + back;
}

/** One scan in one line. */
function told(scan) {
  const at = new Date(scan.scanned_at);
  const parts = [`${CLOCK.format(at)} ${scan.institution_name}`, pick(scan, "business_type"), money(scan.amount_fen)];
  return parts.filter(Boolean).join(t("，", ", "));
}

function tooMany(uses) {
  return t(
    `您的卡用了 ${uses.length} 次，最近一次：${told(uses[0])}`,
    `Your card was used ${uses.length} times, most recently: ${told(uses[0])}`,
  );
}
