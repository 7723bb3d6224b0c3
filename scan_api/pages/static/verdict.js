// The verdict, as large as the page allows.

import { pick, t } from "./language.js";

const $ = (id) => document.getElementById(id);
const MARKS = { accepted: "✓", refused: "✕", unknown: "?", waiting: "", asking: "…" };
const TITLES = {
  accepted: t("通过", "Accepted"),
  refused: t("不通过", "Refused"),
  unknown: t("没有结果，不能办理", "No result: do not serve yet"),
  waiting: t("等待扫码", "Ready to scan"),
  asking: t("正在核验", "Checking"),
};

/** look: one of the keys of TITLES. */
export function showVerdict(look, { title, reason = "", holder = null, next = "", tell = "", again = false } = {}) {
  $("verdict").className = `verdict ${look}`;
  $("verdict-mark").textContent = MARKS[look];
  $("verdict-title").textContent = title ?? TITLES[look];
  $("verdict-reason").textContent = reason;
  $("verdict-next").textContent = next;
  $("verdict-tell").hidden = !tell;
  $("verdict-tell").textContent = tell && t(`请告诉持卡人：${tell}`, `Tell the holder: ${tell}`);
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
    tell: answer.outcome === "refused" ? pick(action, "holder") : "",
  });
}

function element(tag, text) {
  const made = document.createElement(tag);
  made.textContent = text;
  return made;
}
