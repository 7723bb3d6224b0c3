// Search as one types, and a holder's whole file. What is typed goes in a body, never an address.

import { actOf, actorOf } from "./act_words.js";
import { BATCH_STATES } from "./batch_words.js";
import { $, ToldError, call, el, facts, showProblem, table, when } from "./bureau.js";
import { pick, t } from "./language.js";

const PAUSE_MS = 200;
const KINDS = {
  holder: t("持卡人", "Holder"),
  batch: t("批次", "Batch"),
  application: t("申领单", "Application"),
  institution: t("定点机构", "Institution"),
};
const WORDS = {
  not_activated: t("未启用", "Not activated"),
  sealed: t("封存", "Sealed"),
  normal: t("正常", "Normal"),
  formal_loss: t("正式挂失", "Formal loss"),
  locked: t("应用锁定", "Locked"),
  temporary_loss: t("临时挂失", "Temporary loss"),
  cancelled: t("注销", "Cancelled"),
  active: t("启用", "Active"),
  suspended: t("已停用", "Suspended"),
  removed: t("已移除", "Removed"),
  open: t("在办", "Under way"),
  issued: t("已发卡", "Issued"),
  withdrawn: t("已撤回", "Withdrawn"),
  filed: t("未受理", "Filed"),
  accepted: t("通过", "Accepted"),
  refused: t("不予受理", "Refused"),
  taken_in: t("已入批次", "In a batch"),
  new: t("新申领", "New"),
  replacement: t("补卡", "Replacement"),
  exchange: t("换卡", "Exchange"),
  merge: t("合并", "Merge"),
  correction: t("更正", "Correction"),
  app: t("应用", "App"),
  browser: t("浏览器", "Browser"),
};
const word = (stable) => WORDS[stable] ?? stable;

let asked = 0;
let pause = null;
let shown = null; // whose file, and the acts so far

async function find() {
  const text = $("text").value.trim();
  const mine = ++asked;
  showProblem($("problem"), "");
  if (text.length < 2) {
    $("hits").replaceChildren();
    $("found").textContent = "";
    return;
  }
  try {
    const { hits } = await call("POST", "/searches", { body: { text } });
    if (mine !== asked) return; // something else was typed meanwhile
    $("file").hidden = true;
    $("hits").replaceChildren(...hits.map(hit));
    $("found").textContent = hits.length
      ? t(`找到 ${hits.length} 项`, `${hits.length} found`)
      : t("没有找到。请核对号码是否完整。", "Nothing found. Is the number whole?");
  } catch (error) {
    if (!(error instanceof ToldError)) throw error;
    showProblem($("problem"), error.message);
  }
}

function hit(one) {
  const state = one.kind === "batch" ? (BATCH_STATES[one.detail] ?? one.detail) : word(one.detail);
  return el(
    "li",
    { class: "panel hit" },
    el("span", { class: "muted" }, KINDS[one.kind]),
    target(one),
    state ? el("span", {}, state) : null,
  );
}

function target(one) {
  if (one.kind === "batch") return el("a", { href: `/desk/batches?id=${one.id}` }, one.title);
  if (one.kind !== "holder") return el("strong", {}, one.title);
  return el(
    "button",
    { type: "button", class: "button plain", onclick: () => open(one.id) },
    one.title,
  );
}

async function open(holderId) {
  try {
    draw(await call("GET", `/holders/${holderId}`));
  } catch (error) {
    if (!(error instanceof ToldError)) throw error;
    showProblem($("problem"), error.message);
  }
}

function draw(file) {
  $("hits").replaceChildren();
  $("found").textContent = "";
  $("file-title").textContent = `${file.name} ${file.number}`;
  $("file-facts").replaceChildren(
    facts([
      [t("手机号码", "Phone"), file.phone],
      [t("出生年份", "Born in"), String(file.birth_year)],
      [t("行政区划", "Region"), file.region],
      [t("已并入的记录", "Records merged into it"), String(file.merged)],
    ]),
  );
  $("file-parts").replaceChildren(
    table(
      t("卡和电子社保卡", "Cards and e-cards"),
      [t("卡号", "Card"), t("状态", "State"), t("电子社保卡", "E-card"), t("发卡", "Issued"), t("有效期至", "Expires"), t("批次", "Batch")],
      file.cards.map((one) => [
        one.card_number,
        word(one.state),
        word(one.ecard_state),
        one.issued_on,
        one.expires_on,
        el("a", { href: `/desk/batches?id=${one.batch_id}` }, t("打开", "Open")),
      ]),
    ),
    table(
      t("申领", "Applications"),
      [t("种类", "Kind"), t("状态", "State"), t("时间", "Filed")],
      file.applications.map((one) => [
        one.kind ? word(one.kind) : t("名册", "Roster"),
        one.state === "accepted" ? t("已受理", "Accepted") : word(one.state),
        one.filed_at ? when(one.filed_at) : "",
      ]),
    ),
    table(
      t("扫码（新的在前）", "Scans, the newest first"),
      [t("时间", "Time"), t("机构", "Institution"), t("业务", "For"), t("结果", "Result")],
      file.scans.map((one) => [when(one.at), one.institution, pick(one, "business_type"), word(one.reason)]),
    ),
    table(
      t("手机", "Phones"),
      [t("种类", "Kind"), t("状态", "State"), t("登记时间", "Registered")],
      file.phones.map((one) => [word(one.grade), word(one.state), when(one.registered_at)]),
    ),
    table(
      t("关键信息变更", "Changes of key data"),
      [t("变更", "Change"), t("依据", "Evidence"), t("时间", "Time")],
      file.changes.map((one) => [word(one.kind), one.evidence, when(one.at)]),
    ),
  );
  shown = { holderId: file.holder_id, acts: file.acts.acts };
  drawActs(file.acts.next_before);
  $("file").hidden = false;
  $("file-title").focus();
}

function drawActs(nextBefore) {
  $("acts").replaceChildren(
    table(
      t("办理记录（新的在前）", "What was done, the newest first"),
      [t("时间", "Time"), t("事项", "What"), t("卡号", "Card"), t("经办", "By")],
      shown.acts.map((one) => [when(one.at), actOf(one), one.card_number ?? "", actorOf(one)]),
    ),
  );
  $("more-acts").hidden = nextBefore === null;
  $("more-acts").onclick = () => moreActs(nextBefore);
}

async function moreActs(before) {
  try {
    const page = await call("GET", `/holders/${shown.holderId}/acts?before=${before}`);
    shown.acts.push(...page.acts);
    drawActs(page.next_before);
  } catch (error) {
    if (!(error instanceof ToldError)) throw error;
    showProblem($("problem"), error.message);
  }
}

$("text").addEventListener("input", () => {
  clearTimeout(pause);
  pause = setTimeout(find, PAUSE_MS);
});
$("search-form").addEventListener("submit", (event) => {
  event.preventDefault();
  clearTimeout(pause);
  find();
});
$("text").focus();
