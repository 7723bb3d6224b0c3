// The holder's page: sign in, show the code, report the card lost, take that back.
//
// A code is what somebody waits for at a counter, so nothing else is loaded before it: all other
// places come after it (holder_rest.js), or when one of them is opened.

import { NoAnswerError, ask, newRequestId } from "./ask.js";
import { cardText, isUsable } from "./card_states.js";
import { CodeCard } from "./code_card.js";
import { ChangeName, NO_ANSWER, SIGNED_OUT, submitOf, tryAsk, whileBusy } from "./holder_asking.js";
import { Places } from "./holder_places.js";
import { Showing } from "./holder_showing.js";
import { t } from "./language.js";
import { OfflinePhone } from "./phone/offline_phone.js";

const RETRY_MS = 3000;

const $ = (id) => document.getElementById(id);

const lossName = new ChangeName();
let card = null;
/** A Rest, once it is loaded; and the promise of it. */
let rest = null;
let arriving = null;

const phone = new OfflinePhone(() => rest?.panel.draw());
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
  onShown: fetchRest,
  onRefused: refused,
});

const showing = new Showing(codeCard);
const later = (...names) => names.map((name) => [name, placeOfRest(name)]);
const places = new Places(
  $("places"),
  Object.fromEntries([
    // Drawn by the server where type is large.
    ...later(...($("home") ? ["home"] : [])),
    ["code", { show: showCode, left: leaveCode }],
    ...later("card", "scans", "family", "apply", "more"),
  ]),
);

/** All that no code waits for. Rejects where the network doesn't bring it. */
async function restOfPage() {
  arriving ??= import("./holder_rest.js");
  try {
    const { Rest } = await arriving;
    rest ??= new Rest({
      phone,
      cardNow: () => card,
      onEnter: enter,
      onBack: showSignIn,
      onNewPassword: signInAnew,
      onLoss: askAboutLoss,
      onShow: showRelative,
    });
  } catch (error) {
    arriving = null;
    throw error;
  }
  return rest;
}

/** Early, so that nobody waits for it; whoever opens one of its places is told of a failure. */
function fetchRest() {
  restOfPage().catch(() => {});
}

function placeOfRest(name) {
  return {
    show: () => restOfPage().then(({ places: found }) => found[name].show(), codeInstead),
    left: () => rest?.places[name].left?.(),
  };
}

function codeInstead() {
  notice(NO_ANSWER);
  places.go("code");
}

/** The code, or why there is none. */
function showCode() {
  if (card.card_state === "temporary_loss") return withoutCode("lost");
  if (!isUsable(card)) {
    [$("unusable-title").textContent, $("unusable-advice").textContent] = cardText(card.card_state);
    return withoutCode("unusable");
  }
  $("sign-in-again").hidden = true;
  codeCard.start();
  return "card";
}

function leaveCode() {
  codeCard.stop();
  $("sign-in-again").hidden = true;
}

function showRelative(member) {
  showing.family(member);
  places.go("code");
}

function withoutCode(section) {
  leaveCode();
  fetchRest();
  phoneLoaded.then(() => phone.holdBack());
  return section;
}

/** The service gives no code: the own one again, or what state the own card is in. */
async function refused() {
  const { member } = showing;
  showing.own();
  await open();
  if (member) {
    notice(
      t(
        `现在不能出示${member.name}的码：授权已解除，或者卡不能用。`,
        `The code of ${member.name} can't be shown now: it was ended, or the card can't be used.`,
      ),
    );
  }
}

function notice(text) {
  $("notice").textContent = text;
  $("notice").hidden = !text;
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
    if (!phone.canShow()) notice(NO_ANSWER);
    else if (!places.open && $("card").hidden) showOwnCode();
    setTimeout(open, RETRY_MS);
    return;
  }
  notice("");
  if (reply.ok) showCard(reply.answer);
  else if (codeCard.isOffline) offerSignIn();
  else if (places.open || !$("card").hidden) signedOut();
  else if ($("sign-in").hidden) showSignIn();
}

/** No network and no answer on the card yet: the phone's own code, and no other place. */
function showOwnCode() {
  for (const section of document.querySelectorAll("main > section")) {
    section.hidden = section.id !== "card";
  }
  codeCard.start();
  $("card-title").focus();
}

/** The session is over while the phone's own code is in somebody's hand: it stays there. */
function offerSignIn() {
  codeCard.stayOffline();
  $("sign-in-again").hidden = false;
}

function signedOut() {
  showSignIn();
  notice(t("登录已失效，请重新登录。", "You were signed out. Please sign in again."));
}

function signInAnew(text) {
  showSignIn();
  notice(text);
}

function showSignIn() {
  $("loss-dialog").close();
  places.leave();
  rest?.forget();
  showing.forget();
  card = null;
  for (const section of document.querySelectorAll("main > section")) section.hidden = true;
  $("sign-in").hidden = false;
  $("sign-in-title").focus();
  fetchRest();
}

function showCard(answer) {
  card = answer;
  phoneLoaded.then(() => phone.sees(answer));
  rest?.sees(card);
  showing.of(card);
  places.enter();
}

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
  await enter(number, password);
}

async function enter(number, password) {
  const body = { social_security_number: number, password };
  const reply = await tryAsk("POST", "/v1/holder/sign-ins", body, $("sign-in-problem"));
  $("password").value = "";
  if (reply?.ok) {
    $("sign-in-form").reset();
    return open();
  }
  if ($("sign-in").hidden) showSignIn();
  $("password").focus();
}

async function openOnline(purpose) {
  let online;
  try {
    ({ online } = await restOfPage());
  } catch {
    return notice(NO_ANSWER);
  }
  notice("");
  $("sign-in").hidden = true;
  $("online").hidden = false;
  online.open(purpose);
}

function askAboutLoss() {
  $("loss-problem").textContent = "";
  $("loss-dialog").showModal();
}

async function reportLoss() {
  const path = "/v1/holder/loss-reports";
  const reply = await tryAsk("POST", path, {}, $("loss-problem"), lossName.name);
  // Not known yet, or still under way: the next try is the same request.
  if (!lossName.settle(reply)) return;
  $("loss-dialog").close();
  if (!reply.ok) return open();
  // The code goes before anything else is asked.
  showCard({ ...card, card_state: reply.answer.card_state });
  places.go("code");
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
  if (reply?.ok) showSignIn();
}

$("sign-in-form").addEventListener("submit", whileBusy(submitOf($("sign-in-form")), signIn));
$("withdraw-form").addEventListener("submit", whileBusy(submitOf($("withdraw-form")), withdrawLoss));
$("confirm-loss").addEventListener("click", whileBusy($("confirm-loss"), reportLoss));
for (const button of document.querySelectorAll("[data-report-loss]")) {
  button.addEventListener("click", askAboutLoss);
}
document.addEventListener(SIGNED_OUT, () => (codeCard.isOffline ? offerSignIn() : signedOut()));
for (const button of document.querySelectorAll("[data-online]")) {
  button.addEventListener("click", whileBusy(button, () => openOnline(button.dataset.online)));
}
$("sign-in-now").addEventListener("click", showSignIn);
$("refresh-code").addEventListener("click", () => codeCard.refresh());
for (const button of document.querySelectorAll("[data-sign-out]")) {
  button.addEventListener("click", whileBusy(button, signOut));
}

// Without a session there is nothing to ask: the form is there already. But a phone that makes
// codes by itself may have no network, and then shows one.
if (document.body.dataset.session === "maybe") {
  open();
} else {
  fetchRest();
  phoneLoaded.then(() => phone.canShow() && open());
}
