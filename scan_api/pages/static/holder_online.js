// With no session: who somebody is, a check that it is them, and a password; then the e-card.

import { newRequestId } from "./ask.js";
import { ChangeName, submitOf, tryAsk, whileBusy } from "./holder_asking.js";
import { pick, t } from "./language.js";
import { chosenPassword, forgetPassword } from "./new_password.js";

const $ = (id) => document.getElementById(id);
const BASE = "/v1/holder/";
const STEPS = ["claim", "check", "password"];

const TEXTS = {
  activate: {
    title: t("开通电子社保卡", "Activate your e-card"),
    lead: t(
      "已经领到社保卡的，在这里三步就能开通，不用去窗口。卡还没领的，请先带身份证到窗口领卡。",
      "If you have your card in hand, three steps do it, and no visit. If you haven't collected it, take your identity card to the window first.",
    ),
    finish: t("设好密码，开通", "Set the password and activate"),
    path: "activations",
  },
  new_password: {
    title: t("忘记密码", "Forgotten password"),
    lead: t(
      "核验是您本人以后，可以设一个新密码。设好以后，所有手机都要重新登录、重新绑定。",
      "Once it is clear that it is you, choose a new password. Every phone then has to sign in and be bound anew.",
    ),
    finish: t("设好新密码，登录", "Set the password and sign in"),
    path: "password-resets",
  },
};

export class Online {
  /** onDone(number, password): done, and may sign in. onBack(): to the form for signing in. */
  constructor({ onDone, onBack }) {
    Object.assign(this, { onDone, onBack, purpose: "activate", ticket: "" });
    this.name = new ChangeName();
    for (const step of STEPS) {
      const form = $(`online-${step}`);
      form.addEventListener("submit", whileBusy(submitOf(form), () => this[step]()));
    }
    $("online-back").addEventListener("click", () => this.onBack());
    $("online-simulated").hidden = document.body.dataset.personCheck !== "simulated";
  }

  open(purpose) {
    this.forget();
    this.purpose = purpose;
    const texts = TEXTS[purpose];
    $("online-title").textContent = texts.title;
    $("online-lead").textContent = texts.lead;
    $("online-finish").textContent = texts.finish;
    $("online-card-field").hidden = purpose !== "activate";
    $("online-number").value = $("number").value.trim();
    this.#show("claim");
    $("online-title").focus();
  }

  /** Nothing of what was typed or told stays on the page. */
  forget() {
    this.ticket = "";
    for (const step of STEPS) {
      $(`online-${step}`).reset();
      $(`online-${step}-problem`).textContent = "";
    }
    $("online-message").textContent = "";
    $("online-address").removeAttribute("href");
    forgetPassword("online-new");
  }

  async claim() {
    const number = $("online-number").value.trim().toUpperCase();
    const name = $("online-name").value.trim();
    const card = $("online-card").value.trim().toUpperCase();
    const isActivation = this.purpose === "activate";
    if (!number || !name || (isActivation && !card)) {
      $("online-claim-problem").textContent = isActivation
        ? t("请把号码、姓名和卡号都填上。", "Fill in number, name and card number.")
        : t("请把号码和姓名都填上。", "Fill in number and name.");
      return;
    }
    const body = { purpose: this.purpose, social_security_number: number, name };
    if (isActivation) body.card_number = card;
    const reply = await this.#ask("person-checks", body, "claim");
    if (!reply?.ok) return;
    const { answer } = reply;
    this.ticket = answer.ticket;
    $("online-message").textContent = pick(answer, "message");
    $("online-typed-field").hidden = answer.digits === null;
    $("online-address-box").hidden = answer.address === null;
    if (answer.address !== null) $("online-address").href = answer.address;
    this.#show("check");
    if (answer.digits === null) $("online-check-title").focus();
    else $("online-typed").focus();
  }

  async check() {
    const body = { ticket: this.ticket, typed: $("online-typed").value.trim() };
    const reply = await this.#ask("person-checks/results", body, "check");
    if (reply?.ok) {
      $("online-username").value = $("online-number").value.trim().toUpperCase();
      this.#show("password");
      $("online-password-title").focus();
    } else if (["person_check_refused", "person_check_over"].includes(reply?.answer?.code)) {
      // What was typed first may be what is wrong: it can be mended, and a new check begun.
      this.#again("check");
    }
  }

  async password() {
    const password = chosenPassword("online-new", $("online-password-problem"));
    if (!password) return;
    const body = { ticket: this.ticket, new_password: password };
    const reply = await this.#ask(TEXTS[this.purpose].path, body, "password");
    if (reply?.answer?.code === "person_check_over") this.#again("password");
    if (!reply?.ok) return;
    const number = $("online-username").value;
    this.forget();
    await this.onDone(number, password);
  }

  /** Back to the first step, where the reader is told why. */
  #again(from) {
    $("online-claim-problem").textContent = $(`online-${from}-problem`).textContent;
    this.ticket = "";
    $("online-typed").value = "";
    this.#show("claim");
    $("online-claim-title").focus();
  }

  #show(step) {
    for (const one of STEPS) $(`online-${one}`).hidden = one !== step;
    $("online-lead").hidden = step !== "claim";
  }

  async #ask(path, body, step) {
    const problem = $(`online-${step}-problem`);
    const reply = await tryAsk("POST", BASE + path, body, problem, this.name.name);
    this.name.settle(reply);
    return reply;
  }
}

/** The password with the old one, in a session; the holder signs in anew with the new one. */
export class PasswordChange {
  constructor({ onDone }) {
    this.onDone = onDone;
    const form = $("change-form");
    form.addEventListener("submit", whileBusy(submitOf(form), () => this.#change()));
  }

  cover() {
    $("change-form").reset();
    $("change-problem").textContent = "";
    forgetPassword("change-new");
  }

  async #change() {
    const problem = $("change-problem");
    const old = $("change-old").value;
    if (!/^\d{6}$/.test(old)) {
      problem.textContent = t("请填原来的 6 位密码。", "Enter the old 6-digit password.");
      $("change-old").focus();
      return;
    }
    const password = chosenPassword("change-new", problem);
    if (!password) return;
    const body = { password: old, new_password: password };
    const reply = await tryAsk("POST", `${BASE}passwords`, body, problem, newRequestId());
    $("change-old").value = "";
    if (!reply?.ok) return $("change-old").focus();
    this.cover();
    this.onDone(t("密码改好了。请用新密码登录。", "The password is changed. Sign in with the new one."));
  }
}
