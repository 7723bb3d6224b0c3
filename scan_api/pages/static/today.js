// Today's scans at this counter, kept in its browser until the day is over, without names.

import { read, remove, write } from "./kept.js";
import { pick, t } from "./language.js";

const KEPT = "sscard.today";
const KEPT_MAX = 2000;
const SHOWN_MAX = 30;
const MARKS = { accepted: "✓", refused: "✕", unknown: "?" };
const ZONE = "Asia/Shanghai";
const DAY = new Intl.DateTimeFormat("sv-SE", { timeZone: ZONE, dateStyle: "short" });
const TIME = new Intl.DateTimeFormat("zh-CN", { timeZone: ZONE, timeStyle: "medium" });

const $ = (id) => document.getElementById(id);

/** The list and its totals. */
export class Today {
  constructor() {
    this.#show();
  }

  /** Adds a scan, or corrects it: `id` is its request's. texts: {text_zh, text_en}, as answers have. */
  note({ id, look, texts, businessType, offline = false, at = null }) {
    // Read anew: the counter may be open in a second window.
    const kept = linesOfToday();
    const line = {
      id,
      look,
      offline,
      at: new Date(at ?? Date.now()).getTime(),
      text_zh: texts.text_zh,
      text_en: texts.text_en,
      name_zh: businessType.name_zh,
      name_en: businessType.name_en,
    };
    const place = kept.findIndex((one) => one.id === id);
    if (place < 0) kept.unshift(line);
    else kept[place] = line;
    write(KEPT, JSON.stringify({ day: day(), lines: kept.slice(0, KEPT_MAX) }));
    this.#show();
  }

  #show() {
    const lines = linesOfToday();
    const count = (look) => lines.filter((one) => one.look === look).length;
    $("recent").replaceChildren(...lines.slice(0, SHOWN_MAX).map(drawn));
    $("recent-empty").hidden = lines.length > 0;
    $("recent-totals").hidden = !lines.length;
    $("recent-totals").textContent = t(
      `通过 ${count("accepted")} 次，不通过 ${count("refused")} 次，没有结果 ${count("unknown")} 次`,
      `Accepted ${count("accepted")}, refused ${count("refused")}, no result ${count("unknown")}`,
    );
  }
}

const day = () => DAY.format(Date.now());

/** Of another day nothing is shown, and nothing stays behind the first scan of today. */
function linesOfToday() {
  const text = read(KEPT);
  if (text === null) return [];
  const kept = JSON.parse(text);
  if (kept.day === day()) return kept.lines;
  remove(KEPT);
  return [];
}

function drawn(one) {
  const line = element("li", "", one.look);
  const when = [TIME.format(one.at), pick(one, "name"), one.offline && t("离线", "offline")];
  line.append(
    element("span", MARKS[one.look], "recent-mark"),
    element("span", pick(one, "text"), "recent-text"),
    element("span", when.filter(Boolean).join(" · "), "recent-when"),
  );
  return line;
}

function element(tag, text, className = "") {
  const made = document.createElement(tag);
  made.textContent = text;
  made.className = className;
  return made;
}
