// The verdict, as large as the page allows, and the list of the latest ones.

import { pick, t } from "./language.js";

const $ = (id) => document.getElementById(id);
const RECENT_MAX = 8;
const MARKS = { accepted: "✓", refused: "✕", unknown: "?", waiting: "", asking: "…" };
const TITLES = {
  accepted: t("通过", "Accepted"),
  refused: t("不通过", "Refused"),
  unknown: t("没有结果，不能办理", "No result: do not serve yet"),
  waiting: t("等待扫码", "Ready to scan"),
  asking: t("正在核验", "Checking"),
};
const TIME = new Intl.DateTimeFormat("zh-CN", { timeZone: "Asia/Shanghai", timeStyle: "medium" });

/** look: one of the keys of TITLES. */
export function showVerdict(look, { title, reason = "", holder = null, next = "", again = false } = {}) {
  $("verdict").className = `verdict ${look}`;
  $("verdict-mark").textContent = MARKS[look];
  $("verdict-title").textContent = title ?? TITLES[look];
  $("verdict-reason").textContent = reason;
  $("verdict-next").textContent = next;
  $("verdict-actions").hidden = !again;
  const shown = [holder?.name, holder?.social_security_number].filter(Boolean);
  $("verdict-holder").hidden = !shown.length;
  $("verdict-holder").replaceChildren(...shown.map((text) => element("span", text)));
  $("verdict").scrollIntoView({ block: "nearest" });
}

/** An answer of the service: green or red, why, and what to do next in one sentence. */
export function showAnswer(answer) {
  const action = answer.next_action ?? {};
  showVerdict(answer.outcome, {
    // A yes with no network says less than one of the service, and has to say so.
    reason: answer.outcome === "accepted" && !answer.offline ? "" : pick(answer, "text"),
    holder: answer.holder,
    next: pick(action, "clerk"),
  });
}

/** Adds a line to the list, or corrects the one that `scan` has there already. */
export function noteScan(scan, look, { text, name = "", at = null }) {
  const line = element("li", "", look);
  const when = [at && TIME.format(new Date(at)), pick(scan.businessType, "name")];
  line.append(
    element("span", MARKS[look], "recent-mark"),
    element("span", name ? `${text} · ${masked(name)}` : text, "recent-text"),
    element("span", when.filter(Boolean).join(" · "), "recent-when"),
  );
  if (scan.line?.isConnected) scan.line.replaceWith(line);
  else $("recent").prepend(line);
  scan.line = line;
  while ($("recent").children.length > RECENT_MAX) $("recent").lastElementChild.remove();
  $("recent-empty").hidden = true;
}

// The list stays in view of the queue, so even a full name is masked in it.
function masked(name) {
  const letters = [...name];
  return "*".repeat(Math.max(1, letters.length - 1)) + (letters.length > 1 ? letters.at(-1) : "");
}

function element(tag, text, className = "") {
  const made = document.createElement(tag);
  made.textContent = text;
  made.className = className;
  return made;
}
