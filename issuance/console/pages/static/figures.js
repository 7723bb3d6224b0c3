// Figures as charts, each with a sentence that says the same, and the tables that they are made of.

import { $, ToldError, call, el, showProblem, table, when } from "./bureau.js";
import { lyingBars, standingBars } from "./charts.js";
import { pick, t } from "./language.js";

const ROWS_DRAWN = 24;
const HOUR_MS = 3_600_000;
const SHANGHAI_MS = 8 * HOUR_MS;
const AIMS = ["activated-aim", "ecards-aim"];
const count = new Intl.NumberFormat(t("zh-CN", "en-GB"));
const percent = (rate) => (rate === null ? "—" : `${(100 * rate).toFixed(1)}%`);
const days = (one) => (one === null ? "—" : t(`${one} 天`, `${one} days`));
const WORDS = {
  other: t("其他合计", "Others together"),
  none: t("接管的存量卡", "Taken over"),
};

let cards = null;

async function guarded(step) {
  try {
    await step();
  } catch (error) {
    if (!(error instanceof ToldError)) throw error;
    showProblem($("problem"), error.message);
  }
}

async function loadCards() {
  const by = $("by").value;
  showProblem($("problem"), "");
  cards = await call("GET", `/figures?by=${by}`, { timeout: 15_000 });
  for (const kind of ["xlsx", "csv"]) {
    $(`file-${kind}`).href = `/v1/operator/figures/file?by=${by}&format=${kind}`;
  }
  const isShown = cards.total !== null;
  $("cards").hidden = !isShown;
  $("few").hidden = isShown;
  if (!isShown) return;
  $("as-of").textContent = t(`统计时间 ${when(cards.as_of)}`, `Counted at ${when(cards.as_of)}`);
  drawCards();
}

const named = (row) => WORDS[row[$("by").value]] ?? row[$("by").value];
const drawn = () => cards.rows.slice(-ROWS_DRAWN);

function show(id, summary, chart) {
  $(`${id}-words`).textContent = summary;
  $(`${id}-chart`).replaceChildren(chart);
}

function drawCards() {
  const { total } = cards;
  const most = Math.max(...drawn().map((row) => row.counts.issued));
  const issued = t(
    `共发卡 ${count.format(total.issued)} 张，已领 ${percent(total.handed_over_rate)}，注销 ${count.format(total.cancelled)} 张。`,
    `${count.format(total.issued)} cards issued, ${percent(total.handed_over_rate)} handed over, ${count.format(total.cancelled)} cancelled.`,
  );
  show(
    "issued",
    issued,
    lyingBars(
      issued,
      drawn().map((row) => ({
        label: named(row),
        text: count.format(row.counts.issued),
        values: [row.counts.issued],
      })),
      most,
    ),
  );
  drawRate("activated", total.activated, total.issued);
  drawRate("ecards", total.ecards_activated, total.issued + total.taken_over);
  const waiting = t(
    `从申领到领卡：一半在 ${days(total.days_median)}内，95% 在 ${days(total.days_p95)}内。`,
    `From application to hand-over: half within ${days(total.days_median)}, 95% within ${days(total.days_p95)}.`,
  );
  const longest = Math.max(1, ...drawn().map((row) => row.counts.days_p95 ?? 0));
  show(
    "days",
    waiting,
    lyingBars(
      waiting,
      drawn().map((row) => ({
        label: named(row),
        text: t(
          `${days(row.counts.days_median)} / ${days(row.counts.days_p95)}`,
          `${days(row.counts.days_median)} / ${days(row.counts.days_p95)}`,
        ),
        values: [row.counts.days_median ?? 0, row.counts.days_p95 ?? 0],
      })),
      longest,
    ),
  );
  $("cards-table").replaceChildren(cardsTable());
}

/** A share, and how far it is from what the bureau aims at. */
function drawRate(id, part, whole) {
  const field = id === "ecards" ? "ecards_activated_rate" : "activated_rate";
  const aim = Number($(`${id}-aim`).value) / 100;
  const missing = Math.ceil(aim * whole) - part;
  const reached = t(
    `已启用 ${percent(cards.total[field])}（${count.format(part)} / ${count.format(whole)}）`,
    `${percent(cards.total[field])} activated (${count.format(part)} of ${count.format(whole)})`,
  );
  const summary =
    missing > 0
      ? t(`${reached}，离目标还差 ${count.format(missing)} 张。`, `${reached}; ${count.format(missing)} more to the target.`)
      : t(`${reached}，已达目标。`, `${reached}; the target is reached.`);
  show(
    id,
    summary,
    lyingBars(
      summary,
      drawn().map((row) => ({
        label: named(row),
        text: percent(row.counts[field]),
        values: [row.counts[field] ?? 0],
      })),
      1,
      aim,
    ),
  );
}

