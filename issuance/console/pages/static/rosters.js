// A roster: dropped or chosen, sent in parts, checked, imported. What was sent stays with the
// service until it is imported or forgotten; nothing of it is kept in the browser.

import { $, ToldError, call, el, showProblem, tell } from "./bureau.js";
import { pick, t } from "./language.js";

const LOOK_MS = 400;
const PART_TIMEOUT_MS = 30_000;
const SECTIONS = ["choose", "working", "found", "done"];
const PART_TRIES = 3;

let roster = null;
let rowsShown = 0;

function show(section) {
  for (const id of SECTIONS) $(id).hidden = id !== section;
  $(section).querySelector("[tabindex='-1']")?.focus();
}

const number = (count) => count.toLocaleString(t("zh-CN", "en-GB"));

/** Runs one step; what goes wrong is told where the reader looks. */
async function attempt(step) {
  showProblem($("problem"), "");
  try {
    await step();
  } catch (error) {
    if (!(error instanceof ToldError)) throw error;
    showProblem($("problem"), error.message);
    show(roster?.state === "checked" ? "found" : "choose");
  }
}

async function send(file) {
  roster = await call("POST", "/rosters", { body: { file_name: file.name, size: file.size } });
  working(t("正在上传", "Sending"));
  for (let offset = 0; offset < file.size; offset += roster.part_bytes) {
    const part = new Uint8Array(await file.slice(offset, offset + roster.part_bytes).arrayBuffer());
    roster = await sendPart(offset, part);
    progress(roster.received, roster.size, bytes(roster.received, roster.size));
  }
  await wait(t("正在检查", "Checking"), ["checked"]);
  showFound();
}

/** A part may come again, so a lost answer only costs another try. */
async function sendPart(offset, part) {
  const path = `/rosters/${roster.roster_id}/content?offset=${offset}`;
  for (let tries = 1; ; tries += 1) {
    try {
      return await call("PUT", path, { body: part, timeout: PART_TIMEOUT_MS });
    } catch (error) {
      if (error.answer || tries === PART_TRIES) throw error;
    }
  }
}

function bytes(done, of) {
  const mebibytes = (count) => (count / 1048576).toFixed(1);
  return `${mebibytes(done)} / ${mebibytes(of)} MiB`;
}

function working(title) {
  $("working-title").textContent = title;
  $("working-detail").textContent = "";
  $("bar").removeAttribute("value");
  show("working");
}

function progress(done, of, words) {
  if (of) {
    $("bar").max = of;
    $("bar").value = done;
  }
  $("working-detail").textContent = words;
}

/** Until the roster is in one of these states; shows how fast it goes and how long it takes. */
async function wait(title, states) {
  working(title);
  const began = performance.now();
  while (!states.includes(roster.state)) {
    if (roster.state === "unusable") throw new ToldError(pick(roster.problem, "detail"));
    await new Promise((done) => setTimeout(done, LOOK_MS));
    roster = await call("GET", `/rosters/${roster.roster_id}`);
    progress(roster.rows_done, roster.rows_expected, rate(performance.now() - began));
  }
}

function rate(milliseconds) {
  const { rows_done: done, rows_expected: of } = roster;
  if (!done) return "";
  const each = (done / milliseconds) * 1000;
  const rows = t(`${number(done)} 行，每秒 ${number(Math.round(each))} 行`, `${number(done)} rows, ${number(Math.round(each))} a second`);
  if (!of || of <= done) return rows;
  const left = Math.ceil((of - done) / each);
  return `${rows}${t(`，约剩 ${left} 秒`, `, about ${left} s left`)}`;
}

