// The counter: what is scanned goes to the terminal's own process, which asks the service.

import { Amount } from "./amount.js";
import { NoAnswerError, ask } from "./ask.js";
import { Camera } from "./camera.js";
import { pick, t } from "./language.js";
import { Scan } from "./scan.js";
import { Spoken } from "./spoken.js";
import { Today } from "./today.js";
import { showAnswer, showVerdict } from "./verdict.js";
import { Wedge } from "./wedge.js";

const RETRY_MS = 5000;
const ASKED_MAX = 24;
const STATE_INTERVAL_MS = 60_000;
// A holder's name and number don't stay on the screen for the next in the queue.
const VERDICT_MS = 90_000;

const NO_RESULT = { text_zh: "没有结果", text_en: "No result" };
const NO_ANSWER = t("没有收到答复", "No answer");
const UP = t("服务正常", "Service is up");

const $ = (id) => document.getElementById(id);
const TOKEN = { "X-Counter-Token": document.querySelector("meta[name=counter-token]").content };

let businessTypes = [];
let current = null;
let clearTimer = 0;
let away = false;

// ---- scanning

const wedge = new Wedge($("code-text"), { onText: startScan });
const amount = new Amount($("amount"), { onText: startScan, onDone: () => wedge.focus() });
const spoken = new Spoken($("spoken"));
const today = new Today();

const camera = new Camera($("camera-picture"), {
  onText: startScan,
  onProblem: (text) => showVerdict("unknown", { title: t("摄像头不可用", "No camera"), next: text }),
  otherwise: t("或改用扫码枪。", "or use a hand scanner."),
  // The terminal's own process looks for a code.
  decode: async (seen) => {
    const { pixels, width, height } = seen.grey();
    const path = `/frames?width=${width}&height=${height}`;
    const { ok, answer } = await ask("POST", path, { body: pixels, headers: TOKEN });
    return ok ? answer.text : null;
  },
});

function startScan(text) {
  const businessType = businessTypes[chosenIndex()];
  if (!businessType) {
    showVerdict("unknown", {
      next: t("请等业务类型出现并选好，再扫一次。", "Wait for the business types, choose one, then scan again."),
    });
    return;
  }
  const { fen } = amount;
  if (fen === undefined) {
    showVerdict("unknown", {
      title: t("金额不对", "The amount can't be read"),
      next: t("请写成 45.80 这样，或清空，再扫一次。", "Write it like 45.80, or clear it, then scan again."),
    });
    return;
  }
  // The next holder's business is another one.
  amount.clear();
  show(new Scan(text, businessType, fen));
}

function show(scan) {
  current = scan;
  clearTimeout(clearTimer);
  showVerdict("asking");
  settle(scan);
}

/** Asks until the outcome is known, also when the clerk has gone on to the next scan. */
async function settle(scan) {
  const reply = await scan.ask(TOKEN);
  if (!reply) return;
  const { kind, answer } = reply;
  if (kind === "verdict" && answer.offline) showOffline(answer);
  else if (kind === "unknown") showState("down", NO_ANSWER);
  else showOnline();
  if (kind === "unknown" && scan.asked < ASKED_MAX) setTimeout(settle, RETRY_MS, scan);
  note(scan, kind, answer);
  if (current !== scan) return;
  if (kind !== "unknown") clearTimer = setTimeout(clear, VERDICT_MS);
  if (kind === "verdict") showAnswer(answer, scan.request.code);
  else if (kind === "unknown") showUnknown(answer);
  else showVerdict("unknown", { reason: pick(answer, "title"), next: pick(answer, "detail") });
  // Asking goes on every few seconds: that there is no result yet is said once.
  if (kind !== "unknown" || scan.asked === 1) {
    spoken.say(...["verdict-title", "verdict-reason", "verdict-next"].map((id) => $(id).textContent));
  }
  wedge.focus();
}

function note(scan, kind, answer) {
  const of = { id: scan.request.request_id, businessType: scan.businessType };
  if (kind === "verdict") {
    const { outcome: look, offline, scanned_at: at } = answer;
    today.note({ ...of, look, texts: answer, offline, at });
  } else {
    const texts = answer ? { text_zh: answer.title_zh, text_en: answer.title } : NO_RESULT;
    today.note({ ...of, look: "unknown", texts });
  }
}

