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

// What a phone makes with no network, or of a low grade, only identifies: its holder chose nothing
// wrong, and choosing something else wouldn't help (docs/code-format.md: 493 digits).
const PHONES_OWN_DIGITS = 493;
const PHONES_OWN = {
  text_zh: "这是手机自己出的离线码，只能证明持卡人是谁，不能付钱、取药",
  text_en: "The phone made this code without a network: it only shows who the holder is, and can't pay or collect medicine",
  next_action: {
    clerk_zh: "没有扣款。请持卡人手机连上网，等码自动换新后再扫；连不上网就改用实体卡",
    clerk_en: "Nothing was charged. Ask the holder to go online and scan the code that comes then; without a network, the chip card",
    holder_zh: "您的码是真的，只是没有网络时不能付钱、取药。请连上网再出示，或者用实体卡",
    holder_en: "Your code is genuine, but without a network it can't pay or collect medicine. Go online and show it again, or use the chip card",
  },
};

/** An answer of the service: green or red, why, and what to do next. code: what was scanned. */
export function showAnswer(given, code) {
  const isPhonesOwn = given.reason === "purpose_mismatch" && code.length === PHONES_OWN_DIGITS;
  const answer = isPhonesOwn ? { ...given, ...PHONES_OWN } : given;
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