function showFound() {
  const { accepted, refused } = roster;
  $("found-title").textContent = t(`检查完毕：${roster.name}`, `Checked: ${roster.name}`);
  $("accepted").textContent = number(accepted);
  $("refused").textContent = number(refused);
  $("batch-name").value = roster.name;
  $("import").textContent = t(`导入可以受理的 ${number(accepted)} 行`, `Import the ${number(accepted)} good rows`);
  $("import-form").hidden = accepted === 0;
  for (const id of ["corrections", "kinds-box", "rows-box"]) $(id).hidden = refused === 0;
  setDownloads();
  $("kinds").replaceChildren(
    ...roster.kinds.map((one) => row(number(one.count), one.field, pick(one, "message"))),
  );
  $("rows").replaceChildren();
  rowsShown = 0;
  if (refused) attempt(moreRows);
  show("found");
}

function setDownloads() {
  const path = `/v1/operator/rosters/${roster.roster_id}/corrections?format=`;
  $("corrections-xlsx").href = `${path}xlsx`;
  $("corrections-csv").href = `${path}csv`;
  $("done-xlsx").href = `${path}xlsx`;
}

async function moreRows() {
  const page = await call("GET", `/rosters/${roster.roster_id}/rows?skip=${rowsShown}`);
  for (const { row: at, problems } of page.rows) {
    problems.forEach((one, place) => {
      const head = place === 0 ? el("th", { scope: "row", rowspan: String(problems.length) }, number(at)) : null;
      $("rows").append(
        el("tr", {}, head, el("td", {}, one.field), el("td", {}, pick(one, "message"))),
      );
    });
  }
  rowsShown += page.rows.length;
  $("more-rows").hidden = rowsShown >= page.count;
}

function row(...texts) {
  return el("tr", {}, ...texts.map((text) => el("td", {}, text)));
}

async function importRows() {
  const name = $("batch-name").value.trim() || roster.name;
  roster = await call("POST", `/rosters/${roster.roster_id}/import`, { body: { name } });
  await wait(t("正在导入", "Importing"), ["imported"]);
  const made = roster.batch_id !== null;
  $("done-title").textContent = made
    ? t("已导入，等另一人复核", "Imported; another person has to approve")
    : t("没有可以受理的行", "No row was left to accept");
  $("done-what").textContent = made
    ? t(`批次“${roster.name}”：${number(roster.imported)} 人。放行后才制卡。`, `Batch "${roster.name}": ${number(roster.imported)} people. Cards are made once it is released.`)
    : t("未建立批次。", "No batch was made.");
  $("done-refused").replaceChildren(
    ...roster.refused_later.map((one) =>
      el("li", {}, `${number(one.count)} ${t("行", "rows")}（${one.rows.join(", ")}${one.count > one.rows.length ? " …" : ""}）：${pick(one, "message")}`),
    ),
  );
  $("done-corrections").hidden = roster.refused === 0 && roster.refused_later.length === 0;
  show("done");
  tell($("done-title").textContent);
}

async function anew() {
  showProblem($("problem"), "");
  const left = roster;
  roster = null;
  $("file").value = "";
  show("choose");
  $("file").focus();
  // What can't be deleted now is forgotten after an hour.
  if (left) await call("POST", `/rosters/${left.roster_id}/forget`, { body: {} }).catch(() => {});
}

$("file").addEventListener("change", () => {
  const [file] = $("file").files;
  if (file) attempt(() => send(file));
});
for (const kind of ["dragover", "dragenter"]) {
  $("drop").addEventListener(kind, (event) => {
    event.preventDefault();
    $("drop").classList.add("over");
  });
}
$("drop").addEventListener("dragleave", () => $("drop").classList.remove("over"));
$("drop").addEventListener("drop", (event) => {
  event.preventDefault();
  $("drop").classList.remove("over");
  const [file] = event.dataTransfer.files;
  if (file) attempt(() => send(file));
});
$("import-form").addEventListener("submit", (event) => {
  event.preventDefault();
  attempt(importRows);
});
$("more-rows").addEventListener("click", () => attempt(moreRows));
$("again").addEventListener("click", anew);
$("next-roster").addEventListener("click", anew);