function showUnknown(answer) {
  showVerdict("unknown", {
    reason: answer ? pick(answer, "title") : NO_ANSWER,
    next: t(
      "先不要办理。正在再问一次，有结果就显示在这里。",
      "Don't serve yet. The same question is being asked again; the result will show here.",
    ),
    again: true,
  });
}

function clear() {
  current = null;
  clearTimeout(clearTimer);
  showVerdict("waiting");
}

$("ask-again").addEventListener("click", () => show(current));
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  clear();
  wedge.focus();
});

$("camera-button").addEventListener("click", async () => {
  $("camera-button").disabled = true;
  if (camera.running) camera.stop();
  else await camera.start();
  $("camera-button").disabled = false;
  $("camera").hidden = !camera.running;
  $("camera-button").textContent = camera.running
    ? t("关摄像头", "Stop camera")
    : t("用摄像头", "Use camera");
});

// ---- who this terminal is, and whether the service is there

async function askTerminal() {
  let wait = STATE_INTERVAL_MS;
  try {
    const { ok, answer } = await ask("GET", "/terminal", { headers: TOKEN });
    if (ok) showTerminal(answer);
    else showAway(pick(answer, "title"), pick(answer, "detail"));
    if (!ok) wait = RETRY_MS;
  } catch (error) {
    if (!(error instanceof NoAnswerError)) throw error;
    wait = RETRY_MS;
    showAway(
      t("扫码程序没有运行", "The terminal's program is not running"),
      t("请在这台电脑上重新启动 sscard terminal serve。", "Start sscard terminal serve on this computer again."),
    );
  }
  setTimeout(askTerminal, wait);
}

function showTerminal(terminal) {
  const { institution_name: institution, business_types: offered } = terminal;
  $("institution").textContent = institution;
  if (terminal.offline) showOffline(terminal);
  else showOnline();
  if (current === null && away) showVerdict("waiting");
  away = false;
  if (JSON.stringify(offered) === JSON.stringify(businessTypes)) return;
  const chosen = businessTypes[chosenIndex()]?.code;
  businessTypes = offered;
  const index = Math.max(0, offered.findIndex(({ code }) => code === chosen));
  $("business-types").replaceChildren(
    $("business-types").querySelector("legend"),
    ...offered.map((type, i) => choice(type, i, i === index)),
  );
  wedge.focus();
}

function showAway(title, detail) {
  away = true;
  showState("down", title);
  if (current === null) showVerdict("unknown", { title, next: detail });
}

function showOnline() {
  showState("up", UP);
  $("offline").hidden = true;
}

function showState(look, text) {
  $("service-state").className = `service-state ${look}`;
  if ($("service-state").textContent !== text) $("service-state").textContent = text;
}

function choice(type, index, checked) {
  const label = document.createElement("label");
  const input = document.createElement("input");
  Object.assign(input, { type: "radio", name: "business-type", value: String(index), checked });
  const code = document.createElement("small");
  code.textContent = type.code;
  label.append(input, pick(type, "name"), code);
  return label;
}

/** With no network: that it works all the same, and how old is what it works by. */
function showOffline({ bundle_age_seconds: bundle, list_age_seconds: list, pending }) {
  showState("down", t("没有网络，离线核验", "No network: checking offline"));
  $("offline").hidden = false;
  if (bundle !== null) $("bundle-age").textContent = ageOf(bundle);
  if (list !== null) $("list-age").textContent = ageOf(list);
  if (pending !== undefined) $("pending").textContent = String(pending);
}

function ageOf(seconds) {
  const minutes = Math.floor(seconds / 60);
  if (minutes < 120) return t(`${minutes} 分钟前`, `${minutes} min old`);
  return t(`${Math.floor(minutes / 60)} 小时前`, `${Math.floor(minutes / 60)} h old`);
}

const chosenIndex = () =>
  Number(document.querySelector("input[name=business-type]:checked")?.value ?? NaN);

wedge.focus();
askTerminal();
