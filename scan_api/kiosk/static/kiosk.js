// A service channel: one question a screen. What is asked goes to the channel's own process, which
// holds the key and the session; the page forgets everything of a person when it leaves their last
// screen. Where a clerk serves people the screens are those of `clerk.js`.

import { applicationWords } from "./application_words.js";
import { NoAnswerError, newRequestId } from "./ask.js";
import { Clerk } from "./clerk.js";
import { Idle } from "./idle.js";
import { Keypad } from "./keypad.js";
import { pick, t } from "./language.js";
import { Visit, askProcess, screenShown, show } from "./screens.js";

const NUMBER_CHARACTERS = 18;
const PASSWORD_DIGITS = 6;
const OVER_MS = 10_000;
const STATE_INTERVAL_MS = 15_000;
const RIGHTS = { report_temporary_loss: "loss", print_code: "print", see_applications: "progress" };

const $ = (id) => document.getElementById(id);

let wanted = "";
let lossRequest = "";
let overTimer = 0;
const visit = new Visit({
  onNoAnswer: () =>
    problem(
      t("没有收到答复", "No answer came"),
      t("不知道有没有办成。请到服务窗口询问。", "It isn't known whether it was done. Please ask at the service desk."),
    ),
});

function problem(title, next) {
  $("problem-title").textContent = title;
  $("problem-next").textContent = next;
  show("problem");
}

// ---- typing

const number = new Keypad($("number-keys"), {
  max: NUMBER_CHARACTERS,
  onChange: (value) => {
    // In the groups of the identity card: region, birth date, rest.
    const groups = [value.slice(0, 6), value.slice(6, 14), value.slice(14)];
    $("number-typed").textContent = groups.filter(Boolean).join(" ");
    $("number-problem").textContent = "";
  },
  onDone: numberNext,
});
const password = new Keypad($("password-keys"), {
  max: PASSWORD_DIGITS,
  onChange: (value) => {
    $("password-typed").textContent = "●".repeat(value.length);
    $("password-count").textContent = t(`已输入 ${value.length} 位`, `${value.length} digits`);
    $("password-problem").textContent = "";
  },
  onDone: passwordNext,
});

document.addEventListener("keydown", (event) => {
  if ($("idle").open || event.ctrlKey || event.altKey || event.metaKey) return;
  if (screenShown() === "number") number.type(event);
  if (screenShown() === "password") password.type(event);
});

function numberNext() {
  if (number.value.length === NUMBER_CHARACTERS) show("password");
  else {
    $("number-problem").textContent = t(
      `号码有 18 位，还差 ${NUMBER_CHARACTERS - number.value.length} 位。`,
      `The number has 18 characters; ${NUMBER_CHARACTERS - number.value.length} are missing.`,
    );
  }
}

async function passwordNext() {
  if (password.value.length < PASSWORD_DIGITS) {
    $("password-problem").textContent = t("密码是 6 位数字。", "The password has six digits.");
    return;
  }
  const body = { social_security_number: number.value, password: password.value };
  password.clear();
  const reply = await visit.ask("/session", body);
  if (!reply) return;
  if (reply.ok) {
    number.clear();
    arrived(reply.answer);
  } else if (reply.answer.code === "sign_in_refused") {
    $("password-problem").textContent = `${pick(reply.answer, "title")}。${pick(reply.answer, "detail")}`;
  } else failed(reply.answer);
}

// ---- what is done

function arrived(person) {
  for (const one of document.querySelectorAll("[data-name]")) one.textContent = person.name;
  if (wanted === "loss" && person.card_state === "temporary_loss") {
    problem(
      t("这张卡已经挂失了", "This card has been reported lost already"),
      t("卡现在不能用。请带身份证到服务窗口办理正式挂失和补卡。", "It can't be used. Take your identity card to a service desk for a formal report and a new card."),
    );
  } else if (wanted === "progress") seeProgress();
  else show(wanted);
}

async function seeProgress() {
  const reply = await visit.ask("/applications/progress");
  if (!reply) return;
  if (!reply.ok) {
    failed(reply.answer);
    return;
  }
  const { applications } = reply.answer;
  $("progress-list").replaceChildren(...applications.map(progressLine));
  $("progress-none").hidden = applications.length > 0;
  show("progress");
}

function progressLine(application) {
  const line = document.createElement("li");
  for (const [name, text] of Object.entries(applicationWords(application))) {
    const part = document.createElement("p");
    part.className = `progress-${name}`;
    part.textContent = text;
    line.append(part);
  }
  return line;
}

