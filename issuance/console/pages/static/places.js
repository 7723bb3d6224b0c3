// Institutions and their terminals: entering new ones, which another person approves, and taking
// one out of service at once.

import { newRequestId } from "./ask.js";
import { $, ToldError, call, el, showProblem, tell, when, whenSure } from "./bureau.js";
import { changeTypes, designate, loadTypes, typesOf } from "./designating.js";
import { enrol } from "./enrolling.js";
import { t } from "./language.js";
import { KINDS, STATES, kindOf } from "./place_words.js";

const roles = document.querySelector("[data-roles]").dataset.roles.split(" ");
const mayPropose = roles.includes("maker") || roles.includes("administrator");
const PROPOSED = t("已提交，待另一人复核。", "Proposed; another person decides.");
// As many as are seen at a glance need no search among them.
const GLANCE = 6;
// Codes of the institutions whose terminals are looked at.
const opened = new Set();

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
  $("find").hidden = found.length <= GLANCE;
  find();
  showProblem($("problem"), "");
}

/** Shows those whose name or code has what is typed in it. */
function find() {
  const wanted = $("wanted").value.trim().toLowerCase();
  for (const one of $("places").children) one.hidden = !one.dataset.text.includes(wanted);
}

/** What is done: drawn anew, said, and the keyboard back at the top. */
async function done(said) {
  await guarded(load);
  tell(said);
  $("said").textContent = said;
  $("said").hidden = false;
  document.querySelector("h1").focus();
}

const proposed = () => done(PROPOSED);

function button(word, name, kind, onclick) {
  return el("button", { type: "button", class: kind, "aria-label": `${word}：${name}`, onclick }, word);
}

function place(one) {
  const terminals = el("ul", { class: "terminals" });
  const show = () => {
    opened.add(one.code);
    return guarded(() => loadTerminals(one, terminals));
  };
  if (opened.has(one.code)) show();
  const isActive = one.state === "active";
  return el(
    "li",
    { class: "panel", "data-text": `${one.name} ${one.code}`.toLowerCase() },
    el("h2", {}, one.name),
    el("p", {}, `${one.code} · ${KINDS[one.kind] ?? one.kind} · ${one.region} · `, state(one.state)),
    el("p", { class: "muted" }, `${t("可用业务：", "May scan for: ")}${typesOf(one)}`),
    el(
      "div",
      { class: "row-actions" },
      button(t("看终端", "Terminals"), one.name, "button quiet", show),
      mayPropose && isActive
        ? button(t("登记终端", "Enrol a terminal"), one.name, "button quiet", () => enrol(one, null, proposed))
        : null,
      mayPropose
        ? button(t("更改业务", "Business types"), one.name, "button plain", () => changeTypes(one, proposed))
        : null,
      service(one.state, one.name, `/institutions/${one.code}`),
    ),
    terminals,
  );
}

const state = (stable) => el("strong", { class: stable === "active" ? "" : "failed" }, STATES[stable]);

async function loadTerminals(one, list) {
  const { terminals, waiting } = await call("GET", `/institutions/${one.code}/terminals`);
  list.replaceChildren(...waiting.map(waitingTerminal), ...terminals.map((found) => terminal(one, found)));
  if (!list.children.length) list.append(el("li", { class: "muted" }, t("没有终端。", "No terminal.")));
}

function waitingTerminal(one) {
  const words = t(
    `登记码 ${one.code_name}-… 已发出，${when(one.ends_at)} 前有效，等终端登记`,
    `The code ${one.code_name}-… is out, good until ${when(one.ends_at)}; the terminal has not come yet`,
  );
  return el(
    "li",
    {},
    el("p", {}, el("code", {}, one.serial_number), ` ${kindOf(one)}`),
    el("p", {}, words),
    el(
      "div",
      { class: "row-actions" },
      sureButton(t("收回登记码", "Withdraw the code"), one.serial_number, {
        path: `/terminals/${one.serial_number}/withdrawal`,
        what: t("立即作废：终端不能再用它登记。", "Void at once: the terminal can't be enrolled by it any more."),
        said: t("登记码已收回。", "The code is withdrawn."),
      }),
    ),
  );
}

function terminal(institution, one) {
  const path = `/terminals/${one.serial_number}`;
  return el(
    "li",
    {},
    el(
      "p",
      {},
      el("code", {}, one.serial_number),
      ` ${kindOf(one)} · `,
      state(one.state),
      one.has_key ? null : el("strong", { class: "failed" }, t(" · 密钥已吊销", " · its key was revoked")),
    ),
    el(
      "div",
      { class: "row-actions" },
      service(one.state, one.serial_number, path),
      one.has_key
        ? sureButton(t("吊销密钥", "Revoke its key"), one.serial_number, {
            path: `${path}/revocation`,
            what: t(
              "密钥泄露或终端丢失时用，立即生效；须重新登记才能再用。",
              "For a key that leaked or a terminal that is lost. At once; it has to be enrolled anew to serve again.",
            ),
            said: t("密钥已吊销。", "The key has ended."),
          })
        : null,
      mayPropose
        ? button(t("重新登记", "Enrol anew"), one.serial_number, "button plain", () => enrol(institution, one, proposed))
        : null,
    ),
  );
}

/** Taking something out of service at once, or proposing that it comes back. */
function service(now, name, path) {
  if (now === "active") {
    return sureButton(t("停用", "Suspend"), name, {
      path: `${path}/suspension`,
      what: t("立即生效：从现在起不能再扫码核验。", "In effect at once: it can't scan any more."),
      said: t("已停用。", "Suspended."),
    });
  }
  if (!mayPropose) return null;
  return sureButton(t("提请恢复", "Propose to reinstate"), name, {
    path: `${path}/reinstatement`,
    what: t("由另一人复核后恢复。", "Back in service once another person approves."),
    said: PROPOSED,
    kind: "button quiet",
  });
}

function sureButton(word, name, { path, what, said, kind = "button danger quiet" }) {
  const ask = () => {
    const key = newRequestId();
    $("sure-title").textContent = `${word}：${name}`;
    $("sure-what").textContent = what;
    $("sure-problem").textContent = "";
    $("sure-yes").textContent = word;
    whenSure(async () => {
      await call("POST", path, { body: {}, key });
      $("sure").close();
      await done(said);
    });
  };
  return button(word, name, kind, ask);
}

$("wanted").addEventListener("input", find);
$("sure-no").addEventListener("click", () => $("sure").close());
$("designate").hidden = !mayPropose;
$("designate").addEventListener("click", () => designate(proposed));
await guarded(async () => {
  await loadTypes();
  await load();
});
