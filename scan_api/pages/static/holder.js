// The holder's page: sign in, show the code, report the card lost, take that back.

import { NoAnswerError, ask, newRequestId } from "./ask.js";
import { cardText } from "./card_states.js";
import { CodeCard } from "./code_card.js";
import { pick, t } from "./language.js";
import { makeInstallable } from "./phone/install.js";
import { OfflinePhone } from "./phone/offline_phone.js";
import { PhonePanel } from "./phone/panel.js";

const RETRY_MS = 3000;
const SECTIONS = ["sign-in", "card", "lost", "unusable"];
const NO_ANSWER = t(
  "连不上服务。请检查网络，再试一次。",
  "The service can't be reached. Check the network and try again.",
);
const SIGNED_OUT = t("登录已失效，请重新登录。", "You were signed out. Please sign in again.");

const $ = (id) => document.getElementById(id);

// One name for a loss report until its outcome is known, so that trying again does nothing twice.
let lossRequestId = newRequestId();

const phone = new OfflinePhone(() => panel.draw());
const panel = new PhonePanel(phone);
const phoneLoaded = phone.load();

const codeCard = new CodeCard({
  picture: $("code-picture"),
  cover: $("code-cover"),
  countdown: $("countdown"),
  bar: $("countdown-bar"),
  seconds: $("countdown-seconds"),
  notice: $("code-notice"),
  kind: $("code-kind"),
  bars: {
    box: $("bars"),
    picture: $("bars-picture"),
    digits: $("bars-digits"),
    toggle: $("show-bars"),
  },
  phone,
  onRefused: open,
});

function show(section) {
  const changed = $(section).hidden;
  for (const id of SECTIONS) $(id).hidden = id !== section;
  if (section === "card") codeCard.start();
  else codeCard.stop();
  if (section === "lost" || section === "unusable") phoneLoaded.then(() => phone.holdBack());
  $("sign-in-again").hidden = true;
  if (changed) $(section).querySelector("h1").focus();
}

function notice(text) {
  $("notice").textContent = text;
  $("notice").hidden = !text;
}

/**
 * An answer, or null when there was none; `problem` is where the reader is told, `key` the name of
 * a request that changes something: the same name again is a retry.
 */
async function tryAsk(method, path, body, problem, key) {
  problem.textContent = "";
  try {
    const headers = key ? { "Idempotency-Key": `"${key}"` } : {};
    const reply = await ask(method, path, { body, headers });
    if (reply.answer?.code === "sign_in_needed") signedOut();
    else if (!reply.ok) problem.textContent = told(reply.answer);
    return reply;
  } catch (error) {
    if (!(error instanceof NoAnswerError)) throw error;
    problem.textContent = NO_ANSWER;
    return null;
  }
}

/** What a problem document tells a reader: what is wrong, and what to do. */
function told(answer) {
  const stop = t("。", ". ");
  return [pick(answer, "title"), pick(answer, "detail")].filter(Boolean).join(stop);
}

/** Asks for the card's state and shows the section that fits; asks again until there is an answer. */
async function open() {
  let reply;
  try {
    reply = await ask("GET", "/v1/holder/card");
    if (reply.status >= 500) throw new NoAnswerError("the service failed");
  } catch (error) {
    if (!(error instanceof NoAnswerError)) throw error;
    await phoneLoaded;
    if (phone.canShow()) show("card");
    else notice(NO_ANSWER);
    setTimeout(open, RETRY_MS);
    return;
  }
  notice("");
  if (reply.ok) showCard(reply.answer);
  else if (codeCard.isOffline) offerSignIn();
  else if (SECTIONS.every((id) => $(id).hidden)) show("sign-in");
  else if ($("sign-in").hidden) signedOut();
}

/** The session is over while the phone's own code is in somebody's hand: it stays there. */
function offerSignIn() {
  codeCard.stayOffline();
  $("sign-in-again").hidden = false;
}

function signedOut() {
  $("loss-dialog").close();
  show("sign-in");
  notice(SIGNED_OUT);
}

function showCard(card) {
  phoneLoaded.then(() => phone.sees(card));
  $("card-name").textContent = card.name;
  $("card-number").textContent = card.social_security_number;
  if (card.card_state === "temporary_loss") return show("lost");
  if (card.card_state === "normal" && card.e_card_state === "active") return show("card");
  [$("unusable-title").textContent, $("unusable-advice").textContent] = cardText(card.card_state);
  return show("unusable");
}

/** Runs `work` once at a time; the button shows that it is at work. */
function whileBusy(button, work) {
  return async (event) => {
    event.preventDefault();
    if (button.disabled) return;
    button.disabled = true;
    try {
      await work();
    } finally {
      button.disabled = false;
    }
  };
}

const submitOf = (form) => form.querySelector("[type=submit]");

async function signIn() {
  const problem = $("sign-in-problem");
  const number = $("number").value.trim().toUpperCase();
  const password = $("password").value;
  if (!number || !/^\d{6}$/.test(password)) {
    problem.textContent = t(
      "请填社会保障号码和 6 位数字密码。",
      "Enter your social security number and your 6-digit password.",
    );
    return;
  }
  const body = { social_security_number: number, password };
  const reply = await tryAsk("POST", "/v1/holder/sign-ins", body, problem);
  $("password").value = "";
  if (reply?.ok) {
    $("sign-in-form").reset();
    await open();
  } else {
    $("password").focus();
  }
}

async function reportLoss() {
  const path = "/v1/holder/loss-reports";
  const reply = await tryAsk("POST", path, {}, $("loss-problem"), lossRequestId);
  // Not known yet, or still under way: the next try is the same request.
  if (!reply || reply.status >= 500 || reply.answer?.code === "request_running") return;
  lossRequestId = newRequestId();
  $("loss-dialog").close();
  // The code goes before anything else is asked.
  if (reply.ok) show("lost");
  else await open();
}

async function withdrawLoss() {
  const password = $("withdraw-password").value;
  const problem = $("withdraw-problem");
  const path = "/v1/holder/loss-withdrawals";
  const reply = await tryAsk("POST", path, { password }, problem, newRequestId());
  $("withdraw-password").value = "";
  if (reply?.ok) await open();
  else $("withdraw-password").focus();
}

async function signOut() {
  await phone.unbind();
  const reply = await tryAsk("DELETE", "/v1/holder/sign-ins", undefined, $("notice"));
  $("notice").hidden = Boolean(reply?.ok);
  if (reply?.ok) show("sign-in");
}

$("sign-in-form").addEventListener("submit", whileBusy(submitOf($("sign-in-form")), signIn));
$("withdraw-form").addEventListener("submit", whileBusy(submitOf($("withdraw-form")), withdrawLoss));
$("confirm-loss").addEventListener("click", whileBusy($("confirm-loss"), reportLoss));
$("report-loss").addEventListener("click", () => {
  $("loss-problem").textContent = "";
  $("loss-dialog").showModal();
});
makeInstallable($("install"));
$("sign-in-now").addEventListener("click", () => show("sign-in"));
$("refresh-code").addEventListener("click", () => codeCard.refresh());
for (const button of document.querySelectorAll("[data-sign-out]")) {
  button.addEventListener("click", whileBusy(button, signOut));
}

// Without a session there is nothing to ask: the form is there already. But a phone that makes
// codes by itself may have no network, and then shows one.
if (document.body.dataset.session === "maybe") open();
else phoneLoaded.then(() => phone.canShow() && open());
