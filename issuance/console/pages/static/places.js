// Institutions and their terminals; taking one out of service at once.

import { newRequestId } from "./ask.js";
import { $, ToldError, call, el, showProblem, tell, whenSure } from "./bureau.js";
import { t } from "./language.js";

const KINDS = { hospital: t("医院", "Hospital"), pharmacy: t("药店", "Pharmacy") };
const STATES = { active: t("启用", "In service"), suspended: t("已停用", "Suspended") };
const roles = document.querySelector("[data-roles]").dataset.roles.split(" ");
const mayPropose = roles.includes("maker") || roles.includes("administrator");

async function guarded(step) {
  try {
    await step();
  } catch (error) {
    if (!(error instanceof ToldError)) throw error;
    showProblem($("problem"), error.message);
  }
}

async function load() {
  const found = [];
  let after = "";
  do {
    const page = await call("GET", `/institutions?after=${after}`);
    found.push(...page.institutions);
    after = page.next_after;
  } while (after);
  $("places").replaceChildren(...found.map(place));
  $("none").hidden = found.length > 0;
}

function place(one) {
  const terminals = el("ul", { class: "terminals" });
  const open = el(
    "button",
    {
      type: "button",
      class: "button plain",
      "aria-label": `${t("看终端", "Terminals")}：${one.name}`,
      onclick: () => guarded(() => loadTerminals(one, terminals)),
    },
    t("看终端", "Terminals"),
  );
  return el(
    "li",
    { class: "panel" },
    el("h2", {}, one.name),
    el("p", {}, `${one.code} · ${KINDS[one.kind] ?? one.kind} · ${one.region} · `, state(one.state)),
    el("div", { class: "row-actions" }, open, action(one.state, one.name, `/institutions/${one.code}`)),
    terminals,
  );
}

const state = (stable) => el("strong", { class: stable === "active" ? "" : "failed" }, STATES[stable]);

async function loadTerminals(one, list) {
  const { terminals } = await call("GET", `/institutions/${one.code}/terminals`);
  list.replaceChildren(
    ...terminals.map((terminal) =>
      el(
        "li",
        { class: "row-actions" },
        el("code", {}, terminal.serial_number),
        state(terminal.state),
        action(terminal.state, terminal.serial_number, `/terminals/${terminal.serial_number}`),
      ),
    ),
  );
  if (!terminals.length) list.append(el("li", { class: "muted" }, t("没有终端。", "No terminal.")));
}

function action(now, name, path) {
  const isActive = now === "active";
  if (!isActive && !mayPropose) return null;
  const word = isActive ? t("停用", "Suspend") : t("提请恢复", "Propose to reinstate");
  return el(
    "button",
    {
      type: "button",
      class: isActive ? "button danger quiet" : "button quiet",
      "aria-label": `${word}：${name}`,
      onclick: () => ask(word, name, isActive ? `${path}/suspension` : `${path}/reinstatement`, isActive),
    },
    word,
  );
}

function ask(word, name, path, isActive) {
  const key = newRequestId();
  $("sure-title").textContent = `${word}：${name}`;
  $("sure-what").textContent = isActive
    ? t("立即生效：从现在起不能再扫码核验。", "In effect at once: it can't scan any more.")
    : t("由另一人复核后恢复。", "Back in service once another person approves.");
  $("sure-problem").textContent = "";
  $("sure-yes").textContent = word;
  whenSure(async () => {
    await call("POST", path, { body: {}, key });
    $("sure").close();
    await guarded(load);
    tell(isActive ? t("已停用。", "Suspended.") : t("已提交，待复核。", "Proposed."));
    document.querySelector("h1").focus();
  });
}

$("sure-no").addEventListener("click", () => $("sure").close());
await guarded(load);