function cardsTable() {
  const columns = [
    [$("by").selectedOptions[0].textContent, null],
    [t("发卡", "Issued"), (one) => count.format(one.issued)],
    [t("领卡", "Handed over"), (one) => count.format(one.handed_over)],
    [t("领卡率", "Share"), (one) => percent(one.handed_over_rate)],
    [t("启用", "Activated"), (one) => count.format(one.activated)],
    [t("启用率", "Share"), (one) => percent(one.activated_rate)],
    [t("电子社保卡启用", "E-cards activated"), (one) => count.format(one.ecards_activated)],
    [t("启用率", "Share"), (one) => percent(one.ecards_activated_rate)],
    [t("注销", "Cancelled"), (one) => count.format(one.cancelled)],
    [t("接管存量卡", "Taken over"), (one) => count.format(one.taken_over)],
    [t("领卡天数中位数", "Days, median"), (one) => days(one.days_median)],
    [t("领卡天数 95 分位", "Days, 95th percentile"), (one) => days(one.days_p95)],
  ];
  const line = (label, counts) => columns.map(([, of]) => (of ? of(counts) : label));
  return table(
    t("发卡、领卡和启用", "Issued, handed over, activated"),
    columns.map(([title]) => title),
    [line(t("合计", "Total"), cards.total), ...cards.rows.map((row) => line(named(row), row.counts))],
  );
}

async function loadScans() {
  const found = await call("GET", "/scan-figures", { timeout: 15_000 });
  const begins = Date.parse(found.since) + SHANGHAI_MS;
  const known = new Map(found.by_hour.map((one) => [one.value, one.count]));
  const columns = Array.from({ length: 24 }, (_, place) => {
    const hour = new Date(begins + place * HOUR_MS).toISOString().slice(0, 13);
    return { label: `${hour.slice(-2)}:00`, value: known.get(hour) ?? null };
  });
  const busiest = columns.reduce((best, one) => ((one.value ?? 0) > (best.value ?? 0) ? one : best));
  const scans =
    found.scans === null
      ? t("近 24 小时不足 10 次，不予统计。", "Fewer than 10 in the last 24 hours: not shown.")
      : t(
          `近 24 小时共 ${count.format(found.scans)} 次，${busiest.label} 最多。不足 10 次的小时不单列。`,
          `${count.format(found.scans)} in the last 24 hours, most at ${busiest.label}. Hours with fewer than 10 are not shown alone.`,
        );
  show("hours", scans, found.scans === null ? "" : standingBars(scans, columns));
  const refused =
    found.refused === null
      ? t("近 24 小时不足 10 次，不予统计。", "Fewer than 10 in the last 24 hours: not shown.")
      : t(
          `近 24 小时 ${count.format(found.refused)} 次不通过，最多的是“${found.by_reason[0].text_zh}”。`,
          `${count.format(found.refused)} refused in the last 24 hours, most often: ${found.by_reason[0].text_en}.`,
        );
  const reasons = found.by_reason.map((one) => ({
    label: pick(one, "text"),
    text: count.format(one.count),
    values: [one.count],
  }));
  const most = Math.max(1, ...found.by_reason.map((one) => one.count));
  show("reasons", refused, reasons.length ? lyingBars(refused, reasons, most) : "");
  fill("hours", t("小时", "Hour"), found.by_hour);
  fill("reasons", t("原因", "Reason"), found.by_reason);
}

function fill(id, title, groups) {
  $(`${id}-details`).hidden = groups.length === 0;
  const rows = groups.map((one) => [pick(one, "text"), count.format(one.count)]);
  const caption = `${$(`${id}-title`).textContent}${t("数据表", ": the table")}`;
  $(`${id}-table`).replaceChildren(table(caption, [title, t("次数", "Count")], rows));
}

for (const id of AIMS) {
  $(id).value = localStorage.getItem(`sscard.${id}`) ?? $(id).value;
  $(id).addEventListener("input", () => {
    if (!$(id).checkValidity() || $(id).value === "") return;
    localStorage.setItem(`sscard.${id}`, $(id).value);
    if (cards?.total) drawCards();
  });
}
$("by").addEventListener("change", () => guarded(loadCards));
await Promise.all([guarded(loadCards), guarded(loadScans)]);