async function reportLoss() {
  // The same name again where no answer came: nothing is done twice.
  lossRequest ||= newRequestId();
  const reply = await visit.ask("/loss-reports", { request_id: lossRequest });
  if (!reply) return;
  lossRequest = "";
  if (!reply.ok) {
    failed(reply.answer);
    return;
  }
  // It lapses at midnight: the last day is the one that ends then.
  const day = new Date(Date.parse(reply.answer.loss_lapses_at) - 1);
  const shownDay = day.toLocaleDateString(document.documentElement.lang, { dateStyle: "long", timeZone: "Asia/Shanghai" });
  $("lost-until").textContent = t(
    `临时挂失到 ${shownDay} 为止，请在此之前到服务窗口办理正式挂失。`,
    `The temporary report lasts until ${shownDay}; before that, report it formally at a service desk.`,
  );
  show("lost");
}

async function printCode() {
  const reply = await visit.ask("/printed-codes");
  if (!reply) return;
  if (!reply.ok) {
    failed(reply.answer);
    return;
  }
  const { text, picture_svg: picture, bars_svg: bars, valid_until: until } = reply.answer;
  const pictures = [[$("slip-picture"), picture], [$("slip-bars"), bars]];
  for (const [image, svg] of pictures) image.src = `data:image/svg+xml,${encodeURIComponent(svg)}`;
  $("slip-digits").textContent = text.match(/.{4}/g).join(" ");
  $("slip-until").textContent = new Date(until).toLocaleTimeString("zh-CN", {
    hour: "2-digit",
    minute: "2-digit",
    timeZone: "Asia/Shanghai",
  });
  $("slip-place").textContent = $("institution").textContent;
  await Promise.all(pictures.map(([image]) => image.decode()));
  show("printed");
  window.print();
}

function failed(answer) {
  const over = ["sign_in_needed", "nobody_here"].includes(answer.code);
  if (over) leave();
  else if (answer.code === "card_unusable") {
    problem(
      t("这张卡现在不能用", "This card can't be used now"),
      t("没有打印。卡可能已挂失、未激活或已注销，请到服务窗口询问。", "Nothing was printed. It may be reported lost, not activated or cancelled; please ask at the service desk."),
    );
  } else problem(pick(answer, "title"), pick(answer, "detail"));
}

// ---- beginning and end

const idle = new Idle({
  dialog: $("idle"),
  seconds: $("idle-seconds"),
  stay: $("idle-stay"),
  onEnd: whoeverLeaves,
});
const clerk = new Clerk(idle);

function whoeverLeaves() {
  if (clerk.isHere) clerk.leave();
  else leave();
}

function begin(what) {
  wanted = what;
  idle.start();
  show("number");
}

/** Nothing of the person stays in the page; the session ends in the kiosk and at the service. */
function leave() {
  idle.stop();
  number.clear();
  password.clear();
  wanted = "";
  lossRequest = "";
  for (const one of document.querySelectorAll("[data-name]")) one.textContent = "";
  for (const id of ["lost-until", "slip-digits", "slip-until", "slip-place", "password-count"]) {
    $(id).textContent = "";
  }
  $("progress-list").replaceChildren();
  for (const id of ["slip-picture", "slip-bars"]) $(id).removeAttribute("src");
  show("over");
  visit.end();
  clearTimeout(overTimer);
  overTimer = setTimeout(() => show("start"), OVER_MS);
}

for (const button of document.querySelectorAll("[data-right]")) {
  button.addEventListener("click", () => begin(RIGHTS[button.dataset.right]));
}
for (const button of document.querySelectorAll("[data-leave]")) button.addEventListener("click", leave);
$("idle-leave").addEventListener("click", whoeverLeaves);
$("number-next").addEventListener("click", numberNext);
$("password-next").addEventListener("click", passwordNext);
$("loss-go").addEventListener("click", reportLoss);
$("print-go").addEventListener("click", printCode);
$("print-again").addEventListener("click", printCode);
$("again").addEventListener("click", () => {
  clearTimeout(overTimer);
  show("start");
});

// ---- whether the machine is in service

async function askChannel() {
  try {
    const { ok, answer } = await askProcess("GET", "/channel");
    if (ok) opened(answer);
    else closed(pick(answer, "title"));
  } catch (error) {
    if (!(error instanceof NoAnswerError)) throw error;
    closed(t("没有网络", "There is no network"));
  }
  setTimeout(askChannel, STATE_INTERVAL_MS);
}

function opened(channel) {
  $("institution").textContent = channel.institution_name;
  for (const button of document.querySelectorAll("[data-right]")) {
    button.hidden = !channel.rights.includes(button.dataset.right);
  }
  if (channel.is_attended) clerk.open(channel);
  else if (["waiting", "closed"].includes(screenShown())) show("start");
}

function closed(reason) {
  $("closed-reason").textContent = reason;
  // Somebody in the middle of something is told by what they ask.
  if (["waiting", "start", "closed", "clerk-in"].includes(screenShown())) show("closed");
}

askChannel();
