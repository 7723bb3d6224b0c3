// Batches as a board, and one batch with its next step. `?id=` in the address names the one.

import { newRequestId } from "./ask.js";
import { BATCH_STATES, CARD_STATES, ORDER_STATES, STAGES, nextOf } from "./batch_words.js";
import { $, ToldError, call, el, facts, showProblem, tell, when } from "./bureau.js";
import { pick, t } from "./language.js";

const LOOK_MS = 1000;
const DAY_MS = 86_400_000;
const WAY = ["release", "issue", "bank", "making", "branch", "handed_over"];
const FAILED = ["account_failed", "making_failed", "device_failed"];

const number = (count) => count.toLocaleString(t("zh-CN", "en-GB"));
const wanted = new URLSearchParams(location.search).get("id");
const roles = document.querySelector("[data-roles]")?.dataset.roles.split(" ") ?? [];
let watching = null;

async function guarded(step) {
  try {
    await step();
  } catch (error) {
    if (!(error instanceof ToldError)) throw error;
    showProblem($("problem"), error.message);
  }
}

// The board

const shown = [];

async function loadBoard(before = "") {
  const board = await call("GET", `/batches?before=${before}`);
  shown.push(...board.batches);
  $("applications").textContent = t(
    `单独申领：${upTo(board.filed)} 件待受理，${upTo(board.registered)} 件待入批次。`,
    `Applications by themselves: ${upTo(board.filed)} wait for a second person, ${upTo(board.registered)} for a batch.`,
  );
  $("columns").replaceChildren(...Object.keys(STAGES).map(column).filter(Boolean));
  $("older").hidden = !board.next_before;
  $("older").onclick = () => guarded(() => loadBoard(board.next_before));
}

const upTo = (count) => (count === 200 ? "200+" : String(count));

function column(stage) {
  const found = shown.filter((one) => one.stage === stage);
  // What is over takes no room while there is none.
  if (!found.length && (stage === "handed_over" || stage === "ended")) return null;
  const id = `stage-${stage}`;
  const list = el("ul", { class: "batches" }, ...found.map(card));
  return el(
    "section",
    { class: "stage", "aria-labelledby": id },
    el("h2", { id }, STAGES[stage], " ", el("span", { class: "count" }, found.length ? String(found.length) : "")),
    found.length ? list : el("p", { class: "muted" }, t("没有", "None")),
  );
}

function card(one) {
  const failed = FAILED.reduce((sum, state) => sum + (one.cards[state] ?? 0), 0);
  return el(
    "li",
    { class: "panel" },
    el("a", { href: `/desk/batches?id=${one.batch_id}` }, one.name),
    el("p", {}, cardsOf(one)),
    failed ? el("p", { class: "failed" }, t(`${number(failed)} 张失败，待处理`, `${number(failed)} failed`)) : null,
    el("p", { class: "muted" }, one.state === "paused" ? `${BATCH_STATES.paused} · ${age(one)}` : age(one)),
  );
}

function cardsOf(one) {
  if (one.stage === "issue") return t(`已发 ${number(one.issued)} / ${number(one.accepted)} 张`, `${number(one.issued)} of ${number(one.accepted)} issued`);
  return t(`${number(one.accepted)} 张`, `${number(one.accepted)} cards`);
}

function age(one) {
  const days = Math.max(0, Math.floor((Date.now() - new Date(one.created_at)) / DAY_MS));
  return days === 0 ? t("今天导入", "Imported today") : t(`${days} 天前导入`, `Imported ${days} days ago`);
}

// One batch

async function loadBatch() {
  const batch = await call("GET", `/batches/${wanted}`);
  $("board").hidden = true;
  $("batch").hidden = false;
  $("batch-title").textContent = batch.name;
  const next = nextOf(batch);
  $("next-words").textContent = next.words;
  $("next-command").hidden = !next.command;
  $("next-command").firstElementChild.textContent = next.command ?? "";
  $("acts").replaceChildren(...actsOf(batch));
  drawProgress(batch.progress);
  $("way").replaceChildren(...WAY.map((stage) => step(stage, batch)));
  $("cards").replaceChildren(cardTable(batch));
  $("content").replaceChildren(
    facts([
      [t("状态", "State"), BATCH_STATES[batch.state]],
      [t("经办", "Imported by"), batch.proposed_by],
      [t("导入时间", "Imported"), when(batch.created_at)],
      [t("受理 / 退回", "Accepted / refused"), `${number(batch.accepted)} / ${number(batch.refused)}`],
      ...batch.orders.map((one) => [
        t(`制卡单 ${one.number}`, `Order ${one.number}`),
        t(
          `${ORDER_STATES[one.state]}：${number(one.records)} 张，制好 ${number(one.made)}，失败 ${number(one.failed)}`,
          `${ORDER_STATES[one.state]}: ${number(one.records)} cards, ${number(one.made)} made, ${number(one.failed)} failed`,
        ),
      ]),
      [t("批次编号", "Batch id"), el("code", { class: "hash" }, batch.batch_id)],
      [t("全部申领内容（SM3）", "All applications (SM3)"), el("code", { class: "hash" }, batch.content_root)],
      [t("名册文件（SM3）", "Roster file (SM3)"), el("code", { class: "hash" }, batch.file_digest)],
    ]),
  );
}

