// What waits for a second person: read it, decide it. Nobody decides their own.

import { newRequestId } from "./ask.js";
import { $, ToldError, call, el, facts, half, showProblem, tell, when, whenSure } from "./bureau.js";
import { t } from "./language.js";

const LOOK_MS = 10_000;
const FACTS = {
  batch_id: t("批次编号", "Batch id"),
  accepted: t("要制的卡", "Cards to make"),
  refused: t("退回的行", "Rows refused"),
  file_digest: t("名册文件（SM3）", "Roster file (SM3)"),
  content_root: t("全部申领内容（SM3）", "All applications (SM3)"),
};

let shown = null;

async function load() {
  try {
    const found = [];
    let after = "";
    do {
      const page = await call("GET", `/approvals?after=${after}`);
      found.push(...page.approvals);
      after = page.next_after;
    } while (after);
    showProblem($("problem"), "");
    // Only what changed is drawn anew: whoever reads or tabs through the list isn't disturbed.
    const now = found.map((one) => one.approval_id).join();
    if (now === shown) return;
    shown = now;
    draw("to-decide", found.filter((one) => !one.is_own));
    draw("own", found.filter((one) => one.is_own));
  } catch (error) {
    if (!(error instanceof ToldError)) throw error;
    showProblem($("problem"), error.message);
  }
}

function draw(id, approvals) {
  $(id).replaceChildren(...approvals.map(drawOne));
  $(`${id}-count`).textContent = approvals.length ? String(approvals.length) : "";
  $(`${id}-empty`).hidden = approvals.length > 0;
}

function drawOne(one) {
  const own = one.is_own;
  const decide = (is) => () => open(one, is);
  return el(
    "li",
    { class: "panel approval" },
    el("h3", {}, half(one.summary)),
    facts([
      [t("提交人", "Proposed by"), own ? t("您", "You") : one.proposed_by],
      [t("提交时间", "Proposed"), when(one.created_at)],
      ...one.facts.map(({ fact, value }) => [
        FACTS[fact],
        value.length > 20 ? el("code", { class: "hash" }, value) : value,
      ]),
      [t("内容摘要（SM3）", "Content hash (SM3)"), el("code", { class: "hash" }, one.content_hash)],
    ]),
    el(
      "div",
      { class: "row-actions" },
      own ? null : button(t("同意", "Approve"), "button", one, decide(true)),
      button(
        own ? t("撤回", "Take back") : t("驳回", "Reject"),
        "button danger quiet",
        one,
        decide(false),
      ),
    ),
  );
}

function button(word, kind, one, onclick) {
  const label = `${word}：${half(one.summary)}`;
  return el("button", { type: "button", class: kind, "aria-label": label, onclick }, word);
}

/** Asks once more, with exactly what is approved, and does it. */
function open(one, approves) {
  const key = newRequestId();
  const word = approves
    ? t("同意，立即生效", "Approve; in effect at once")
    : one.is_own
      ? t("撤回", "Take back")
      : t("驳回", "Reject");
  $("sure-title").textContent = approves ? t("确认同意？", "Approve?") : `${word}?`;
  $("sure-what").textContent = half(one.summary);
  $("sure-hash").textContent = one.content_hash;
  $("sure-problem").textContent = "";
  $("sure-yes").textContent = word;
  $("sure-yes").className = approves ? "button" : "button danger";
  whenSure(async () => {
    const path = `/approvals/${one.approval_id}/${approves ? "approval" : "rejection"}`;
    const body = approves ? { content_hash: one.content_hash } : {};
    await call("POST", path, { body, key, timeout: 60_000 });
    $("sure").close();
    shown = null;
    await load();
    tell(approves ? t("已同意并生效。", "Approved and in effect.") : t("已处理。", "Done."));
    $("mine-to-decide").focus();
  });
}

$("sure-no").addEventListener("click", () => $("sure").close());

await load();
setInterval(() => document.hidden || $("sure").open || load(), LOOK_MS);
