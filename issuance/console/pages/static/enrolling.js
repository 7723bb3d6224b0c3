// Letting a terminal be enrolled: the proposal, and the code that is shown once. The terminal makes
// its own key; nothing of it comes here.

import { newRequestId } from "./ask.js";
import { $, ToldError, call, el } from "./bureau.js";
import { t } from "./language.js";
import { ATTENDED, CHANNELS, kindOf } from "./place_words.js";

const SERIAL = /^[0-9a-f]{16}$/;
const SERVICE = t("https://核验服务地址", "https://SERVICE");
const CLERKS_KEY = t("经办人密钥目录", "CLERKS_KEY_FOLDER");

let institution = null;
let afterwards = null;
let key = null;

/** Opens the form; `known`: a terminal that gets another key. `done` is called when all is read. */
export function enrol(at, known, done) {
  institution = at;
  afterwards = done;
  key = newRequestId();
  $("enrolling-title").textContent = t(`登记终端：${at.name}`, `Enrol a terminal: ${at.name}`);
  $("enrolling-problem").textContent = "";
  $("serial").value = known ? known.serial_number : "";
  $("serial").readOnly = known !== null;
  $("channel").value = known?.channel ?? "";
  $("channel").disabled = known !== null;
  show("enrolling-form");
  $("enrolling").showModal();
  $("serial").focus();
}

function show(part) {
  for (const id of ["enrolling-form", "code-out"]) $(id).hidden = id !== part;
}

async function submit(event) {
  event.preventDefault();
  $("enrolling-problem").textContent = "";
  const serial_number = $("serial").value.trim().toLowerCase();
  if (!SERIAL.test(serial_number)) {
    $("enrolling-problem").textContent = t("序列号是 16 位数字或字母 a 至 f。", "The serial number has 16 digits or letters a to f.");
    $("serial").focus();
    return;
  }
  const body = { serial_number, channel: $("channel").value || null };
  $("enrolling-send").disabled = true;
  try {
    const prepared = await call("POST", `/institutions/${institution.code}/terminals`, { body, key });
    const { keys } = await call("GET", "/status-keys").catch(() => ({ keys: [] }));
    tellCode(prepared.enrolment_code, body, keys);
  } catch (error) {
    if (!(error instanceof ToldError)) throw error;
    $("enrolling-problem").textContent = error.message;
    // What was refused is corrected: another request. One without an answer is repeated.
    if (error.answer) key = newRequestId();
  } finally {
    $("enrolling-send").disabled = false;
  }
}

function tellCode(code, terminal, statusKeys) {
  const at = `--service ${SERVICE}`;
  $("let-out").textContent = code;
  $("code-for").textContent = `${kindOf(terminal)} ${terminal.serial_number}`;
  const enrolled = step(t("复核同意后 24 小时内运行：", "Within 24 hours of the approval, run:"), `sscard terminal enrol ${at} --code ${code}`);
  const trusted = statusKeys.map((one) => step(t("没有网络时也要核验的，运行：", "To check codes without a network too, run:"), `sscard terminal trust ${one}`));
  const withKey = ATTENDED.includes(terminal.channel) ? ` --key ${CLERKS_KEY}` : "";
  const served = terminal.channel
    ? step(t("打开渠道页面：", "Open the channel's page:"), `sscard channel serve ${at}${withKey}`)
    : step(t("打开扫码页面：", "Open the page for scanning:"), `sscard terminal serve ${at}`);
  $("code-steps").replaceChildren(enrolled, ...(terminal.channel ? [] : trusted), served);
  show("code-out");
  $("code-title").focus();
}

const step = (words, command) => el("li", {}, words, el("code", { class: "command" }, command));

/** Nothing of the code stays in the page, however the dialog was closed. */
async function forget() {
  const wasOut = !$("code-out").hidden;
  $("let-out").textContent = "";
  $("code-steps").replaceChildren();
  show("enrolling-form");
  if (wasOut) await afterwards();
}

for (const [channel, word] of Object.entries(CHANNELS)) {
  $("channel").append(el("option", { value: channel }, word));
}
$("enrolling-form").addEventListener("submit", submit);
for (const id of ["enrolling-no", "code-read"]) {
  $(id).addEventListener("click", () => $("enrolling").close());
}
// A code that nobody has read yet is not closed by a slip of the finger.
$("enrolling").addEventListener("cancel", (event) => $("code-out").hidden || event.preventDefault());
$("enrolling").addEventListener("close", forget);