function step(stage, batch) {
  const at = WAY.indexOf(batch.stage);
  const place = WAY.indexOf(stage);
  const is = place < at || batch.stage === "handed_over" ? "past" : place === at ? "now" : "ahead";
  const words = { past: t("已完成", "done"), now: t("现在", "now"), ahead: "" }[is];
  return el(
    "li",
    { class: is, "aria-current": is === "now" ? "step" : false },
    STAGES[stage],
    words ? el("small", {}, words) : null,
  );
}

function cardTable(batch) {
  const states = Object.keys(CARD_STATES).filter((state) => batch.cards[state]);
  if (!states.length) return el("p", { class: "muted" }, t("还没有卡号。", "No card has its number yet."));
  return facts(states.map((state) => [CARD_STATES[state], number(batch.cards[state])]));
}

function actsOf(batch) {
  const key = newRequestId();
  const act = (words, path, said, kind = "button") =>
    el(
      "button",
      { type: "button", class: kind, onclick: (event) => run(event.target, path, key, said) },
      words,
    );
  const maker = roles.includes("maker");
  switch (batch.state) {
    case "imported":
      return [el("a", { class: "button", href: "/desk/approvals" }, t("看待复核事项", "See what waits for approval"))];
    case "released":
      return [
        maker && !batch.progress.is_here ? act(t("发卡", "Issue the cards"), "issue", t("开始发卡。", "Issuing began.")) : null,
        act(t("暂停", "Pause"), "pause", t("已暂停。", "Paused."), "button quiet"),
        maker ? act(t("提请取消", "Propose to cancel"), "cancellation", t("已提交，待另一人复核。", "Proposed; another person decides."), "button danger quiet") : null,
      ].filter(Boolean);
    case "paused":
      return [
        act(t("解除暂停", "End the pause"), "resumption", t("已解除暂停。", "No longer paused.")),
        maker ? act(t("提请取消", "Propose to cancel"), "cancellation", t("已提交，待另一人复核。", "Proposed; another person decides."), "button danger quiet") : null,
      ].filter(Boolean);
    default:
      return [];
  }
}

async function run(button, path, key, said) {
  button.disabled = true;
  $("act-problem").textContent = "";
  try {
    await call("POST", `/batches/${wanted}/${path}`, { body: {}, key });
    await loadBatch();
    tell(said);
    $("batch-title").focus();
  } catch (error) {
    if (!(error instanceof ToldError)) throw error;
    $("act-problem").textContent = error.message;
  } finally {
    button.disabled = false;
  }
}

function drawProgress(progress) {
  const works = progress.is_here || progress.rate !== null;
  $("issuing").hidden = !works;
  $("act-problem").textContent = progress.failure ? pick(progress, "failure") : "";
  $("issued-bar").max = progress.accepted;
  $("issued-bar").value = progress.issued;
  const done = t(`已发 ${number(progress.issued)} / ${number(progress.accepted)} 张`, `${number(progress.issued)} of ${number(progress.accepted)} issued`);
  const rate = progress.rate
    ? t(
        `，每秒 ${number(Math.round(progress.rate))} 张，约剩 ${Math.ceil(progress.seconds_left)} 秒`,
        `, ${number(Math.round(progress.rate))} a second, about ${Math.ceil(progress.seconds_left)} s left`,
      )
    : "";
  $("issued-words").textContent = done + rate;
  if (works && watching === null) watching = setInterval(() => guarded(watch), LOOK_MS);
}

async function watch() {
  if (document.hidden) return;
  const progress = await call("GET", `/batches/${wanted}/progress`);
  drawProgress(progress);
  if (!progress.is_here && (progress.rate === null || progress.state !== "released")) {
    clearInterval(watching);
    watching = null;
    await loadBatch();
  }
}

await guarded(() => (wanted ? loadBatch() : loadBoard()));
if (!$("batch").hidden) $("batch-title").focus();
