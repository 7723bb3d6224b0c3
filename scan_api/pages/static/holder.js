// The holder's page: sign in, show the code, report the card lost, take that back.

import { NoAnswerError, ask, newRequestId } from "./ask.js";
import { cardText } from "./card_states.js";
import { CodeCard } from "./code_card.js";
import { Applying } from "./holder_apply.js";
import { ChangeName, NO_ANSWER, SIGNED_OUT, submitOf, tryAsk, whileBusy } from "./holder_asking.js";
import { DataUses } from "./holder_consents.js";
import { Devices } from "./holder_devices.js";
import { Family } from "./holder_family.js";
import { Online, PasswordChange } from "./holder_online.js";
import { CardFace, isUsable } from "./holder_face.js";
import { Home } from "./holder_home.js";
import { Places } from "./holder_places.js";
import { Scans } from "./holder_scans.js";
import { Showing } from "./holder_showing.js";
import { Sixteen } from "./holder_sixteen.js";
import { t } from "./language.js";
import { makeInstallable } from "./phone/install.js";
import { OfflinePhone } from "./phone/offline_phone.js";
import { PhonePanel } from "./phone/panel.js";

const RETRY_MS = 3000;

const $ = (id) => document.getElementById(id);

const lossName = new ChangeName();
let card = null;

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
  onRefused: refused,
});

const face = new CardFace();
const showing = new Showing(codeCard);
const scans = new Scans({ onLoss: askAboutLoss });
const devices = new Devices(phone);
const family = new Family({ onShow: showRelative });
const home = new Home();
const dataUses = new DataUses();
const applying = new Applying();
const sixteen = new Sixteen();
const online = new Online({ onDone: enter, onBack: showSignIn });
const passwordChange = new PasswordChange({ onDone: signInAnew });
const places = new Places($("places"), {
  ...home.places(() => card.card_state),
  code: { show: showCode, left: leaveCode },
  card: { show: () => "face", left: () => face.cover() },
  scans: { show: showScans },
  family: { show: showFamily, left: leaveFamily },
  apply: { show: showApply, left: () => applying.cover() },
  more: { show: showMore, left: leaveMore },
});

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

function showScans() {
  scans.show();
  return "scans";
}

function showFamily() {
  family.show();
  sixteen.show();
  return "family";
}

function leaveFamily() {
  family.cover();
  sixteen.cover();
}

function showApply() {
  applying.show(card);
  return "apply";
}

function showMore() {
  devices.show();
  dataUses.show();
  sixteen.show();
  return "more";
}

function leaveMore() {
  devices.cover();
  dataUses.cover();
  sixteen.cover();
  passwordChange.cover();
}

function showRelative(member) {
  showing.family(member);
  places.go("code");
}

function withoutCode(section) {
  leaveCode();
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
  online.forget();
  showing.forget();
  scans.forget();
  card = null;
  for (const section of document.querySelectorAll("main > section")) section.hidden = true;
  $("sign-in").hidden = false;
  $("sign-in-title").focus();
}

function showCard(answer) {
  card = answer;
  phoneLoaded.then(() => phone.sees(answer));
  face.show(card);
  showing.of(card);
  scans.watch();
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

function openOnline(purpose) {
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
  button.addEventListener("click", () => openOnline(button.dataset.online));
}
makeInstallable($("install"));
$("sign-in-now").addEventListener("click", showSignIn);
$("refresh-code").addEventListener("click", () => codeCard.refresh());
for (const button of document.querySelectorAll("[data-sign-out]")) {
  button.addEventListener("click", whileBusy(button, signOut));
}

// Without a session there is nothing to ask: the form is there already. But a phone that makes
// codes by itself may have no network, and then shows one.
if (document.body.dataset.session === "maybe") open();
else phoneLoaded.then(() => phone.canShow() && open());
